"""Drafts are checked, changed, cloned and archived; what was launched is not changed any more."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import contents, launching, planning, service
from crm.campaigns.errors import (
    CampaignNotFoundError,
    InvalidCampaignError,
    NotADraftError,
    NotPossibleNowError,
)
from crm.campaigns.policy import name_of_clone
from crm.campaigns.types import CampaignStatus, NewCampaign
from crm.db import clock
from crm.deliveries.types import MessageClass
from crm.messages.errors import TemplateProblemsError
from crm.messages.types import MessageContent
from crm.segments import service as segments
from crm.segments.errors import SegmentArchivedError, SegmentNotFoundError
from tests.factories.campaigns import BUTTONS, content, make_campaign, make_segment
from tests.factories.members import make_member


async def test_a_draft_is_stored_as_it_was_given(session: AsyncSession) -> None:
    made = await make_campaign(session, name=" Spring\x00  sale ", message=content(buttons=BUTTONS))
    found = await service.get(session, made.id)
    assert found == made
    assert (found.name, found.status, found.topic) == ("Spring sale", CampaignStatus.DRAFT, "news")
    assert (found.message_class, found.max_lateness_minutes, found.version) == (MessageClass.MARKETING, 60, 1)
    assert found.message.buttons == BUTTONS
    progress = await service.progress(session, made.id)
    assert (progress.counts.total, progress.broadcast) == (0, None)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("name", "", InvalidCampaignError),
        ("name", "x" * 121, InvalidCampaignError),
        ("topic", "no_such", InvalidCampaignError),
        ("topic", "'; DROP TABLE campaigns", InvalidCampaignError),
        ("max_lateness_minutes", 0, InvalidCampaignError),
        ("max_lateness_minutes", 10_081, InvalidCampaignError),
        ("segment_id", 404, SegmentNotFoundError),
        ("segment_id", 10**30, SegmentNotFoundError),
        ("message", MessageContent({}), TemplateProblemsError),
        ("message", MessageContent({"en": "  "}), TemplateProblemsError),
        ("message", content("{% if %}"), TemplateProblemsError),
        ("message", content("{{ member.nam }}"), TemplateProblemsError),
        ("message", content("{{ member.__class__ }}"), TemplateProblemsError),
    ],
)
async def test_what_is_not_valid_is_refused(session: AsyncSession, field: str, value: Any, error: Any) -> None:
    segment_id = await make_segment(session)
    values: dict[str, Any] = {"name": "Spring", "segment_id": segment_id, "message": content()}
    with pytest.raises(error):
        await service.create(session, NewCampaign(**{**values, field: value}), by="operator:1")
    made = await service.create(session, NewCampaign(**values), by="operator:1")
    with pytest.raises(error):
        await service.change(session, made.id, **{field: value})
    assert await service.get(session, made.id) == made


async def test_an_archived_segment_takes_no_campaign(session: AsyncSession) -> None:
    segment_id = await make_segment(session)
    await segments.archive(session, segment_id)
    with pytest.raises(SegmentArchivedError):
        await service.create(session, NewCampaign("Spring", segment_id, content()), by="operator:1")


async def test_only_a_draft_can_be_changed(session: AsyncSession) -> None:
    await make_member(session)
    made = await make_campaign(session)
    changed = await service.change(session, made.id, name="Summer", message=content("Hi"))
    assert (changed.name, changed.message.text["en"], changed.version) == ("Summer", "Hi", 2)
    await launching.launch(session, made.id, by="operator:1")
    with pytest.raises(NotADraftError, match="clone"):
        await service.change(session, made.id, name="Autumn")
    with pytest.raises(NotPossibleNowError):
        await service.archive(session, made.id)


async def test_a_clone_is_a_fresh_draft(session: AsyncSession) -> None:
    await make_member(session)
    later = await clock.now(session) + timedelta(days=2)
    made = await make_campaign(session, message=content(buttons=BUTTONS), send_before=later, max_lateness_minutes=5)
    await launching.launch(session, made.id, by="operator:1", at=later - timedelta(days=1))
    copy = await service.clone(session, made.id, by="operator:2")
    assert (copy.name, copy.status, copy.created_by) == ("Spring (2)", CampaignStatus.DRAFT, "operator:2")
    assert (copy.message, copy.segment_id, copy.max_lateness_minutes) == (made.message, made.segment_id, 5)
    assert [copy.scheduled_at, copy.send_before, copy.launched_at, copy.launched_by, copy.audience_size] == [None] * 5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Spring", "Spring (2)"),
        ("Spring (2)", "Spring (3)"),
        ("Spring (99)", "Spring (100)"),
        ("Spring (sale)", "Spring (sale) (2)"),
        ("Spring (²)", "Spring (²) (2)"),
        (" (2)", " (2) (2)"),
        ("x" * 120, "x" * 116 + " (2)"),
        ("x" * 116 + " (9)", "x" * 115 + " (10)"),
        ("x (123456789)", "x (123456789) (2)"),
    ],
)
def test_clones_are_numbered(name: str, expected: str) -> None:
    assert name_of_clone(name) == expected
    assert len(expected) <= 120


async def test_what_is_archived_leaves_the_list_and_comes_back(session: AsyncSession) -> None:
    made, other = await make_campaign(session), await make_campaign(session, name="50% off_")
    await service.archive(session, made.id)
    assert [one.id for one in (await service.listing(session)).items] == [other.id]
    assert len((await service.listing(session, with_archived=True)).items) == 2
    with pytest.raises(NotADraftError):
        await service.change(session, made.id, name="Again")
    with pytest.raises(NotPossibleNowError, match="archived"):
        await launching.launch(session, made.id, by="operator:1")
    await service.archive(session, made.id, is_archived=False)
    assert [one.id for one in (await service.listing(session, limit=1)).items] == [other.id]
    assert [one.id for one in (await service.listing(session, query="50% OFF_")).items] == [other.id]
    assert (await service.listing(session, query="%", status=CampaignStatus.RUNNING)).items == []


@pytest.mark.parametrize("campaign_id", [0, 404, 10**30])
async def test_what_is_not_there_is_not_found(session: AsyncSession, campaign_id: int) -> None:
    for use in (service.get, service.progress, contents.content, planning.plan, launching.pause, launching.cancel):
        with pytest.raises(CampaignNotFoundError):
            await use(session, campaign_id)


async def test_a_tap_is_answered_by_the_button_that_was_written(session: AsyncSession) -> None:
    made = await make_campaign(session, message=content(buttons=BUTTONS))
    tapped = await service.tapped_button(session, made.id, "1.0")
    assert tapped is not None
    assert (tapped.opens, tapped.tag) == ("survey:nps", "keen")


@pytest.mark.parametrize("place", ["", "1", "1.1", "2.0", "-1.0", "²·0", "1.²", "1.0.0", "9" * 50 + ".0", "x.y"])
async def test_a_forged_tap_is_no_button(session: AsyncSession, place: str) -> None:
    made = await make_campaign(session, message=content(buttons=BUTTONS))
    assert await service.tapped_button(session, made.id, place) is None
    assert await service.tapped_button(session, 10**30, "0.0") is None
    assert await service.tapped_button(session, 404, "0.0") is None

"""A launch is planned, confirmed and begun once; what was missed or cannot begin waits for a person."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.campaigns import launching, planning, service
from crm.campaigns.errors import (
    AlreadyLaunchedError,
    CountNotConfirmedError,
    InvalidCampaignError,
    NobodyToReachError,
    NotPossibleNowError,
    ScheduleInThePastError,
)
from crm.campaigns.types import Campaign, CampaignStatus
from crm.db import clock
from crm.deliveries.types import MessageClass
from crm.kit.errors import DomainError
from crm.members import service as members
from crm.messages.errors import RenderingFailedError, TemplateProblemsError
from crm.segments import service as segments
from crm.segments.errors import SegmentArchivedError
from tests.conftest import At
from tests.factories.bots import make_bot
from tests.factories.campaigns import EVERYONE, make_campaign
from tests.factories.deliveries import agree
from tests.factories.members import make_contact, make_member

BY = "operator:1"
MORNING, NOON = "2026-03-01T08:00+08:00", "2026-03-01T12:00+08:00"


async def _scheduled(session: AsyncSession, at: At, **more: Any) -> Campaign:
    now = await at(session, MORNING)
    campaign = await make_campaign(session, **more)
    return await launching.launch(session, campaign.id, by=BY, at=now + timedelta(hours=4))


async def test_a_plan_says_what_a_launch_would_do(session: AsyncSession) -> None:
    contacts = [await make_contact(session) for _ in range(3)]
    await members.set_reachable(session, contacts[0].identity.id, False, "blocked")
    await make_contact(session, locale_hint="zh-CN")
    english = await planning.plan(session, (await make_campaign(session)).id)
    assert (english.audience, english.reachable, english.is_everyone, english.warnings) == (3, 2, False, [])
    await agree(session, contacts[0])
    await agree(session, contacts[1])
    assert (await planning.plan(session, (await make_campaign(session)).id)).agreed == 1
    receipt = await make_campaign(session, message_class=MessageClass.RECEIPT)
    assert (await planning.plan(session, receipt.id)).agreed is None
    everyone = await planning.plan(session, (await make_campaign(session, rule=EVERYONE)).id)
    assert (everyone.audience, everyone.is_everyone) == (4, True)
    odd = {"all": [EVERYONE, {"not": EVERYONE}]}
    assert (await planning.plan(session, (await make_campaign(session, rule=odd)).id)).warnings


async def test_a_plan_counts_with_the_rates_of_the_bots(session: AsyncSession) -> None:
    slow, fast = await make_bot(session), await make_bot(session, channel="webchat")
    await bots.change(session, slow.id, bulk_rate=0.5)
    await bots.change(session, fast.id, bulk_rate=100)
    for bot, number in ((slow, 15), (fast, 5)):
        for _ in range(number):
            await make_contact(session, bot=bot)
    plan = await planning.plan(session, (await make_campaign(session)).id)
    assert plan.seconds == 30, "bots send side by side; the slow one is the last"
    assert plan.stars == 2, "15 messages at a tenth of a Star, rounded up; the web chat costs nothing"
    assert plan.paid_seconds == pytest.approx(0.05)


async def test_paid_sending_needs_a_channel_that_offers_it(session: AsyncSession) -> None:
    await make_contact(session, bot=await make_bot(session, channel="webchat"))
    campaign = await make_campaign(session)
    assert (await planning.plan(session, campaign.id)).stars is None
    with pytest.raises(InvalidCampaignError, match="offers paid sending"):
        await launching.launch(session, campaign.id, by=BY, stars_cap=5)


@pytest.mark.parametrize("stars", [0, -1, 10_000_001])
async def test_a_cap_has_bounds(session: AsyncSession, stars: int) -> None:
    await make_contact(session)
    with pytest.raises(InvalidCampaignError, match="between 1 and"):
        await launching.launch(session, (await make_campaign(session)).id, by=BY, stars_cap=stars)


async def test_a_launch_happens_once(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    launched = await launching.launch(session, campaign.id, by=BY)
    assert (launched.status, launched.launched_by) == (CampaignStatus.RUNNING, BY)
    with pytest.raises(AlreadyLaunchedError, match="running already; clone"):
        await launching.launch(session, campaign.id, by=BY)
    assert await launching.start(session, campaign.id) is True
    assert await launching.start(session, campaign.id) is False
    assert (await service.get(session, campaign.id)).audience_size == 1


async def test_nobody_is_not_launched_to(session: AsyncSession) -> None:
    campaign = await make_campaign(session)
    with pytest.raises(NobodyToReachError):
        await launching.launch(session, campaign.id, by=BY)
    assert (await service.get(session, campaign.id)).status is CampaignStatus.DRAFT


@pytest.mark.parametrize("rule", [EVERYONE, {"not": {"not": EVERYONE}}, {"any": [EVERYONE]}])
async def test_everyone_wants_the_count(session: AsyncSession, rule: object) -> None:
    for _ in range(3):
        await make_member(session)
    campaign = await make_campaign(session, rule=rule)
    for count in (None, 2, 4, 0, -1):
        with pytest.raises(CountNotConfirmedError, match="3 members") as caught:
            await launching.launch(session, campaign.id, by=BY, confirm_count=count)
        assert caught.value.facts == {"count": 3}
    assert (await launching.launch(session, campaign.id, by=BY, confirm_count=3)).status is CampaignStatus.RUNNING


async def test_a_count_that_was_given_must_be_right(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    with pytest.raises(CountNotConfirmedError):
        await launching.launch(session, campaign.id, by=BY, confirm_count=2)
    await launching.launch(session, campaign.id, by=BY, confirm_count=1)


async def test_times_that_cannot_be_are_refused(session: AsyncSession) -> None:
    await make_member(session)
    now = await clock.now(session)
    campaign = await make_campaign(session, send_before=now + timedelta(hours=1))
    for at in (now, now - timedelta(seconds=1)):
        with pytest.raises(ScheduleInThePastError):
            await launching.launch(session, campaign.id, by=BY, at=at)
    with pytest.raises(InvalidCampaignError, match="send_before"):
        await launching.launch(session, campaign.id, by=BY, at=now + timedelta(hours=1))
    await service.change(session, campaign.id, send_before=now)
    with pytest.raises(InvalidCampaignError, match="send_before"):
        await launching.launch(session, campaign.id, by=BY)


@pytest.mark.parametrize("words", ["x" * 4097, "😀" * 2049, "{{ member.name }}" * 65])
async def test_a_long_text_is_launched_for_it_is_sent_in_parts(session: AsyncSession, words: str) -> None:
    await make_member(session)
    launched = await launching.launch(session, (await make_campaign(session, words=words)).id, by=BY)
    assert launched.status is CampaignStatus.RUNNING


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("{% if member.points > 5 %}many{% endif %}", TemplateProblemsError),
        ("x{{ member.name }}\n\n" * 250, RenderingFailedError),
    ],
    ids=["empty for some", "far too long for the worst name"],
)
async def test_a_message_that_does_not_fit_everybody_is_not_launched(
    session: AsyncSession, words: str, error: type[DomainError]
) -> None:
    await make_member(session)
    campaign = await make_campaign(session, words=words)
    with pytest.raises(error):
        await launching.launch(session, campaign.id, by=BY)
    assert (await service.get(session, campaign.id)).status is CampaignStatus.DRAFT


async def test_an_archived_segment_is_not_launched_to(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    await segments.archive(session, campaign.segment_id)
    with pytest.raises(SegmentArchivedError):
        await launching.launch(session, campaign.id, by=BY)


async def test_a_scheduled_campaign_begins_when_it_is_due(session: AsyncSession, at: At) -> None:
    await make_member(session)
    campaign = await _scheduled(session, at)
    assert campaign.status is CampaignStatus.SCHEDULED
    await at(session, "2026-03-01T11:59:59+08:00")
    assert await launching.start_due(session) == 0
    await make_member(session)
    await at(session, NOON)
    assert await launching.start_due(session) == 1
    assert await launching.start_due(session) == 0
    begun = await service.get(session, campaign.id)
    assert (begun.status, begun.audience_size) == (CampaignStatus.RUNNING, 2), "the audience is that of the start"
    with pytest.raises(AlreadyLaunchedError):
        await launching.launch(session, campaign.id, by=BY)


async def test_a_missed_schedule_is_held_until_someone_confirms(session: AsyncSession, at: At) -> None:
    await make_member(session)
    campaign = await _scheduled(session, at, max_lateness_minutes=30)
    on_time = await _scheduled(session, at, max_lateness_minutes=31)
    await at(session, "2026-03-01T12:30:01+08:00")
    assert [await launching.start_due(session) for _ in range(3)] == [1, 1, 0]
    held = await service.get(session, campaign.id)
    assert (held.status, held.held_reason, held.started_at) == (CampaignStatus.SCHEDULED, "missed", None)
    assert (await service.get(session, on_time.id)).status is CampaignStatus.RUNNING
    confirmed = await launching.launch(session, campaign.id, by="operator:2")
    assert (confirmed.status, confirmed.held_reason) == (CampaignStatus.RUNNING, None)


async def test_what_cannot_begin_is_paused_and_holds_up_nobody(session: AsyncSession, at: At) -> None:
    await make_member(session)
    now = await at(session, MORNING)
    late = await _scheduled(session, at, send_before=now + timedelta(hours=4, minutes=5))
    other = await _scheduled(session, at)
    await at(session, "2026-03-01T12:10:00+08:00")
    assert [await launching.start_due(session) for _ in range(3)] == [1, 1, 0]
    paused = await service.get(session, late.id)
    assert (paused.status, paused.held_reason) == (CampaignStatus.PAUSED, "invalid_window")
    assert (await service.get(session, other.id)).started_at is not None
    assert await launching.start_left_over(session) == 0
    assert (await launching.resume(session, late.id)).status is CampaignStatus.RUNNING
    assert await launching.start_left_over(session) == 1
    assert (await service.get(session, late.id)).status is CampaignStatus.PAUSED
    assert (await launching.cancel(session, late.id)).status is CampaignStatus.CANCELLED


async def test_a_segment_archived_after_the_launch_still_counts(session: AsyncSession, at: At) -> None:
    await make_member(session)
    campaign = await _scheduled(session, at)
    await segments.archive(session, campaign.segment_id)
    await at(session, NOON)
    await launching.start_due(session)
    assert (await service.get(session, campaign.id)).audience_size == 1


async def test_what_a_crash_left_unbegun_begins_later(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    await launching.launch(session, campaign.id, by=BY)
    assert await launching.start_left_over(session) == 1
    assert (await service.get(session, campaign.id)).audience_size == 1
    assert await launching.start_left_over(session) == 0


async def test_a_pause_before_the_start_keeps_it_from_starting(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    await launching.launch(session, campaign.id, by=BY)
    paused = await launching.pause(session, campaign.id)
    assert (paused.status, paused.held_reason) == (CampaignStatus.PAUSED, "operator")
    assert await launching.start(session, campaign.id) is False
    assert await launching.start_left_over(session) == 0
    await launching.resume(session, campaign.id)
    assert await launching.start_left_over(session) == 1


async def test_steps_that_are_not_possible_say_why(session: AsyncSession) -> None:
    await make_member(session)
    campaign = await make_campaign(session)
    for step in (launching.pause, launching.resume, launching.cancel):
        with pytest.raises(NotPossibleNowError, match="that is draft cannot be"):
            await step(session, campaign.id)
    await launching.launch(session, campaign.id, by=BY)
    with pytest.raises(NotPossibleNowError, match="must be paused"):
        await launching.resume(session, campaign.id)
    await launching.cancel(session, campaign.id)
    for step in (launching.pause, launching.resume, launching.cancel):
        with pytest.raises(NotPossibleNowError):
            await step(session, campaign.id)
    with pytest.raises(AlreadyLaunchedError, match="cancelled"):
        await launching.launch(session, campaign.id, by=BY)
    assert await launching.start(session, campaign.id) is False

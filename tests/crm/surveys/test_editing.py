"""Operators define, change, publish and archive surveys."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.surveys import service
from crm.surveys.errors import (
    InvalidSurvey,
    InvalidSurveyKey,
    InvalidSurveyName,
    SurveyArchived,
    SurveyChanged,
    SurveyKeyTaken,
)
from crm.surveys.types import SurveyStatus
from tests.factories.surveys import make_survey, tea_survey


async def test_a_draft_is_published_as_a_version(session: AsyncSession) -> None:
    made = await service.create(session, key="tea", name="Tea", definition=tea_survey())
    assert (made.status, made.published_version, made.has_unpublished_changes) == (SurveyStatus.DRAFT, None, True)
    live = await service.publish(session, made.id)
    assert (live.status, live.published_version, live.has_unpublished_changes) == (SurveyStatus.PUBLISHED, 1, False)
    assert (await service.publish(session, made.id)).published_version == 1
    shorter = {**tea_survey(), "questions": tea_survey()["questions"][4:]}
    changed = await service.change(session, made.id, definition=shorter, name="Tea 2", is_repeatable=True)
    assert (changed.name, changed.is_repeatable, changed.has_unpublished_changes) == ("Tea 2", True, True)
    assert (await service.publish(session, made.id)).published_version == 2


async def test_what_is_wrong_is_refused(session: AsyncSession) -> None:
    made = await make_survey(session)
    with pytest.raises(SurveyKeyTaken):
        await service.create(session, key="tea", name="Tea", definition=tea_survey())
    with pytest.raises(InvalidSurveyKey):
        await service.create(session, key="Tea!", name="Tea", definition=tea_survey())
    with pytest.raises(InvalidSurveyName):
        await service.create(session, key="other", name=" \x00", definition=tea_survey())
    with pytest.raises(InvalidSurvey):
        await service.change(session, made.id, definition={"questions": []})
    with pytest.raises(SurveyChanged):
        await service.change(session, made.id, name="Mine", expected_version=made.version - 1)


async def test_an_archived_survey_is_read_only(session: AsyncSession) -> None:
    made = await make_survey(session)
    await service.archive(session, made.id)
    assert (await service.archive(session, made.id)).status == SurveyStatus.ARCHIVED
    with pytest.raises(SurveyArchived):
        await service.change(session, made.id, name="Tea 2")
    with pytest.raises(SurveyArchived):
        await service.publish(session, made.id)
    assert [found.key for found in await service.listing(session)] == ["tea"]
    assert await service.listing(session, status=SurveyStatus.PUBLISHED) == []


async def test_texts_are_wanted_in_every_language_of_the_brand(session: AsyncSession) -> None:
    await brand.change(session, locales=["en"], default_locale="en")
    definition = {"questions": [{"key": "a", "type": "text", "title": {"en": "Why?"}}]}
    made = await service.create(session, key="en", name="English", definition=definition)
    await brand.change(session, locales=["en", "zh-CN"])
    with pytest.raises(InvalidSurvey, match=r"questions\.0\.title\.zh-CN"):
        await service.publish(session, made.id)

"""Use cases of surveys for operators: define, publish, archive, read the results."""

import re
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.kit.text import clean_name
from crm.surveys import answering, definition, repository, summarising
from crm.surveys.errors import (
    InvalidSurveyKey,
    InvalidSurveyName,
    SurveyArchived,
    SurveyChanged,
    SurveyKeyTaken,
    SurveyNotFound,
)
from crm.surveys.models import SurveyRow, SurveyVersionRow
from crm.surveys.types import Survey, SurveyOffer, SurveyOutcome, SurveyResults, SurveyRun, SurveyStatus

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


async def create(
    session: AsyncSession, *, key: str, name: str, definition: dict[str, Any], is_repeatable: bool = False
) -> Survey:
    """A new draft. `key` names it in links and buttons.

    Raises InvalidSurvey with the path of every problem, InvalidSurveyKey, InvalidSurveyName, SurveyKeyTaken.
    """
    if not _KEY.fullmatch(key):
        raise InvalidSurveyKey
    await _check(session, definition)
    made = upsert(SurveyRow).values(key=key, name=_name(name), draft=definition, is_repeatable=is_repeatable)
    survey_id = (await session.execute(made.on_conflict_do_nothing().returning(SurveyRow.id))).scalar_one_or_none()
    if survey_id is None:
        raise SurveyKeyTaken(f"there is a survey with the key {key} already", key=key)
    return await get(session, survey_id)


async def change(
    session: AsyncSession,
    survey_id: int,
    *,
    name: str | None = None,
    definition: dict[str, Any] | None = None,
    is_repeatable: bool | None = None,
    expected_version: int | None = None,
) -> Survey:
    """Change the draft; members see a new definition when it is published again, running responses never.

    Raises SurveyNotFound, SurveyArchived, SurveyChanged, InvalidSurvey, InvalidSurveyName.
    """
    row = await _locked(session, survey_id)
    if expected_version is not None and row.version != expected_version:
        raise SurveyChanged(version=row.version)
    values: dict[str, Any] = {"version": row.version + 1, "changed_at": await clock.now(session)}
    if name is not None:
        values["name"] = _name(name)
    if definition is not None:
        await _check(session, definition)
        values["draft"] = definition
    if is_repeatable is not None:
        values["is_repeatable"] = is_repeatable
    await session.execute(update(SurveyRow).where(SurveyRow.id == survey_id).values(**values))
    return await get(session, survey_id)


async def publish(session: AsyncSession, survey_id: int) -> Survey:
    """Let members answer the draft as a new version; the same draft again changes nothing.

    Raises SurveyNotFound, SurveyArchived, InvalidSurvey (the brand's languages may have changed meanwhile).
    """
    row = await _locked(session, survey_id)
    await _check(session, row.draft)
    if not repository.is_published(row, await repository.definition(session, survey_id, row.published_version)):
        version = (row.published_version or 0) + 1
        now = await clock.now(session)
        await session.execute(
            insert(SurveyVersionRow).values(
                survey_id=survey_id, version=version, definition=row.draft, published_at=now
            )
        )
        await session.execute(
            update(SurveyRow)
            .where(SurveyRow.id == survey_id)
            .values(status=SurveyStatus.PUBLISHED, published_version=version, version=row.version + 1, changed_at=now)
        )
    return await get(session, survey_id)


async def archive(session: AsyncSession, survey_id: int) -> Survey:
    """Close the survey; its answers stay. Harmless to repeat. Raises SurveyNotFound."""
    if (await get(session, survey_id)).status != SurveyStatus.ARCHIVED:
        row = await _locked(session, survey_id)
        values = {"status": SurveyStatus.ARCHIVED, "version": row.version + 1, "changed_at": await clock.now(session)}
        await session.execute(update(SurveyRow).where(SurveyRow.id == survey_id).values(**values))
    return await get(session, survey_id)


async def get(session: AsyncSession, survey_id: int) -> Survey:
    """One survey. Raises SurveyNotFound."""
    return await repository.survey(session, SurveyRow.id == survey_id)


async def find(session: AsyncSession, key: str) -> Survey:
    """The survey with that key. Raises SurveyNotFound."""
    return await repository.survey(session, SurveyRow.key == key)


async def listing(session: AsyncSession, *, status: SurveyStatus | None = None) -> list[Survey]:
    """Surveys, newest first."""
    return await repository.surveys(session, *([] if status is None else [SurveyRow.status == status]))


async def results(session: AsyncSession, survey_id: int) -> SurveyResults:
    """Counts per option, averages and NPS over finished responses. Raises SurveyNotFound."""
    return await summarising.results(session, await get(session, survey_id))


async def open_for(session: AsyncSession, member_id: int) -> list[SurveyOffer]:
    """Published surveys that the member can answer now, those already started first, then newest first."""
    return await answering.open_for(session, member_id)


async def open_run(session: AsyncSession, member_id: int, survey: int | str) -> SurveyRun:
    """Begin the survey (id or key) or go on where the member left it, on the version that was begun.

    Raises SurveyNotFound, SurveyNotOpen, AlreadyAnswered.
    """
    found = await (get(session, survey) if isinstance(survey, int) else find(session, survey))
    return await answering.open_run(session, member_id, found)


async def record_answer(
    session: AsyncSession, member_id: int, response_id: int, question_key: str, value: Any
) -> str | None:
    """Store the answer (None skips) and answer the key of the next question, None at the end.

    A question that was answered before may be answered anew. Raises InvalidAnswer, QuestionNotOpen, ResponseFinished,
    ResponseNotFound, ResponseNotYours.
    """
    return await answering.record_answer(session, member_id, response_id, question_key, value)


async def complete(session: AsyncSession, member_id: int, response_id: int) -> SurveyOutcome:
    """Finish the response: tags, points, event, once. Raises SurveyUnfinished, ResponseNotFound, ResponseNotYours."""
    return await answering.complete(session, member_id, response_id)


def _name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidSurveyName
    return cleaned


async def _check(session: AsyncSession, data: dict[str, Any]) -> None:
    definition.check(data, (await brand.get(session)).locales)


async def _locked(session: AsyncSession, survey_id: int) -> SurveyRow:
    query = select(SurveyRow).where(SurveyRow.id == survey_id).with_for_update()
    row = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        raise SurveyNotFound(survey_id=survey_id)
    if row.status == SurveyStatus.ARCHIVED:
        raise SurveyArchived(survey_id=survey_id)
    return row

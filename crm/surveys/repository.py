"""Statements of surveys."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.surveys.errors import SurveyNotFound
from crm.surveys.models import AnswerRow, ResponseRow, SurveyRow, SurveyVersionRow
from crm.surveys.types import Question, Survey, SurveyStatus

TEXT = "survey_answers.text"
_PUBLISHED = and_(SurveyVersionRow.survey_id == SurveyRow.id, SurveyVersionRow.version == SurveyRow.published_version)


async def surveys(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Survey]:
    """Surveys that fit, newest first."""
    query = select(SurveyRow, SurveyVersionRow.definition).outerjoin(SurveyVersionRow, _PUBLISHED)
    query = query.where(*conditions).order_by(SurveyRow.id.desc()).execution_options(populate_existing=True)
    return [
        Survey(
            id=row.id,
            key=row.key,
            name=row.name,
            status=SurveyStatus(row.status),
            is_repeatable=row.is_repeatable,
            definition=row.draft,
            published_version=row.published_version,
            has_unpublished_changes=not is_published(row, published),
            version=row.version,
            created_at=row.created_at,
            changed_at=row.changed_at,
        )
        for row, published in await session.execute(query)
    ]


async def survey(session: AsyncSession, condition: ColumnElement[bool]) -> Survey:
    """The one survey that fits. Raises SurveyNotFound."""
    found = await surveys(session, condition)
    if not found:
        raise SurveyNotFound
    return found[0]


def is_published(row: SurveyRow, published: dict[str, Any] | None) -> bool:
    """Whether members see what the draft says."""
    return row.published_version is not None and row.draft == published


async def definition(session: AsyncSession, survey_id: int, version: int | None) -> dict[str, Any] | None:
    """What that version asked."""
    query = select(SurveyVersionRow.definition)
    query = query.where(SurveyVersionRow.survey_id == survey_id, SurveyVersionRow.version == version)
    return (await session.scalars(query)).one_or_none()


async def answers(session: AsyncSession, response_id: int) -> dict[str, Any]:
    """The answers of a response by question."""
    query = select(AnswerRow.question, AnswerRow.value, AnswerRow.text_sealed)
    rows = await session.execute(query.where(AnswerRow.response_id == response_id))
    return {row.question: _opened(session, response_id, row) for row in rows}


def stored(session: AsyncSession, response_id: int, question: Question, answer: Any) -> dict[str, Any]:
    """The columns of an answer: a member's own words are sealed, what was chosen is plain."""
    if answer is None:
        return {"value": JSON.NULL, "text_sealed": None}
    if question.type != "text":
        return {"value": answer, "text_sealed": None}
    return {"value": {}, "text_sealed": vault(session).seal(answer, _place(response_id, question.key))}


async def latest_texts(session: AsyncSession, survey_id: int, question: str, *, limit: int) -> list[str]:
    """What members of finished responses wrote, the newest first."""
    query = (
        select(AnswerRow.response_id, AnswerRow.text_sealed)
        .join(ResponseRow, ResponseRow.id == AnswerRow.response_id)
        .where(AnswerRow.survey_id == survey_id, AnswerRow.question == question, AnswerRow.text_sealed.is_not(None))
        .where(ResponseRow.completed_at.is_not(None))
        .order_by(AnswerRow.answered_at.desc(), AnswerRow.response_id.desc())
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    return [vault(session).open(row.text_sealed, _place(row.response_id, question)) for row in rows]


def _opened(session: AsyncSession, response_id: int, row: Any) -> Any:
    if row.text_sealed is None:
        return row.value
    return vault(session).open(row.text_sealed, _place(response_id, row.question))


def _place(response_id: int, question: str) -> str:
    return f"{TEXT}:{response_id}:{question}"

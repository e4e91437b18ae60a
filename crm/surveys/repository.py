"""Statements of surveys."""

from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.surveys.errors import SurveyNotFound
from crm.surveys.models import AnswerRow, SurveyRow, SurveyVersionRow
from crm.surveys.types import Survey, SurveyStatus

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
    query = select(AnswerRow.question, AnswerRow.value).where(AnswerRow.response_id == response_id)
    return {row.question: row.value for row in await session.execute(query)}

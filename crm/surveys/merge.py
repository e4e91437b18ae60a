"""Joining the survey responses of two profiles."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.surveys.models import AnswerRow, ResponseRow, SurveyRow


class SurveysMerge:
    """Responses of the dropped profile go over, unless the kept one has answered the same survey.

    Of a survey that may be repeated all go over, as earlier attempts.
    """

    name = "surveys"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers which responses were moved, with the attempt that each one was."""
        kept = await _responses(session, keep_id)
        taken = {survey_id: attempt for _, survey_id, attempt, _ in kept}
        moved = []
        for response_id, survey_id, attempt, is_repeatable in await _responses(session, drop_id):
            if survey_id in taken and not is_repeatable:
                continue
            taken[survey_id] = taken.get(survey_id, 0) + 1
            await _move(session, response_id, keep_id, taken[survey_id])
            moved.append([response_id, attempt])
        return {"moved": moved}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move back those responses that are still there."""
        there = {response_id for response_id, *_ in await _responses(session, keep_id)}
        for response_id, attempt in record["moved"]:
            if response_id in there:
                await _move(session, response_id, drop_id, attempt)


async def _responses(session: AsyncSession, member_id: int) -> list[tuple[int, int, int, bool]]:
    query = (
        select(ResponseRow.id, ResponseRow.survey_id, ResponseRow.attempt, SurveyRow.is_repeatable)
        .join(SurveyRow, SurveyRow.id == ResponseRow.survey_id)
        .where(ResponseRow.member_id == member_id)
        .order_by(ResponseRow.survey_id, ResponseRow.attempt)
    )
    return [(row.id, row.survey_id, row.attempt, row.is_repeatable) for row in await session.execute(query)]


async def _move(session: AsyncSession, response_id: int, member_id: int, attempt: int) -> None:
    own = ResponseRow.id == response_id
    await session.execute(update(ResponseRow).where(own).values(member_id=member_id, attempt=attempt))
    await session.execute(update(AnswerRow).where(AnswerRow.response_id == response_id).values(member_id=member_id))


surveys_merge = SurveysMerge()

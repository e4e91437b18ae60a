"""A member's way through a survey: begun once, resumed, finished once."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import SurveyCompleted, SurveyStarted
from crm.points import service as points
from crm.points.types import spendable, waiting
from crm.surveys import policy, repository
from crm.surveys.definition import load
from crm.surveys.errors import (
    AlreadyAnswered,
    InvalidAnswer,
    QuestionNotOpen,
    ResponseFinished,
    ResponseNotFound,
    ResponseNotYours,
    SurveyNotOpen,
    SurveyUnfinished,
)
from crm.surveys.models import AnswerRow, ResponseRow, SurveyRow
from crm.surveys.question_types import question_types
from crm.surveys.types import Definition, Question, Survey, SurveyOffer, SurveyOutcome, SurveyRun, SurveyStatus
from crm.tags import service as tags

_TAG_SOURCE = "survey"


async def open_for(session: AsyncSession, member_id: int) -> list[SurveyOffer]:
    """See `crm.surveys.service.open_for`."""
    last = (
        select(ResponseRow.survey_id, ResponseRow.completed_at)
        .where(ResponseRow.member_id == member_id)
        .ext(distinct_on(ResponseRow.survey_id))
        .order_by(ResponseRow.survey_id, ResponseRow.attempt.desc())
        .subquery("last")
    )
    query = (
        select(SurveyRow.id, SurveyRow.key, SurveyRow.name, last.c.survey_id, last.c.completed_at)
        .outerjoin(last, last.c.survey_id == SurveyRow.id)
        .where(SurveyRow.status == SurveyStatus.PUBLISHED)
        .where(SurveyRow.is_repeatable | last.c.completed_at.is_(None))
        .order_by(SurveyRow.id.desc())
    )
    offers = [
        SurveyOffer(row.id, row.key, row.name, row.survey_id is not None and row.completed_at is None)
        for row in await session.execute(query)
    ]
    return sorted(offers, key=lambda offer: not offer.is_started)


async def open_run(session: AsyncSession, member_id: int, survey: Survey) -> SurveyRun:
    """See `crm.surveys.service.open_run`."""
    if survey.status != SurveyStatus.PUBLISHED:
        raise SurveyNotOpen(survey_id=survey.id)
    last = await _last(session, member_id, survey.id)
    is_new = last is None or last.completed_at is not None
    if last is not None and is_new and not survey.is_repeatable:
        raise AlreadyAnswered(survey_id=survey.id)
    row = last if last is not None and not is_new else await _begin(session, member_id, survey, last)
    definition = await _definition(session, row)
    return SurveyRun(
        response_id=row.id,
        survey_id=survey.id,
        key=survey.key,
        version=row.version,
        is_new=is_new,
        questions=definition.questions,
        answers=await repository.answers(session, row.id),
        intro=definition.intro,
        thanks=definition.thanks,
    )


async def record_answer(
    session: AsyncSession, member_id: int, response_id: int, question_key: str, value: Any
) -> str | None:
    """See `crm.surveys.service.record_answer`."""
    row = await _locked(session, member_id, response_id)
    if row.completed_at is not None:
        raise ResponseFinished(response_id=response_id)
    questions = (await _definition(session, row)).questions
    given = await repository.answers(session, response_id)
    asked = {question.key: question for question in policy.walk(questions, given)}
    if question_key not in asked:
        raise QuestionNotOpen(question=question_key, next=policy.next_question(questions, given))
    question = asked[question_key]
    answer = read(question, value)
    await _store(session, row, question, answer)
    return policy.next_question(questions, {**given, question_key: answer})


async def complete(session: AsyncSession, member_id: int, response_id: int) -> SurveyOutcome:
    """See `crm.surveys.service.complete`."""
    row = await _locked(session, member_id, response_id)
    if row.completed_at is not None:
        return SurveyOutcome(0, await points.balance(session, member_id), row.nps, is_new=False)
    questions = (await _definition(session, row)).questions
    given = await repository.answers(session, response_id)
    left = policy.next_question(questions, given)
    if left is not None:
        raise SurveyUnfinished(question=left)
    await _drop_strays(session, response_id, [question.key for question in policy.walk(questions, given)])
    nps = policy.nps_of(questions, given)
    finished = {"completed_at": await clock.now(session), "nps": nps}
    await session.execute(update(ResponseRow).where(ResponseRow.id == response_id).values(**finished))
    for tag in policy.tags_for(questions, given):
        await tags.add(session, member_id, tag, source=_TAG_SOURCE, source_ref=str(row.survey_id))
    fact = SurveyCompleted(member_id=member_id, survey_id=row.survey_id, response_id=response_id, nps=nps)
    awards = await points.award(session, await events.publish(session, fact))
    balance = await points.balance(session, member_id)
    return SurveyOutcome(spendable(awards), balance, nps, is_new=True, pending=waiting(awards))


def read(question: Question, value: Any) -> Any:
    """The answer as it is stored. Raises InvalidAnswer."""
    if value is None:
        if question.is_required:
            raise InvalidAnswer("this question needs an answer")
        return None
    return question_types()[question.type].read(question, value)


async def _begin(session: AsyncSession, member_id: int, survey: Survey, last: ResponseRow | None) -> ResponseRow:
    values = {
        "survey_id": survey.id,
        "version": survey.published_version,
        "member_id": member_id,
        "attempt": 1 if last is None else last.attempt + 1,
        "started_at": await clock.now(session),
    }
    made = upsert(ResponseRow).values(**values).on_conflict_do_nothing().returning(ResponseRow.id)
    response_id = (await session.execute(made)).scalar_one_or_none()
    if response_id is not None:
        fact = SurveyStarted(member_id=member_id, survey_id=survey.id, response_id=response_id)
        await events.publish(session, fact)
    row = await _last(session, member_id, survey.id)
    assert row is not None
    return row


async def _last(session: AsyncSession, member_id: int, survey_id: int) -> ResponseRow | None:
    query = (
        select(ResponseRow)
        .where(ResponseRow.member_id == member_id, ResponseRow.survey_id == survey_id)
        .order_by(ResponseRow.attempt.desc())
        .limit(1)
    )
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def _locked(session: AsyncSession, member_id: int, response_id: int) -> ResponseRow:
    query = select(ResponseRow).where(ResponseRow.id == response_id).with_for_update()
    row = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        raise ResponseNotFound(response_id=response_id)
    if row.member_id != member_id:
        raise ResponseNotYours(response_id=response_id)
    return row


async def _definition(session: AsyncSession, row: ResponseRow) -> Definition:
    found = await repository.definition(session, row.survey_id, row.version)
    assert found is not None
    return load(found)


async def _store(session: AsyncSession, row: ResponseRow, question: Question, answer: Any) -> None:
    values = {**repository.stored(session, row.id, question, answer), "answered_at": await clock.now(session)}
    own = {"response_id": row.id, "question": question.key, "survey_id": row.survey_id, "member_id": row.member_id}
    statement = upsert(AnswerRow).values(**own, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["response_id", "question"], set_=values))


async def _drop_strays(session: AsyncSession, response_id: int, on_the_way: list[str]) -> None:
    """An answer that was changed may have led another way; what was said on the first one does not count."""
    strays = (AnswerRow.response_id == response_id, AnswerRow.question.not_in(on_the_way))
    await session.execute(delete(AnswerRow).where(*strays))

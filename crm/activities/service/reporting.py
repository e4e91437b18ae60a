"""How an activity went: who registered, who came, and what those who came said."""

from sqlalchemy import Numeric, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import repository
from crm.activities.models import RegistrationRow
from crm.activities.types import Activity, QuestionAverage, Registration, RegistrationStatus, Report
from crm.db import clock
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.surveys import service as surveys
from crm.surveys.views import answers, responses

_RATED = ("rating", "nps")


async def report(session: AsyncSession, activity_id: int) -> Report:
    """Raises ActivityNotFound."""
    activity = await repository.activity(session, activity_id)
    counts = activity.counts
    is_over = await clock.now(session) >= activity.terms.ends_at
    answered, feedback = await _feedback(session, activity)
    return Report(
        registered=counts.registered,
        cancelled=counts.cancelled,
        waiting=counts.waiting,
        attended=counts.attended,
        missed=counts.registered - counts.attended if is_over else 0,
        answered=answered,
        feedback=feedback,
    )


async def participants(
    session: AsyncSession,
    activity_id: int,
    *,
    status: RegistrationStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Registration]:
    """Registrations in the order in which they were made. Raises ActivityNotFound, InvalidCursor, InvalidLimit."""
    check_limit(limit)
    await repository.activity(session, activity_id)
    query = repository.REGISTRATIONS.where(RegistrationRow.activity_id == activity_id).order_by(RegistrationRow.id)
    if status is not None:
        query = query.where(RegistrationRow.status == status)
    if cursor is not None:
        query = query.where(RegistrationRow.id > decode_cursor(cursor, int)[0])
    rows = (await session.execute(query.limit(limit + 1))).all()
    return page_of(rows, limit, repository.as_registration, lambda row: (row.id,))


async def _feedback(session: AsyncSession, activity: Activity) -> tuple[int, list[QuestionAverage]]:
    survey_id = activity.terms.survey_id
    if survey_id is None:
        return 0, []
    own = (RegistrationRow.activity_id == activity.id, RegistrationRow.status == RegistrationStatus.ATTENDED)
    came = select(RegistrationRow.member_id).where(*own)
    since = (responses.c.survey_id == survey_id, responses.c.completed_at >= activity.terms.starts_at)
    done = select(responses.c.id).where(*since, responses.c.member_id.in_(came))
    answered = (await session.execute(select(func.count()).select_from(done.subquery()))).scalar_one()
    asked = (await surveys.get(session, survey_id)).definition.get("questions", [])
    titles = {item["key"]: item["title"] for item in asked if item.get("type") in _RATED}
    said = cast(cast(answers.c.value, Text), Numeric)
    is_number = (func.jsonb_typeof(answers.c.value) == "number", answers.c.question.in_(titles))
    query = select(answers.c.question, func.count().label("many"), func.avg(said).label("average"))
    rows = await session.execute(query.where(answers.c.response_id.in_(done), *is_number).group_by(answers.c.question))
    found = {row.question: row for row in rows}
    feedback = [
        QuestionAverage(key, title, found[key].many, round(float(found[key].average), 2))
        for key, title in titles.items()
        if key in found
    ]
    return answered, feedback

"""Use cases of journeys: make, change, activate, pause, archive, look at."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.journeys import waiting
from crm.journeys.contents import content, graph_json
from crm.journeys.errors import GraphProblem, InvalidJourneyError, JourneyNotFoundError, JourneyNotPossibleNowError
from crm.journeys.models import EnrollmentRow, JourneyRow, VersionRow
from crm.journeys.registry import problems
from crm.journeys.triggers import TRIGGER, AnyTrigger
from crm.journeys.types import Enrollment, Graph, Journey, JourneyCounts, JourneyStatus
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.kit.text import clean_text
from crm.messages.content import button_at
from crm.messages.types import ButtonSpec

_MAX_NAME = 120
_SHOWN = [EnrollmentRow.__table__.c[item.name] for item in fields(Enrollment)]


async def create(session: AsyncSession, *, name: str, trigger: AnyTrigger, graph: Graph) -> Journey:
    """Make a draft. Raises InvalidJourneyError, which names every fault with its path."""
    await _check(session, trigger, graph)
    made = await session.execute(insert(JourneyRow).values(name=_name(name)).returning(JourneyRow.id))
    journey_id = made.scalar_one()
    await add_version(session, journey_id, 1, trigger, graph)
    return await get(session, journey_id)


async def change(
    session: AsyncSession,
    journey_id: int,
    *,
    name: str | None = None,
    trigger: AnyTrigger | None = None,
    graph: Graph | None = None,
) -> Journey:
    """Change a journey; a changed graph or trigger makes a new version, members on their way keep theirs."""
    journey = await _locked(session, journey_id)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _name(name)
    if trigger is not None or graph is not None:
        trigger, graph = trigger or journey.trigger, graph or journey.graph
        await _check(session, trigger, graph)
        values["version"] = journey.version + 1
        await add_version(session, journey_id, journey.version + 1, trigger, graph)
    if values:
        await session.execute(update(JourneyRow).where(JourneyRow.id == journey_id).values(values))
    if "version" in values:
        await waiting.renew(session)
    return await get(session, journey_id)


async def activate(session: AsyncSession, journey_id: int) -> Journey:
    """Take in members from now on, and move those who wait. Raises JourneyNotPossibleNowError."""
    journey = await _locked(session, journey_id)
    if journey.is_archived:
        raise JourneyNotPossibleNowError("The journey is archived; bring it back before activating it.")
    if journey.status is JourneyStatus.ACTIVE:
        raise JourneyNotPossibleNowError("The journey is active already.")
    await _check(session, journey.trigger, journey.graph)
    values = {"status": JourneyStatus.ACTIVE, "activated_at": journey.activated_at or await clock.now(session)}
    await session.execute(update(JourneyRow).where(JourneyRow.id == journey_id).values(values))
    await waiting.renew(session)
    return await get(session, journey_id)


async def pause(session: AsyncSession, journey_id: int) -> Journey:
    """Take nobody in and move nobody; those on their way wait. Raises JourneyNotPossibleNowError."""
    journey = await _locked(session, journey_id)
    if journey.status is not JourneyStatus.ACTIVE:
        raise JourneyNotPossibleNowError("Only an active journey can be paused.")
    await session.execute(update(JourneyRow).where(JourneyRow.id == journey_id).values(status=JourneyStatus.PAUSED))
    await waiting.renew(session)
    return await get(session, journey_id)


async def archive(session: AsyncSession, journey_id: int, *, is_archived: bool = True) -> Journey:
    """Take a journey that is not active out of the lists, or bring it back."""
    journey = await _locked(session, journey_id)
    if journey.status is JourneyStatus.ACTIVE:
        raise JourneyNotPossibleNowError("Pause the journey before archiving it.")
    at = await clock.now(session) if is_archived else None
    await session.execute(update(JourneyRow).where(JourneyRow.id == journey_id).values(archived_at=at))
    return await get(session, journey_id)


async def get(session: AsyncSession, journey_id: int) -> Journey:
    """One journey in its current version. Raises JourneyNotFoundError."""
    return await _found(session, _journeys().where(JourneyRow.id == journey_id))


async def listing(
    session: AsyncSession, *, with_archived: bool = False, cursor: str | None = None, limit: int = 50
) -> Page[Journey]:
    """Journeys, newest first."""
    query = _journeys().order_by(JourneyRow.id.desc()).limit(check_limit(limit) + 1)
    if not with_archived:
        query = query.where(JourneyRow.archived_at.is_(None))
    if cursor:
        (before,) = decode_cursor(cursor, int)
        query = query.where(JourneyRow.id < before)
    return page_of((await session.execute(query)).all(), limit, journey_of, lambda row: (row.id,))


async def active(session: AsyncSession) -> list[Journey]:
    """Every journey that takes in members."""
    rows = await session.execute(_journeys().where(JourneyRow.status == JourneyStatus.ACTIVE))
    return [journey_of(row) for row in rows]


async def counts(session: AsyncSession, journey_id: int) -> JourneyCounts:
    """How many entered, are on their way, and ended how."""
    query = select(EnrollmentRow.outcome, func.count()).where(EnrollmentRow.journey_id == journey_id)
    rows = (await session.execute(query.group_by(EnrollmentRow.outcome))).all()
    ended = {outcome: number for outcome, number in rows if outcome is not None}
    active_now = sum(number for outcome, number in rows if outcome is None)
    return JourneyCounts(active_now + sum(ended.values()), active_now, ended)


async def enrollments(
    session: AsyncSession, journey_id: int, *, cursor: str | None = None, limit: int = 50
) -> Page[Enrollment]:
    """Members of a journey, the latest first."""
    query = select(*_SHOWN).where(EnrollmentRow.journey_id == journey_id)
    query = query.order_by(EnrollmentRow.id.desc()).limit(check_limit(limit) + 1)
    if cursor:
        (before,) = decode_cursor(cursor, int)
        query = query.where(EnrollmentRow.id < before)
    return page_of((await session.execute(query)).all(), limit, lambda row: Enrollment(*row), lambda row: (row.id,))


async def graph_of(session: AsyncSession, journey_id: int, version: int) -> Graph:
    """The graph of one version. Raises JourneyNotFoundError."""
    return Graph.model_validate(await graph_json(session, journey_id, version))


async def tapped_button(session: AsyncSession, source_id: str, place: str) -> ButtonSpec | None:
    """The button that a tap names by its place (`row.column`); None when there is no such one, for taps are forged."""
    try:
        return button_at(await content(session, source_id), place)
    except JourneyNotFoundError:
        return None


async def _locked(session: AsyncSession, journey_id: int) -> Journey:
    """The journey, once nobody else changes it. Raises JourneyNotFoundError."""
    await session.execute(select(JourneyRow.id).where(JourneyRow.id == journey_id).with_for_update())
    return await get(session, journey_id)


async def _found(session: AsyncSession, query: Select[Any]) -> Journey:
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise JourneyNotFoundError
    return journey_of(row)


async def _check(session: AsyncSession, trigger: AnyTrigger, graph: Graph) -> None:
    found = await problems(session, graph, trigger)
    if found:
        raise InvalidJourneyError(found)


async def add_version(session: AsyncSession, journey_id: int, version: int, trigger: AnyTrigger, graph: Graph) -> None:
    """Store what a journey does in one version, as it is."""
    await session.execute(
        insert(VersionRow).values(
            journey_id=journey_id,
            version=version,
            trigger=trigger.model_dump(mode="json"),
            graph=graph.model_dump(mode="json"),
        )
    )


def _journeys() -> Select[Any]:
    joined = select(*JourneyRow.__table__.c, VersionRow.trigger, VersionRow.graph)
    return joined.join(
        VersionRow, (VersionRow.journey_id == JourneyRow.id) & (VersionRow.version == JourneyRow.version)
    )


def journey_of(row: Row[Any]) -> Journey:
    """A row of a journey with its current version."""
    return Journey(
        id=row.id,
        name=row.name,
        trigger=TRIGGER.validate_python(row.trigger),
        graph=Graph.model_validate(row.graph),
        status=JourneyStatus(row.status),
        version=row.version,
        is_archived=row.archived_at is not None,
        created_at=row.created_at,
        activated_at=row.activated_at,
        shipped_key=row.shipped_key,
    )


def _name(name: str) -> str:
    cleaned = " ".join(clean_text(name).split())
    if not cleaned or len(cleaned) > _MAX_NAME:
        raise InvalidJourneyError([GraphProblem("name", f"A journey needs a name of 1 to {_MAX_NAME} characters.")])
    return cleaned

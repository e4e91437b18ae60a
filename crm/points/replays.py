"""Use cases of replays: try a rule on the past days, look at what came out, stop it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.views import events
from crm.jobs.service import enqueue
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.kit.spreadsheets import BOM, line
from crm.points import earning_rules
from crm.points.checking import RuleText
from crm.points.errors import InvalidReplay, ReplayEnded, ReplayNotFound, ReplaysBusy
from crm.points.kinds import kind_named
from crm.points.models import EarningReplayMemberRow, EarningReplayRow
from crm.points.replay_types import MAX_DAYS, Replay, ReplayMember, ReplayStatus

JOB = "points.replay"
_MOST_OPEN, _AT_ONCE = 5, 1000
_KEPT = timedelta(days=30)
_MEMBER = EarningReplayMemberRow
_ROW = EarningReplayRow
_OPEN = _ROW.status.in_([status for status in ReplayStatus if status.is_open])


async def start(session: AsyncSession, text: RuleText, *, days: int, by: str, rule_id: int | None = None) -> Replay:
    """Try the rule on the events of the past `days` (1 to 366), in place of rule `rule_id` or beside all others.

    Raises InvalidReplay, ReplaysBusy, RuleNotFound, and what an earning rule raises when it is saved.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidReplay(f"days: a replay looks back from 1 to {MAX_DAYS} days", problems={"days": "1 to 366"})
    draft = await earning_rules.draft(session, text, rule_id)
    kind = kind_named(draft.kind)
    if kind.event is None:
        raise InvalidReplay("kind: what is given by hand reacts to no event, so there is nothing to replay")
    open_ones = await session.execute(select(func.count()).select_from(_ROW).where(_OPEN))
    if open_ones.scalar_one() >= _MOST_OPEN:
        raise ReplaysBusy
    until = await clock.now(session)
    span = (until - timedelta(days=days), until)
    values = {
        "rule_id": rule_id,
        "draft": _written(text),
        "from_at": span[0],
        "until_at": span[1],
        "status": ReplayStatus.QUEUED.value,
        "total_events": await _count(session, kind.event.kind, span),
        "created_by": by,
    }
    made = await session.execute(insert(_ROW).values(**values).returning(_ROW.id))
    replay_id = made.scalar_one()
    await enqueue(session, JOB, {"replay_id": replay_id}, key=f"{JOB}:{replay_id}")
    return await get(session, replay_id)


async def get(session: AsyncSession, replay_id: int) -> Replay:
    """One replay. Raises ReplayNotFound."""
    query = select(_ROW).where(_ROW.id == replay_id).execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        raise ReplayNotFound(replay_id=replay_id)
    return replay_of(row)


async def listing(session: AsyncSession, *, rule_id: int | None = None, limit: int = 50) -> list[Replay]:
    """The newest replays, of one rule or of all."""
    query = select(_ROW).order_by(_ROW.id.desc()).limit(limit).execution_options(populate_existing=True)
    if rule_id is not None:
        query = query.where(_ROW.rule_id == rule_id)
    return [replay_of(row) for row in await session.scalars(query)]


async def cancel(session: AsyncSession, replay_id: int) -> Replay:
    """Stop a replay that waits or runs. Raises ReplayNotFound, ReplayEnded."""
    ending = {"status": ReplayStatus.CANCELLED.value, "finished_at": await clock.now(session)}
    change = update(_ROW).where(_ROW.id == replay_id, _OPEN).values(**ending).returning(_ROW.id)
    if (await session.execute(change)).scalar_one_or_none() is None:
        await get(session, replay_id)
        raise ReplayEnded(replay_id=replay_id)
    await session.execute(delete(_MEMBER).where(_MEMBER.replay_id == replay_id))
    return await get(session, replay_id)


async def members(
    session: AsyncSession, replay_id: int, *, cursor: str | None = None, limit: int = 50
) -> Page[ReplayMember]:
    """Who would have earned what, by id; kept for a month. Raises ReplayNotFound, InvalidCursor, InvalidLimit."""
    check_limit(limit)
    await get(session, replay_id)
    found = await _members(session, replay_id, decode_cursor(cursor, int)[0] if cursor else 0, limit + 1)
    return page_of(found, limit, lambda one: one, lambda one: (one.member_id,))


async def as_csv(session: AsyncSession, replay_id: int) -> AsyncIterator[str]:
    """The same as lines of a CSV."""
    yield BOM + line(("member_id", "live", "draft", "difference"))
    last = 0
    while found := await _members(session, replay_id, last, _AT_ONCE):
        yield "".join(_line(one) for one in found)
        last = found[-1].member_id


def _line(one: ReplayMember) -> str:
    return line([str(number) for number in (one.member_id, one.live, one.draft, one.draft - one.live)])


async def forget_old(session: AsyncSession) -> int:
    """Remove what members would have got by replays that ended a month ago; their sums stay. Answers how many."""
    ended = select(_ROW.id).where(_ROW.finished_at < await clock.now(session) - _KEPT)
    gone = await session.execute(delete(_MEMBER).where(_MEMBER.replay_id.in_(ended)).returning(_MEMBER.member_id))
    return len(gone.all())


async def _members(session: AsyncSession, replay_id: int, after: int, limit: int) -> list[ReplayMember]:
    own = (_MEMBER.replay_id == replay_id, _MEMBER.member_id > after)
    query = select(_MEMBER.member_id, _MEMBER.live, _MEMBER.draft).where(*own, (_MEMBER.live > 0) | (_MEMBER.draft > 0))
    return [ReplayMember(*row) for row in await session.execute(query.order_by(_MEMBER.member_id).limit(limit))]


def text_of(draft: Mapping[str, Any]) -> RuleText:
    """The rule as it was written when the replay began."""
    bounds = {name: draft[name] and datetime.fromisoformat(draft[name]) for name in ("valid_from", "valid_until")}
    return RuleText(draft["kind"], draft["name"], draft["parameters"], **bounds, terms=draft["terms"])


def replay_of(row: EarningReplayRow) -> Replay:
    """The public value of a row."""
    names = {column.name for column in _ROW.__table__.c} - {"state", "status"}
    return Replay(**{name: getattr(row, name) for name in names}, status=ReplayStatus(row.status))


def _written(text: RuleText) -> dict[str, Any]:
    bounds = {name: value.isoformat() if value else None for name, value in _bounds(text).items()}
    return {**asdict(text), "parameters": dict(text.parameters), "terms": dict(text.terms or {}), **bounds}


def _bounds(text: RuleText) -> dict[str, datetime | None]:
    return {"valid_from": text.valid_from, "valid_until": text.valid_until}


async def _count(session: AsyncSession, kind: str, span: tuple[datetime, datetime]) -> int:
    inside = (events.c.kind == kind, events.c.occurred_at >= span[0], events.c.occurred_at < span[1])
    query = select(func.count()).select_from(events).where(*inside, events.c.member_id.is_not(None))
    return int((await session.execute(query)).scalar_one())

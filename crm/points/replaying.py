"""Working a replay off: batches of the event log in order of time, each in a transaction of its own.

Two worlds meet the same events: the rules that are live now, and the same with the draft. Every batch keeps what it
reckoned in rows, so that memory does not grow with the log and a crash loses one batch. Profiles are those of today.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.db.session import Sessions
from crm.events.catalogue import CATALOGUE
from crm.events.types import RecordedEvent
from crm.events.views import events
from crm.kit.errors import DomainError
from crm.members.views import members
from crm.points import breakage, deciding, earning_rules, replays, simulating
from crm.points.facts import Situation
from crm.points.kinds import kind_named, kinds_for
from crm.points.models import EarningReplayMemberRow, EarningReplayRow
from crm.points.replay_types import ReplayStatus
from crm.points.simulating import Tally, World
from crm.points.types import EarningRule
from crm.profiles import service as profiles
from crm.profiles.types import Profile

BATCH = 500
_TOP = 50
_NEWEST = 2**62
"""Number of a rule that has none yet: all others are older."""
_MEMBER = EarningReplayMemberRow
_WORLDS = ("live", "draft")


@dataclass
class _Member:
    """What a member got in each world, and their counters."""

    points: dict[str, int]
    tallies: dict[str, Tally]


@dataclass(frozen=True)
class _Batch:
    """Everything that a batch needs, read before it is reckoned."""

    kind: str
    events: list[RecordedEvent]
    profiles: dict[int, Profile]
    birthdays: dict[int, date | None]
    members: dict[int, _Member]
    zone: ZoneInfo


async def run(sessions: Sessions, replay_id: int) -> None:
    """Work the whole replay off; after a crash it goes on behind the last batch that was committed."""
    while True:
        async with sessions.begin() as session:
            row = await session.get(EarningReplayRow, replay_id, with_for_update=True)
            if row is None or not ReplayStatus(row.status).is_open or not await _tried(session, row):
                return


async def _tried(session: AsyncSession, row: EarningReplayRow) -> bool:
    """One batch; a rule that is no longer valid ends the replay with the reason."""
    try:
        return await _step(session, row)
    except DomainError as error:
        row.status, row.error, row.finished_at = ReplayStatus.FAILED, error.detail, await clock.now(session)
        await session.execute(delete(_MEMBER).where(_MEMBER.replay_id == row.id))
        return False


async def _step(session: AsyncSession, row: EarningReplayRow) -> bool:
    """One batch, or the end; answers whether there is more."""
    zone = await brand.zone(session)
    draft = await earning_rules.draft(session, replays.text_of(row.draft), row.rule_id)
    worlds = await _worlds(session, draft, row.state, zone)
    found = await _events(session, row, kind_named(draft.kind))
    if not found:
        row.result = await _result(session, row, worlds)
        row.status, row.finished_at = ReplayStatus.DONE, await clock.now(session)
        nothing = (_MEMBER.replay_id == row.id, _MEMBER.live == 0, _MEMBER.draft == 0)
        await session.execute(delete(_MEMBER).where(*nothing))
        return False
    batch = await _read(session, row.id, found, worlds, zone)
    await asyncio.to_thread(_reckon, batch, worlds)  # thousands of formulas: other work goes on meanwhile
    await _keep(session, row.id, batch.members)
    row.status = ReplayStatus.RUNNING
    row.done_events += len(found)
    row.state = {
        "cursor": [found[-1].occurred_at.isoformat(), str(found[-1].id)],
        **{name: world.state() for name, world in worlds.items()},
    }
    return True


async def _worlds(session: AsyncSession, draft: EarningRule, state: dict[str, Any], zone: ZoneInfo) -> dict[str, World]:
    budget = await earning_rules.budget(session)
    live = [rule for rule in await earning_rules.listing(session) if rule.is_active]
    # the draft is tried as if it had been in force all the time: what it says of its validity lies ahead
    tried = replace(draft, id=draft.id or _NEWEST, valid_from=None, valid_until=None)
    drafted = [*(rule for rule in live if rule.id != draft.id), tried]
    sets = {"live": live, "draft": drafted}
    return {name: simulating.world(sets[name], budget, zone, state.get(name)) for name in _WORLDS}


async def _events(session: AsyncSession, row: EarningReplayRow, kind: Any) -> list[RecordedEvent]:
    own = events.c
    query = select(own.id, own.occurred_at, own.kind, own.member_id, own.data).where(
        own.kind == kind.event.kind,
        own.occurred_at >= row.from_at,
        own.occurred_at < row.until_at,
        own.member_id.is_not(None),
    )
    if "cursor" in row.state:
        at, event_id = row.state["cursor"]
        query = query.where(tuple_(own.occurred_at, own.id) > (datetime.fromisoformat(at), UUID(event_id)))
    rows = await session.execute(query.order_by(own.occurred_at, own.id).limit(BATCH))
    return [RecordedEvent(item.id, item.occurred_at, item.kind, item.member_id, "log", item.data) for item in rows]


async def _read(
    session: AsyncSession, replay_id: int, found: list[RecordedEvent], worlds: dict[str, World], zone: ZoneInfo
) -> _Batch:
    ids = sorted({event.member_id for event in found if event.member_id is not None})
    birthdays: dict[int, date | None] = {}
    if any(deciding.needs_birthday(world.rules) for world in worlds.values()):
        rows = await session.execute(select(members.c.id, members.c.birthday).where(members.c.id.in_(ids)))
        birthdays = {item.id: item.birthday for item in rows}
    known = await session.execute(
        select(*_MEMBER.__table__.c).where(_MEMBER.replay_id == replay_id, _MEMBER.member_id.in_(ids))
    )
    kept = {item.member_id: _Member({"live": item.live, "draft": item.draft}, item.counters) for item in known}
    fresh = {one: _Member(dict.fromkeys(_WORLDS, 0), {name: {} for name in _WORLDS}) for one in ids}
    return _Batch(found[0].kind, found, await profiles.get_many(session, ids), birthdays, fresh | kept, zone)


def _reckon(batch: _Batch, worlds: dict[str, World]) -> None:
    names = kinds_for(batch.kind)
    for event in batch.events:
        profile = batch.profiles.get(event.member_id or 0)
        if profile is None:
            continue
        fact = event.as_event(CATALOGUE[event.kind])
        birthday = batch.birthdays.get(profile.member_id)
        situation = Situation(fact, profile, event.occurred_at, batch.zone, birthday)
        member = batch.members[profile.member_id]
        for name, world in worlds.items():
            rules = world.meets(event.kind, event.occurred_at, names)
            member.points[name] += world.give(rules, situation, member.tallies[name])


async def _keep(session: AsyncSession, replay_id: int, found: dict[int, _Member]) -> None:
    rows = [
        {"replay_id": replay_id, "member_id": member_id, **one.points, "counters": one.tallies}
        for member_id, one in found.items()
    ]
    statement = upsert(_MEMBER).values(rows)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["replay_id", "member_id"],
            set_={"live": new.live, "draft": new.draft, "counters": new.counters},
        )
    )


async def _result(session: AsyncSession, row: EarningReplayRow, worlds: dict[str, World]) -> dict[str, Any]:
    sums = await _sums(session, row.id)
    live, draft = worlds["live"], worlds["draft"]
    days = simulating.days_between(row.from_at, row.until_at, live.zone)
    return {
        "total": {"live": int(sums.live), "draft": int(sums.draft), "difference": int(sums.draft - sums.live)},
        "value": await _value(session, int(sums.live), int(sums.draft)),
        "members": {
            "live": sums.live_members,
            "draft": sums.draft_members,
            "gaining": sums.gaining,
            "losing": sums.losing,
        },
        "withheld": {"live": live.withheld, "draft": draft.withheld},
        "rules": _by_rule(worlds),
        "days": [{"day": day, "live": live.by_day.get(day, 0), "draft": draft.by_day.get(day, 0)} for day in days],
        "top": await _top(session, row.id),
        "failures": [{"message": message, "count": count} for message, count in draft.failures.items()],
    }


async def _value(session: AsyncSession, live: int, draft: int) -> dict[str, str] | None:
    """What these points are worth at redemption; None as long as the brand has not said what a point is."""
    found = await brand.get(session)
    if found.point_value is None:
        return None
    worth = {"live": live, "draft": draft, "difference": draft - live}
    amounts = {name: str(breakage.worth(points, found.point_value).value) for name, points in worth.items()}
    return {**amounts, "currency": found.currency}


async def _sums(session: AsyncSession, replay_id: int) -> Any:
    own = _MEMBER
    query = select(
        func.coalesce(func.sum(own.live), 0).label("live"),
        func.coalesce(func.sum(own.draft), 0).label("draft"),
        func.count().filter(own.live > 0).label("live_members"),
        func.count().filter(own.draft > 0).label("draft_members"),
        func.count().filter(own.draft > own.live).label("gaining"),
        func.count().filter(own.draft < own.live).label("losing"),
    )
    return (await session.execute(query.where(own.replay_id == replay_id))).one()


async def _top(session: AsyncSession, replay_id: int) -> list[dict[str, Any]]:
    """The members for whom most changes, then those who would get most."""
    own = _MEMBER
    order = (func.abs(own.draft - own.live).desc(), own.draft.desc(), own.member_id)
    query = select(own.member_id, own.live, own.draft).where(
        own.replay_id == replay_id, (own.live > 0) | (own.draft > 0)
    )
    rows = await session.execute(query.order_by(*order).limit(_TOP))
    return [{"member_id": item.member_id, "live": item.live, "draft": item.draft} for item in rows]


def _by_rule(worlds: dict[str, World]) -> list[dict[str, Any]]:
    named = {rule.id: rule for world in worlds.values() for rule in world.rules}
    counted = {rule_id for world in worlds.values() for rule_id in world.by_rule}
    nothing = [0, 0]
    return [
        {
            "rule_id": None if rule.id == _NEWEST else rule.id,
            "name": rule.name,
            "kind": rule.kind,
            **{name: worlds[name].by_rule.get(str(rule.id), nothing)[0] for name in _WORLDS},
            **{f"{name}_awards": worlds[name].by_rule.get(str(rule.id), nothing)[1] for name in _WORLDS},
        }
        for rule in sorted(named.values(), key=lambda rule: rule.id)
        if str(rule.id) in counted
    ]

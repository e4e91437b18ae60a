"""Where members stand: tiers given by hand, progress, history, lists, and who comes first."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.members import service as members
from crm.members.views import members as people
from crm.profiles.views import profiles
from crm.tiers import checking, evaluating, measuring, policy, repository
from crm.tiers.errors import NoGrant, UnknownTier
from crm.tiers.models import HistoryRow, StandingRow
from crm.tiers.service import programmes
from crm.tiers.types import Interval, Measured, Move, Outcome, Progress, Reason, Standing, TierMember

_NOTHING = Decimal(0)


async def evaluate(
    session: AsyncSession, member_id: int, *, because: Reason | None = None, by: str = "system"
) -> Outcome | None:
    """Bring one member to the tier that they belong to; None without a programme or an active member."""
    return await evaluating.one(session, member_id, because=because, by=by)


async def standing(session: AsyncSession, member_id: int) -> Standing:
    """Where the member stands; empty when they never had a tier."""
    return await repository.standing(session, member_id)


async def grant(session: AsyncSession, member_id: int, tier: str, *, until: datetime, reason: str, by: str) -> Standing:
    """Give a tier by hand: it stands instead of the earned one until `until`.

    Raises MemberNotFound, NoProgramme, UnknownTier, InvalidGrant.
    """
    live = await programmes.require_live(session)
    said = checking.check_grant(reason, until, await clock.now(session))
    if not policy.position(live.rules, tier):
        known = [item.key for item in live.rules.tiers]
        raise UnknownTier(f"there is no tier {tier!r}; there are {', '.join(known)}", tiers=known)
    member_id = await members.enter(session, member_id)
    values = {"grant_tier": tier, "grant_until": until, "grant_reason": said, "grant_by": by}
    new = upsert(StandingRow).values(member_id=member_id, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["member_id"], set_=values))
    await evaluate(session, member_id, by=by)
    return await standing(session, member_id)


async def end_grant(session: AsyncSession, member_id: int, *, by: str) -> Standing:
    """End a tier that was given by hand before its time. Raises MemberNotFound, NoGrant."""
    member_id = await members.enter(session, member_id)
    row = await session.get(StandingRow, member_id, with_for_update=True, populate_existing=True)
    if row is None or row.grant_tier is None:
        raise NoGrant(member_id=member_id)
    row.grant_until = await clock.now(session)
    await session.flush()
    await evaluate(session, member_id, by=by)
    return await standing(session, member_id)


async def progress(session: AsyncSession, member_id: int) -> Progress | None:
    """The tier, the way to the next one and what keeps it; None without a programme."""
    live = await programmes.live(session)
    if live is None:
        return None
    rules, now = live.rules, await clock.now(session)
    own = measuring.within(member_id, member_id)
    query = measuring.subjects(rules, await evaluating.times(session, rules, now), own)
    row = (await session.execute(query)).mappings().one_or_none()
    measured = Measured() if row is None else repository.as_subject(row).measured
    known = await standing(session, member_id)
    place = policy.position(rules, known.tier)
    tier = policy.tier_at(rules, place)
    following = rules.tiers[place] if place < len(rules.tiers) else None
    goal = following.enter if following else measured.entry
    earned = policy.tier_at(rules, policy.position(rules, known.earned))
    return Progress(
        tier=tier,
        standing=known,
        measure=rules.measure,
        window=rules.window,
        months=rules.months,
        value=measured.entry,
        following=following,
        missing=max(goal - measured.entry, _NOTHING),
        share=policy.share(measured.entry, goal),
        keep_missing=_keep_missing(earned.keep if earned else _NOTHING, known, measured),
    )


async def history(session: AsyncSession, member_id: int, *, limit: int = 50) -> list[Interval]:
    """The member's intervals, the newest first."""
    own = select(HistoryRow).where(HistoryRow.member_id == member_id).order_by(HistoryRow.started_at.desc())
    rows = await session.scalars(own.limit(limit).execution_options(populate_existing=True))
    return [repository.as_interval(row) for row in rows]


async def moves_between(session: AsyncSession, start: datetime, end: datetime) -> list[Move]:
    """How many members were in which tier at `start` and in which at `end`, those who stayed included."""
    before, after = _at(start).subquery("before"), _at(end).subquery("after")
    joined = before.join(after, before.c.member_id == after.c.member_id, full=True)
    ways = (before.c.tier, after.c.tier)
    query = select(*ways, func.count()).select_from(joined).group_by(*ways).order_by(func.count().desc())
    return [Move(*row) for row in await session.execute(query)]


async def counts(session: AsyncSession) -> dict[str, int]:
    """Active members by tier; those without one under an empty key."""
    key = func.coalesce(profiles.c.tier, "")
    rows = await session.execute(select(key, func.count()).group_by(key))
    return {row[0]: row[1] for row in rows}


async def listing(
    session: AsyncSession,
    *,
    tier: str | None = None,
    is_at_risk: bool = False,
    is_granted: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[TierMember]:
    """Members who have or had a tier, by id, perhaps only of one tier. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    row = StandingRow
    query = select(row.member_id, people.c.display_name, row.tier, row.since, row.risk_ends_at, row.grant_until)
    query = query.join(people, people.c.id == row.member_id).where(people.c.status == "active")
    if tier is not None:
        query = query.where(row.tier == tier)
    if is_at_risk:
        query = query.where(row.risk_ends_at.is_not(None))
    if is_granted:
        query = query.where(row.grant_until.is_not(None))
    if cursor is not None:
        query = query.where(row.member_id > decode_cursor(cursor, int)[0])
    rows = (await session.execute(query.order_by(row.member_id).limit(limit + 1))).all()
    return page_of(rows, limit, lambda found: TierMember(*found), lambda last: (last.member_id,))


async def first_tiers(session: AsyncSession) -> list[str]:
    """The keys of the tiers whose members come first, by the programme in force."""
    live = await programmes.live(session)
    return [tier.key for tier in live.rules.tiers if tier.has_priority] if live else []


async def with_priority(session: AsyncSession, member_ids: Sequence[int]) -> set[int]:
    """Which of these members come first, by their tier."""
    first = await first_tiers(session)
    if not first or not member_ids:
        return set()
    own = (StandingRow.member_id.in_(member_ids), StandingRow.tier.in_(first))
    return set(await session.scalars(select(StandingRow.member_id).where(*own)))


def _at(moment: datetime) -> Select[*tuple[Any, ...]]:
    row = HistoryRow
    open_ = row.ended_at.is_(None) | (row.ended_at > moment)
    return select(row.member_id, row.tier).where(row.started_at <= moment, open_)


def _keep_missing(goal: Decimal, known: Standing, measured: Measured) -> Decimal:
    return max(goal - (measured.keep if known.falls_at else measured.coming), _NOTHING)

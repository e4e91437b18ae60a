"""The leaderboard: members who chose to be on it, by check-ins of this week or month, or by running streaks.

Whoever leaves is gone with the commit: nothing of the board is kept anywhere.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.check_ins import policy, programmes
from crm.check_ins.errors import LeaderboardOff, NotOnLeaderboard
from crm.check_ins.models import CheckInRow, GiftRow, LeaderRow, StreakRow
from crm.check_ins.types import Board, DayKind, Leaderboard, Place
from crm.db import clock
from crm.kit.text import clean_name
from crm.members import service as members
from crm.members.types import MemberStatus
from crm.members.views import members as all_members

MAX_ALIAS = 24
_SUNDAY = timedelta(days=6)


async def join(session: AsyncSession, member_id: int, *, alias: str = "") -> None:
    """Be on the board from now on, under `alias` (at most 24 characters are kept) or, without one, the own name.

    Raises LeaderboardOff, MemberNotFound.
    """
    if not (await programmes.current(session)).has_leaderboard:
        raise LeaderboardOff
    member_id = await members.enter(session, member_id)
    shown = clean_name(alias)[:MAX_ALIAS].strip() or None
    row = upsert(LeaderRow).values(member_id=member_id, alias=shown, joined_at=await clock.now(session))
    await session.execute(row.on_conflict_do_update(index_elements=["member_id"], set_={"alias": shown}))


async def leave(session: AsyncSession, member_id: int) -> bool:
    """Be on no board any more; answers whether the member was on it."""
    gone = sa.delete(LeaderRow).where(LeaderRow.member_id == member_id).returning(LeaderRow.member_id)
    return (await session.execute(gone)).scalar_one_or_none() is not None


async def remove(session: AsyncSession, member_id: int) -> None:
    """An operator takes the member off, for instance for what they call themselves. Raises NotOnLeaderboard."""
    if not await leave(session, member_id):
        raise NotOnLeaderboard(member_id=member_id)


async def show(
    session: AsyncSession, board: Board = Board.WEEK, *, member_id: int | None = None, places: int | None = None
) -> Leaderboard:
    """The first places (as many as the settings say), and the one of `member_id`. Raises LeaderboardOff."""
    programme = await programmes.current(session)
    if not programme.has_leaderboard:
        raise LeaderboardOff
    now = await clock.now(session)
    today = now.astimezone(ZoneInfo((await brand.get(session)).time_zone)).date()
    since = until = today
    if board is Board.WEEK:
        since = today - timedelta(days=today.weekday())
        until = since + _SUNDAY
    elif board is Board.MONTH:
        since, until = policy.month_of(today)
    is_streak = board is Board.STREAK
    values = await _running(session) if is_streak else _counted(since, until)
    rows = await _ranked(session, values, places or programme.places, member_id or 0)
    badges = await _badges(session, [row["member_id"] for row in rows])
    found = [(row["position"], _place(row, badges)) for row in rows]
    return Leaderboard(
        board=board,
        since=None if is_streak else since,
        places=[place for position, place in found if position <= (places or programme.places)],
        members=rows[0]["members"] if rows else 0,
        own=next((place for _, place in found if place.member_id == member_id), None),
        is_on_it=member_id is not None and await _is_on_it(session, member_id),
    )


def _counted(since: date, until: date) -> sa.Subquery:
    """Check-ins of the days; those that were filled afterwards do not count."""
    return (
        sa.select(CheckInRow.member_id, sa.func.count().label("value"))
        .join(LeaderRow, LeaderRow.member_id == CheckInRow.member_id)
        .where(CheckInRow.local_date.between(since, until), CheckInRow.kind == DayKind.CHECKED_IN.value)
        .group_by(CheckInRow.member_id)
        .subquery("counted")
    )


async def _running(session: AsyncSession) -> sa.Subquery:
    """Streaks that can still be continued today, each by the date in its own zone."""
    now = await clock.now(session)
    joined = sa.select(StreakRow.zone).join(LeaderRow, LeaderRow.member_id == StreakRow.member_id).distinct()
    fallback = (await brand.get(session)).time_zone
    zones = [zone for zone in await session.scalars(joined) if zone is not None]
    ends = {zone: _last_end(zone, now) for zone in {*zones, fallback}}
    own = sa.case(
        *((StreakRow.zone == zone, sa.literal(day, sa.Date)) for zone, day in sorted(ends.items())),
        else_=sa.literal(ends[fallback], sa.Date),
    )
    return (
        sa.select(StreakRow.member_id, StreakRow.streak.label("value"))
        .join(LeaderRow, LeaderRow.member_id == StreakRow.member_id)
        .where(StreakRow.last_on >= own)
        .subquery("running")
    )


def _last_end(zone: str, now: datetime) -> date:
    local = ZoneInfo(zone)
    return policy.day_before(now.astimezone(local).date(), local)


async def _ranked(session: AsyncSession, values: sa.Subquery, places: int, own_id: int) -> list[dict[str, Any]]:
    """The first `places` and the own line; of equals, whoever joined first stands first."""
    order = (values.c.value.desc(), LeaderRow.joined_at, LeaderRow.member_id)
    ranked = (
        sa.select(
            values.c.member_id,
            values.c.value,
            sa.func.coalesce(LeaderRow.alias, all_members.c.display_name).label("name"),
            sa.func.rank().over(order_by=values.c.value.desc()).label("rank"),
            sa.func.row_number().over(order_by=order).label("position"),
            sa.func.count().over().label("members"),
        )
        .join(LeaderRow, LeaderRow.member_id == values.c.member_id)
        .join(all_members, all_members.c.id == values.c.member_id)
        .where(all_members.c.status == MemberStatus.ACTIVE.value)
        .subquery("ranked")
    )
    wanted = (ranked.c.position <= places) | (ranked.c.member_id == own_id)
    found = await session.execute(sa.select(ranked).where(wanted).order_by(ranked.c.position))
    return [dict(row) for row in found.mappings()]


async def _badges(session: AsyncSession, member_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The latest badge of each."""
    query = (
        sa.select(GiftRow.member_id, GiftRow.badge)
        .ext(distinct_on(GiftRow.member_id))
        .where(GiftRow.member_id.in_(member_ids), GiftRow.badge != {})
        .order_by(GiftRow.member_id, GiftRow.given_at.desc(), GiftRow.days.desc())
    )
    return {row.member_id: dict(row.badge) for row in await session.execute(query)}


async def _is_on_it(session: AsyncSession, member_id: int) -> bool:
    own = sa.exists().where(LeaderRow.member_id == member_id)
    return bool(await session.scalar(sa.select(own)))


def _place(row: dict[str, Any], badges: dict[int, dict[str, str]]) -> Place:
    member_id = row["member_id"]
    return Place(row["rank"], member_id, row["name"], row["value"], badges.get(member_id, {}))

"""Statements of check-ins."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, extract, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins.models import CheckInRow, StreakRow
from crm.check_ins.policy import MINIMUM_GAP, Streak
from crm.db.prepared import Prepared
from crm.profiles.service import profile_of
from crm.profiles.statements import CHECKED_IN
from crm.profiles.types import Profile

_CHECK_IN = Prepared(
    text(
        "WITH counted AS ("  # noqa: S608 - what is put in is fixed SQL
        " INSERT INTO check_in_streaks AS s (member_id, last_on, last_at, streak, best, total)"
        " VALUES (:member_id, :today, :now, 1, 1, 1)"
        " ON CONFLICT (member_id) DO UPDATE SET last_on = excluded.last_on, last_at = excluded.last_at,"
        "  streak = CASE WHEN s.last_on >= :day_before THEN s.streak + 1 ELSE 1 END,"
        "  best = greatest(s.best, CASE WHEN s.last_on >= :day_before THEN s.streak + 1 ELSE 1 END),"
        "  total = s.total + 1"
        " WHERE s.last_on < excluded.last_on AND s.last_at <= :latest"
        " RETURNING member_id, last_on, last_at, streak, total)"
        " , kept AS (INSERT INTO check_ins (member_id, local_date, checked_in_at, zone, streak, channel)"
        " SELECT member_id, last_on, last_at, :zone, streak, :channel FROM counted ON CONFLICT DO NOTHING RETURNING 1)"
        f", told AS ({CHECKED_IN})"
        " SELECT told.*, ARRAY(SELECT extract(day FROM c.local_date)::int FROM check_ins c"
        "  WHERE c.member_id = :member_id AND c.local_date >= :month AND c.local_date < :today ORDER BY c.local_date)"
        " AS days_before FROM counted JOIN told ON told.member_id = counted.member_id"
    )
)


class Counted(NamedTuple):
    """A check-in that counted."""

    profile: Profile
    """The member's facts after it."""
    days_before: list[int]
    """This month's earlier check-ins, as the statement found them."""


async def check_in(
    session: AsyncSession,
    member_id: int,
    *,
    today: date,
    day_before: date,
    now: datetime,
    zone: str,
    channel: str | None,
) -> Counted | None:
    """Count today's check-in, once however many try at the same time; None when it does not count."""
    values = {
        "member_id": member_id,
        "today": today,
        "month": today.replace(day=1),
        "day_before": day_before,
        "now": now,
        "latest": now - MINIMUM_GAP,
        "zone": zone,
        "channel": channel,
    }
    row = await _CHECK_IN.first(session, **values)
    if row is None:
        return None
    facts = dict(row)
    days_before = facts.pop("days_before")
    return Counted(profile_of(facts), days_before)


async def standing(session: AsyncSession, member_id: int) -> StreakRow | None:
    """Where the member stands now."""
    query = select(StreakRow).where(StreakRow.member_id == member_id).execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def days_of_month(session: AsyncSession, member_id: int, first: date, last: date) -> list[int]:
    """Days of check-ins between the two dates, ascending."""
    query = (
        select(extract("day", CheckInRow.local_date))
        .where(CheckInRow.member_id == member_id, CheckInRow.local_date.between(first, last))
        .order_by(CheckInRow.local_date)
    )
    return [int(day) for day in await session.scalars(query)]


async def all_days(session: AsyncSession, member_id: int) -> dict[date, datetime]:
    """Every check-in of the member: local date and moment."""
    query = select(CheckInRow.local_date, CheckInRow.checked_in_at).where(CheckInRow.member_id == member_id)
    return {row.local_date: row.checked_in_at for row in await session.execute(query)}


async def move(session: AsyncSession, from_id: int, to_id: int, days: list[date]) -> None:
    """Give these check-ins to another member, who has none on these dates."""
    own = [(from_id, day) for day in days]
    query = update(CheckInRow).where(tuple_(CheckInRow.member_id, CheckInRow.local_date).in_(own))
    await session.execute(query.values(member_id=to_id), execution_options={"synchronize_session": False})


async def keep_standing(session: AsyncSession, member_id: int, streak: Streak, last_at: datetime | None) -> None:
    """Write where the member stands after check-ins were moved."""
    if streak.last_on is None or last_at is None:
        await session.execute(delete(StreakRow).where(StreakRow.member_id == member_id))
        return
    values = {
        "last_on": streak.last_on,
        "last_at": last_at,
        "streak": streak.current,
        "best": streak.best,
        "total": streak.total,
    }
    statement = insert(StreakRow).values(member_id=member_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["member_id"], set_=values))

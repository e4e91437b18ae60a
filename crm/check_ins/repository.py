"""Statements of check-ins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import case, delete, exists, extract, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins.models import CheckInRow, ProgrammeRow, StreakRow
from crm.check_ins.policy import MINIMUM_GAP, Day, Streak
from crm.check_ins.types import DayKind
from crm.db.prepared import Prepared
from crm.profiles.service import profile_of
from crm.profiles.statements import CHECKED_IN
from crm.profiles.types import Profile

_CHECK_IN = Prepared(
    text(
        "WITH held AS MATERIALIZED ("  # noqa: S608 - what is put in is fixed SQL
        " SELECT member_id FROM profiles WHERE member_id = :member_id FOR NO KEY UPDATE),"
        " counted AS ("
        " INSERT INTO check_in_streaks AS s (member_id, last_on, last_at, streak, best, total, zone)"
        " SELECT member_id, CAST(:today AS date), CAST(:now AS timestamptz), 1, 1, 1, CAST(:zone AS text) FROM held"
        " ON CONFLICT (member_id) DO UPDATE SET last_on = excluded.last_on, last_at = excluded.last_at,"
        "  zone = CASE WHEN s.last_on >= :day_before THEN excluded.zone ELSE s.zone END,"
        "  streak = CASE WHEN s.last_on >= :day_before THEN s.streak + 1 ELSE 1 END,"
        "  best = greatest(s.best, CASE WHEN s.last_on >= :day_before THEN s.streak + 1 ELSE 1 END),"
        "  total = s.total + 1"
        " WHERE s.last_on < excluded.last_on AND s.last_at <= :latest"
        " RETURNING member_id, last_on, last_at, streak, total, zone)"
        " , kept AS (INSERT INTO check_ins (member_id, local_date, checked_in_at, zone, streak, channel)"
        " SELECT member_id, last_on, last_at, :zone, streak, :channel FROM counted ON CONFLICT DO NOTHING RETURNING 1)"
        f", told AS ({CHECKED_IN})"
        " SELECT told.*, ARRAY(SELECT CASE WHEN c.kind = 'checked_in' THEN 1 ELSE -1 END"
        "   * extract(day FROM c.local_date)::int FROM check_ins c"
        "  WHERE c.member_id = :member_id AND c.local_date >= :month AND c.local_date < :today ORDER BY c.local_date)"
        " AS days_before,"
        " counted.zone AS zone_kept, p.insurance, p.days_back > 0 OR p.has_leaderboard AS has_more,"
        " EXISTS (SELECT FROM check_in_milestones m WHERE m.is_active AND (m.day = told.streak"
        "  OR m.is_repeated AND told.streak % m.day = 0)) AS has_milestone"
        " FROM counted JOIN told ON told.member_id = counted.member_id"
        " LEFT JOIN check_in_programmes p ON p.id = 1"
    ),
    one_by={"member_id": "member_id"},
)


class Counted(NamedTuple):
    """A check-in that counted."""

    profile: Profile
    """The member's facts after it."""
    days_before: list[int]
    """This month's earlier days, as the statement found them; those that were filled are negative."""
    zone_kept: str | None
    """The member's zone; where the streak began anew, still that of the check-in before."""
    insurance: str | None
    """None when operators chose nothing."""
    has_more: bool
    """Whether members may fill days or compare themselves."""
    has_milestone: bool
    """Whether the streak is one that a milestone asks for."""

    def with_streak(self, streak: int) -> "Counted":
        """The same after the days before were looked at again."""
        return self._replace(profile=replace(self.profile, streak=streak))


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
    more = {name: facts.pop(name) for name in ("days_before", "zone_kept", "insurance", "has_milestone")}
    return Counted(has_more=bool(facts.pop("has_more")), profile=profile_of(facts), **more)


async def standing(session: AsyncSession, member_id: int, *, is_locked: bool = False) -> StreakRow | None:
    """Where the member stands now; locked, nobody else checks in or fills days for them until the commit."""
    query = select(StreakRow).where(StreakRow.member_id == member_id).execution_options(populate_existing=True)
    return (await session.scalars(query.with_for_update() if is_locked else query)).one_or_none()


async def standing_and_more(session: AsyncSession, member_id: int) -> tuple[StreakRow | None, bool]:
    """Where the member stands, and whether operators offer make-ups or a leaderboard; in one statement."""
    has_more = (ProgrammeRow.days_back > 0) | ProgrammeRow.has_leaderboard
    more = select(has_more).where(ProgrammeRow.id == 1).scalar_subquery()
    query = select(StreakRow, more).where(StreakRow.member_id == member_id)
    row = (await session.execute(query.execution_options(populate_existing=True))).one_or_none()
    return (None, False) if row is None else (row[0], bool(row[1]))


async def days_of_month(session: AsyncSession, member_id: int, first: date, last: date) -> list[int]:
    """Days that count between the two dates, ascending; those that were filled are negative."""
    sign = case((CheckInRow.kind == DayKind.CHECKED_IN, 1), else_=-1)
    query = (
        select(extract("day", CheckInRow.local_date) * sign)
        .where(CheckInRow.member_id == member_id, CheckInRow.local_date.between(first, last))
        .order_by(CheckInRow.local_date)
    )
    return [int(day) for day in await session.scalars(query)]


async def has_days_before(session: AsyncSession, member_id: int, day: date) -> bool:
    """Whether any day before `day` counts."""
    query = exists().where(CheckInRow.member_id == member_id, CheckInRow.local_date < day)
    return bool(await session.scalar(select(query)))


async def all_days(session: AsyncSession, member_id: int) -> list[Day]:
    """Every day of the member that counts, ascending."""
    query = select(CheckInRow.local_date, CheckInRow.checked_in_at, CheckInRow.zone, CheckInRow.kind)
    rows = await session.execute(query.where(CheckInRow.member_id == member_id).order_by(CheckInRow.local_date))
    return [Day(row.local_date, row.checked_in_at, ZoneInfo(row.zone), DayKind(row.kind)) for row in rows]


@dataclass(frozen=True)
class Filling:
    """A missed day that is filled."""

    on: date
    kind: DayKind
    at: datetime
    zone: str
    channel: str | None = None


async def fill(session: AsyncSession, member_id: int, fillings: Sequence[Filling]) -> int:
    """Fill these days unless they count already; answers how many were filled."""
    values = [
        {
            "member_id": member_id,
            "local_date": item.on,
            "checked_in_at": item.at,
            "zone": item.zone,
            "streak": 0,
            "channel": item.channel,
            "kind": item.kind,
        }
        for item in fillings
    ]
    made = insert(CheckInRow).values(values).on_conflict_do_nothing().returning(CheckInRow.local_date)
    return len((await session.execute(made)).all())


async def filled(session: AsyncSession, member_id: int, kinds: Sequence[DayKind], since: datetime, day: date) -> int:
    """How many days of these kinds, none of them before `day`, were filled since the moment."""
    query = select(func.count()).where(
        CheckInRow.member_id == member_id,
        CheckInRow.local_date >= day,
        CheckInRow.checked_in_at >= since,
        CheckInRow.kind.in_(kinds),
    )
    return await session.scalar(query) or 0


async def keep_zone(session: AsyncSession, member_id: int, zone: str) -> None:
    """Write the zone of the last check-in."""
    own = update(StreakRow).where(StreakRow.member_id == member_id).values(zone=zone)
    await session.execute(own, execution_options={"synchronize_session": False})


async def keep_streak_of_day(session: AsyncSession, member_id: int, day: date, streak: int) -> None:
    """Write how long the streak was on the day."""
    own = (CheckInRow.member_id == member_id, CheckInRow.local_date == day)
    statement = update(CheckInRow).where(*own).values(streak=streak)
    await session.execute(statement, execution_options={"synchronize_session": False})


async def move(session: AsyncSession, from_id: int, to_id: int, days: list[date]) -> None:
    """Give these check-ins to another member, who has none on these dates."""
    own = [(from_id, day) for day in days]
    query = update(CheckInRow).where(tuple_(CheckInRow.member_id, CheckInRow.local_date).in_(own))
    await session.execute(query.values(member_id=to_id), execution_options={"synchronize_session": False})


async def keep_standing(session: AsyncSession, member_id: int, streak: Streak, days: Sequence[Day]) -> None:
    """Write where the member stands after days were moved or filled."""
    if streak.last_on is None:
        await session.execute(delete(StreakRow).where(StreakRow.member_id == member_id))
        return
    last = max([day for day in days if day.is_real] or days, key=lambda day: day.on)
    values = {
        "last_on": streak.last_on,
        "last_at": last.at,
        "zone": last.zone.key,
        "streak": streak.current,
        "best": streak.best,
        "total": streak.total,
    }
    statement = insert(StreakRow).values(member_id=member_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["member_id"], set_=values))

"""Filling missed days: by hand with a make-up card, and by the streak insurance at the next check-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, policy, programmes, repository, rewarding
from crm.check_ins.errors import DayNotMissed, DayOutOfReach, MakeUpLimit, MakeUpOff
from crm.check_ins.policy import Day, Streak
from crm.check_ins.repository import Filling
from crm.check_ins.types import CardCause, DayKind, Insurance, MadeUp, MakeUps, Programme
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import CheckInMadeUp, StreakSaved
from crm.members import service as members
from crm.points import service as points
from crm.profiles import service as profiles


async def offered(session: AsyncSession, member_id: int) -> MakeUps:
    """What the member may fill now. Raises MemberNotFound."""
    programme = await programmes.current(session)
    member_id = await members.current_id(session, member_id)
    zone = await members.zone(session, member_id)
    today = (await clock.now(session)).astimezone(zone).date()
    days = await repository.all_days(session, member_id) if programme.days_back else []
    can_buy = programme.card_price is not None and await cards.left_to_buy(session, member_id, programme) != 0
    return MakeUps(
        days=policy.fillable(days, today, zone, programme.days_back),
        cards=await cards.held(session, member_id),
        left_this_month=await _left(session, member_id, programme, today, zone),
        price=programme.card_price if can_buy else None,
        days_back=programme.days_back,
    )


async def make_up(session: AsyncSession, member_id: int, day: date, *, by: str = "member") -> MadeUp:
    """Fill the missed `day` with one of the member's cards; the streak is worked out anew.

    By an operator (`by` is not `member`) it needs no card, and neither the limit of the month nor the reach of the
    settings holds; 92 days back is the most. Raises MakeUpOff, DayNotMissed, DayOutOfReach, MakeUpLimit, NoCards,
    MemberNotFound.
    """
    member_id = await members.enter(session, member_id)
    programme = await programmes.current(session)
    is_own = by == "member"
    if is_own and programme.days_back == 0:
        raise MakeUpOff
    zone, now = await members.zone(session, member_id), await clock.now(session)
    today = now.astimezone(zone).date()
    before = await repository.standing(session, member_id, is_locked=True)
    days = await repository.all_days(session, member_id)
    reach = programme.days_back if is_own else programmes.MAX_DAYS_BACK
    if day not in policy.fillable(days, today, zone, reach):
        is_near = bool(days) and max(days[0].on, policy.earliest(today, reach)) <= day
        raise (DayNotMissed if is_near or day >= today else DayOutOfReach)(day=day.isoformat())
    if is_own and await _left(session, member_id, programme, today, zone) == 0:
        raise MakeUpLimit(limit=programme.make_ups_per_month)
    key = f"make_up:{member_id}:{day.isoformat()}"
    if is_own:
        left = await cards.use(session, member_id, 1, key=key, cause=CardCause.USED)
    else:
        left = await cards.held(session, member_id)
    await repository.fill(session, member_id, [Filling(day, DayKind.MADE_UP, now, zone.key)])
    streak = await recount(session, member_id, await repository.all_days(session, member_id))
    if programme.made_up_points:
        await points.earn(session, member_id, programme.made_up_points, rule="check_in", key=f"check_in:{key}")
    is_longer = day in streak.run and before is not None
    gifts = []
    if is_longer and before is not None and programme.has_made_up_milestones:
        was = before.streak if before.last_on in streak.run else 0
        gifts = await rewarding.give(session, member_id, streak.run, before=was)
    running = streak.current if streak.last_on and policy.is_running(streak.last_on, today, zone) else 0
    fact = CheckInMadeUp(
        member_id=member_id, local_date=day, streak=running, points=programme.made_up_points, made_up_by=by
    )
    await events.publish(session, fact)
    return MadeUp(day, running, programme.made_up_points, left, gifts)


@dataclass(frozen=True)
class Mended:
    """A streak after the days before today were looked at again."""

    streak: Streak
    saved: list[date]


async def mend(session: AsyncSession, member_id: int, today: date, now: datetime, zone: ZoneInfo) -> Mended | None:
    """After a check-in that seemed to begin a new streak: let the insurance fill what was missed, if it may.

    None when the streak did begin anew. A change of zone that left no time for a day breaks nothing.
    """
    days = await repository.all_days(session, member_id)
    before = [day for day in days if day.on < today]
    gap = policy.missed(before[-1], today, zone) if before else []
    if not before:
        return None
    saved = list[date]()
    if gap:
        await repository.keep_zone(session, member_id, zone.key)
        saved = await _insure(session, member_id, before, gap, _Moment(now, zone))
        if not saved:
            return None
    streak = await recount(session, member_id, await repository.all_days(session, member_id))
    await repository.keep_streak_of_day(session, member_id, today, streak.current)
    if saved:
        fact = StreakSaved(member_id=member_id, first_on=saved[0], days=len(saved), streak=streak.current)
        await events.publish(session, fact)
    return Mended(streak, saved)


class _Moment(NamedTuple):
    """Now, in the member's zone."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


async def _insure(
    session: AsyncSession, member_id: int, before: Sequence[Day], gap: list[date], moment: _Moment
) -> list[date]:
    programme = await programmes.current(session)
    insurance = programme.insurance
    is_worth_it = policy.streak_of(before).current >= programme.insured_from
    if insurance is Insurance.OFF or len(gap) > programme.insured_days or not is_worth_it:
        return []
    passes = 0
    if insurance in {Insurance.PASSES, Insurance.BOTH}:
        used = await _filled_this_month(session, member_id, [DayKind.SAVED_BY_PASS], moment.today, moment.zone)
        passes = min(len(gap), max(0, programme.passes_per_month - used))
    by_cards = len(gap) - passes
    if by_cards and (insurance is Insurance.PASSES or await cards.held(session, member_id) < by_cards):
        return []
    if by_cards:
        key = f"insured:{member_id}:{gap[0].isoformat()}"
        await cards.use(session, member_id, by_cards, key=key, cause=CardCause.INSURED)
    kinds = [DayKind.SAVED_BY_PASS] * passes + [DayKind.SAVED_BY_CARD] * by_cards
    fillings = [Filling(day, kind, moment.now, moment.zone.key) for day, kind in zip(gap, kinds, strict=True)]
    await repository.fill(session, member_id, fillings)
    return gap


async def _left(session: AsyncSession, member_id: int, programme: Programme, today: date, zone: ZoneInfo) -> int | None:
    if programme.make_ups_per_month is None:
        return None
    used = await _filled_this_month(session, member_id, [DayKind.MADE_UP], today, zone)
    return max(0, programme.make_ups_per_month - used)


async def _filled_this_month(
    session: AsyncSession, member_id: int, kinds: Sequence[DayKind], today: date, zone: ZoneInfo
) -> int:
    """By the month in which they were filled, whichever days they are."""
    first = today.replace(day=1)
    earliest = policy.earliest(first, programmes.MAX_DAYS_BACK)
    return await repository.filled(session, member_id, kinds, policy.start_of_day(first, zone), earliest)


async def recount(session: AsyncSession, member_id: int, days: Sequence[Day]) -> Streak:
    """Write where the member stands by these days, which are all of theirs."""
    streak = policy.streak_of(days)
    await repository.keep_standing(session, member_id, streak, days)
    await profiles.record(
        session,
        member_id,
        streak=streak.current,
        last_check_in_on=streak.last_on,
        check_ins_count=streak.total,
    )
    return streak

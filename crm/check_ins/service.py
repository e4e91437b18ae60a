"""Use cases of check-ins: once per local day of the member, with points, streak and milestones."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import filling, policy, repository, rewarding
from crm.check_ins.filling import Mended
from crm.check_ins.repository import Counted
from crm.check_ins.types import CheckInCalendar, CheckInResult, Gift, Insurance
from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import CheckedIn
from crm.members import service as members
from crm.points import service as points
from crm.points.types import Award, spendable, waiting

_STREAK_RULE = "streak"


async def check_in(session: AsyncSession, member_id: int, *, channel: str | None = None) -> CheckInResult:
    """Count today's check-in and give its points; a tap on a day that counted already changes nothing.

    Today is the date in the member's time zone; at least 12 hours lie between two check-ins that count. A missed
    day may be filled by the streak insurance, and a milestone of the streak is given. Raises MemberNotFound.
    """
    zone = await members.zone(session, member_id)
    now = await clock.now(session)
    today = now.astimezone(zone).date()
    counted = await repository.check_in(
        session,
        member_id,
        today=today,
        day_before=policy.day_before(today, zone),
        now=now,
        zone=zone.key,
        channel=channel,
    )
    if counted is None:
        return await _already(session, member_id, today, zone)
    mended = await filling.mend(session, member_id, today, now, zone) if _may_go_on(counted, zone) else None
    saved = mended.saved if mended else []
    if mended:
        counted = counted.with_streak(mended.streak.current)
    streak = counted.profile.streak
    awards = await _announce(session, member_id, today, counted, channel)
    gifts = await _gifts(session, member_id, counted, mended)
    days = [*counted.days_before, today.day, *(-day.day for day in saved if day.month == today.month)]
    bonus = spendable(award for award in awards if award.rule == _STREAK_RULE)
    is_known = bool(awards) and not gifts
    return CheckInResult(
        is_new=True,
        local_date=today,
        streak=streak,
        points=spendable(awards) - bonus,
        bonus=bonus,
        milestone=streak if bonus else None,
        balance=awards[-1].balance if is_known else await points.balance(session, member_id),
        next_at=policy.next_at(today, now, zone),
        calendar=_checked(days),
        filled=_filled(days),
        month=today.month,
        year=today.year,
        saved=saved,
        gifts=gifts,
        has_programme=counted.has_more,
        pending=waiting(awards),
    )


async def calendar(session: AsyncSession, member_id: int, month: date | None = None) -> CheckInCalendar:
    """The month of the member that `month` lies in, at most this one, else this one. Raises MemberNotFound."""
    zone = await members.zone(session, member_id)
    today = (await clock.now(session)).astimezone(zone).date()
    first, last = policy.month_of(min(month or today, today))
    is_this_month = first <= today <= last
    standing = await repository.standing(session, member_id)
    days = await repository.days_of_month(session, member_id, first, last)
    is_running = standing is not None and policy.is_running(standing.last_on, today, zone)
    return CheckInCalendar(
        year=first.year,
        month=first.month,
        today=today.day if is_this_month else None,
        days=_checked(days),
        filled=_filled(days),
        streak=standing.streak if standing is not None and is_running else 0,
        best=0 if standing is None else standing.best,
        total=0 if standing is None else standing.total,
        has_earlier=await repository.has_days_before(session, member_id, first),
        is_this_month=is_this_month,
        badge=await rewarding.badge(session, member_id),
    )


async def _already(session: AsyncSession, member_id: int, today: date, zone: ZoneInfo) -> CheckInResult:
    standing, has_more = await repository.standing_and_more(session, member_id)
    assert standing is not None
    days = await repository.days_of_month(session, member_id, *policy.month_of(today))
    return CheckInResult(
        is_new=False,
        local_date=today,
        streak=standing.streak,
        points=0,
        bonus=0,
        milestone=None,
        balance=await points.balance(session, member_id),
        next_at=policy.next_at(standing.last_on, standing.last_at, zone),
        calendar=_checked(days),
        filled=_filled(days),
        month=today.month,
        year=today.year,
        has_programme=has_more,
    )


async def _gifts(session: AsyncSession, member_id: int, counted: Counted, mended: Mended | None) -> list[Gift]:
    if mended is None and not counted.has_milestone:
        return []
    whole = mended.streak if mended else policy.streak_of(await repository.all_days(session, member_id))
    saved = len(mended.saved) if mended else 0
    return await rewarding.give(session, member_id, whole.run, before=counted.profile.streak - 1 - saved)


def _may_go_on(counted: Counted, zone: ZoneInfo) -> bool:
    """Whether a streak that began anew could still be the old one: it is insured, or the zone has changed."""
    if counted.profile.streak > 1 or counted.profile.check_ins_count <= 1:
        return False
    return counted.zone_kept != zone.key or counted.insurance not in {None, Insurance.OFF.value}


async def _announce(
    session: AsyncSession, member_id: int, today: date, counted: Counted, channel: str | None
) -> list[Award]:
    fact = CheckedIn(member_id=member_id, local_date=today, streak=counted.profile.streak, channel=channel)
    async with events.together(session):
        return await points.award(session, await events.publish(session, fact), profile=counted.profile)


def _checked(days: list[int]) -> list[int]:
    """Days of a month with a check-in; those that were filled are negative."""
    return [day for day in days if day > 0]


def _filled(days: list[int]) -> list[int]:
    return sorted(-day for day in days if day < 0)

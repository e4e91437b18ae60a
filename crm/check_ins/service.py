"""Use cases of check-ins: once per local day of the member, with points, streak and milestones."""

import calendar as months
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import policy, repository
from crm.check_ins.repository import Counted
from crm.check_ins.types import CheckInCalendar, CheckInResult
from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import CheckedIn
from crm.members import service as members
from crm.points import service as points
from crm.points.types import Award

_STREAK_RULE = "streak"


async def check_in(session: AsyncSession, member_id: int, *, channel: str | None = None) -> CheckInResult:
    """Count today's check-in and give its points; a tap on a day that counted already changes nothing.

    Today is the date in the member's time zone; at least 12 hours lie between two check-ins that count.
    Raises MemberNotFound.
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
    awards: list[Award] = []
    if counted is not None:
        last_on, last_at, streak = today, now, counted.profile.streak
        days = [*counted.days_before, today.day]
        awards = await _announce(session, member_id, today, counted, channel)
    else:
        standing = await repository.standing(session, member_id)
        assert standing is not None
        last_on, last_at, streak = standing.last_on, standing.last_at, standing.streak
        days = await _days(session, member_id, today)
    bonus = sum(award.points for award in awards if award.rule == _STREAK_RULE)
    return CheckInResult(
        is_new=counted is not None,
        local_date=today,
        streak=streak,
        points=sum(award.points for award in awards) - bonus,
        bonus=bonus,
        milestone=streak if bonus else None,
        balance=awards[-1].balance if awards else await points.balance(session, member_id),
        next_at=policy.next_at(last_on, last_at, zone),
        calendar=days,
        month=today.month,
        year=today.year,
    )


async def calendar(session: AsyncSession, member_id: int) -> CheckInCalendar:
    """This month of the member. Raises MemberNotFound."""
    zone = await members.zone(session, member_id)
    today = (await clock.now(session)).astimezone(zone).date()
    standing = await repository.standing(session, member_id)
    is_running = standing is not None and standing.last_on >= policy.day_before(today, zone)
    return CheckInCalendar(
        year=today.year,
        month=today.month,
        today=today.day,
        days=await _days(session, member_id, today),
        streak=standing.streak if standing is not None and is_running else 0,
        total=0 if standing is None else standing.total,
    )


async def _announce(
    session: AsyncSession, member_id: int, today: date, counted: Counted, channel: str | None
) -> list[Award]:
    fact = CheckedIn(member_id=member_id, local_date=today, streak=counted.profile.streak, channel=channel)
    async with events.together(session):
        return await points.award(session, await events.publish(session, fact), profile=counted.profile)


async def _days(session: AsyncSession, member_id: int, today: date) -> list[int]:
    last = today.replace(day=months.monthrange(today.year, today.month)[1])
    return await repository.days_of_month(session, member_id, today.replace(day=1), last)

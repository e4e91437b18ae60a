"""The dashboard: a few set-based queries over the published views."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.analytics.types import Dashboard, DayCount
from crm.brand import service as brands
from crm.campaigns import service as campaigns
from crm.campaigns.types import CampaignStatus
from crm.db import clock
from crm.events.catalogue import CheckedIn, MemberSignedUp
from crm.events.views import events
from crm.members import service as members
from crm.members.types import Member, MemberStatus
from crm.profiles.views import profiles

DAYS = 30
WEEK = 7


async def dashboard(session: AsyncSession) -> Dashboard:
    """Every figure as of now, in the brand's time zone."""
    zone = await brands.zone(session)
    today = (await clock.now(session)).astimezone(zone).date()
    week = _start_of(today - timedelta(days=WEEK - 1), zone)
    counted = (await session.execute(select(*_figures(week, _start_of(today, zone))))).one()
    joined = await _by_day(session, MemberSignedUp.kind, today, zone)
    checked_in = await _by_day(session, CheckedIn.kind, today, zone)
    running = await campaigns.listing(session, status=CampaignStatus.RUNNING, limit=200)
    return Dashboard(
        **counted._mapping,  # noqa: SLF001 - SQLAlchemy's public name for this
        checked_in_today=checked_in[-1].count,
        checked_in_yesterday=checked_in[-2].count,
        campaigns_running=len(running.items),
        joined_by_day=joined,
        checked_in_by_day=checked_in,
    )


async def recent_sign_ups(session: AsyncSession, *, limit: int = 6) -> list[Member]:
    """Who signed up last, the latest first; merged and erased ones are left out."""
    query = select(events.c.member_id).where(events.c.kind == MemberSignedUp.kind, events.c.member_id.is_not(None))
    rows = await session.scalars(query.order_by(events.c.occurred_at.desc()).limit(2 * limit))
    found = [await members.get(session, member_id) for member_id in dict.fromkeys(rows)]
    return [member for member in found if member.status is MemberStatus.ACTIVE][:limit]


def _figures(week: datetime, today: datetime) -> list[ColumnElement[Any]]:
    signed_up = profiles.c.signed_up_at
    figures: Mapping[str, ColumnElement[Any]] = {
        "members": func.count().filter(signed_up.is_not(None)),
        "leads": func.count().filter(signed_up.is_(None)),
        "joined_today": func.count().filter(signed_up >= today),
        "joined_this_week": func.count().filter(signed_up >= week),
        "active_this_week": func.count().filter(profiles.c.last_seen_at >= week),
        "reachable": func.count().filter(profiles.c.is_reachable, signed_up.is_not(None)),
        "points_outstanding": func.coalesce(func.sum(profiles.c.points_balance), 0),
    }
    return [value.label(name) for name, value in figures.items()]


async def _by_day(session: AsyncSession, kind: str, today: date, zone: ZoneInfo) -> list[DayCount]:
    first = today - timedelta(days=DAYS - 1)
    day = cast(func.timezone(zone.key, events.c.occurred_at), Date)
    query = (
        select(day, func.count())
        .where(events.c.kind == kind, events.c.occurred_at >= _start_of(first, zone))
        .group_by(day)
    )
    found = {row[0]: row[1] for row in await session.execute(query)}
    days = (first + timedelta(days=number) for number in range(DAYS))
    return [DayCount(item, found.get(item, 0)) for item in days]


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

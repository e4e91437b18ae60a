"""Whose birthday or sign-up it is, some days before or after, by their own day and clock: one statement for all."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    Time,
    cast,
    extract,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from crm.journeys.triggers import DateProperty, DateTrigger
from crm.members.own_days import BEFORE_LEAP_DAY, LEAP_DAY, is_anniversary, month_and_day, own_zone
from crm.members.views import members
from crm.profiles.views import profiles

_AROUND = 2
"""Days by which calendars on earth differ, and a stored moment from its local day."""


def entering(trigger: DateTrigger, now: datetime, brand_zone: str) -> Select[Any]:
    """Active members who enter now: member_id, cause (the year) and facts. Later that day they are found again."""
    zone = func.coalesce(own_zone(members.c, now), brand_zone)
    local = func.timezone(zone, literal(now, DateTime(timezone=True)))
    day = cast(local, Date) - trigger.offset_days
    year = cast(extract("year", day), Integer)
    born, is_near = _property(trigger, zone, now)
    years = year - cast(extract("year", born), Integer)
    facts = {"on": cast(day, Text), "years": years} if trigger.date is DateProperty.SIGN_UP else {"on": cast(day, Text)}
    pairs = [part for name, value in facts.items() for part in (literal(name), value)]
    return (
        select(
            profiles.c.member_id,
            cast(year, Text).label("cause"),
            cast(func.jsonb_build_object(*pairs), JSONB).label("facts"),
        )
        .join(members, members.c.id == profiles.c.member_id)
        .where(is_near, profiles.c.signed_up_at.is_not(None), years > 0)
        .where(cast(local, Time) >= trigger.at, is_anniversary(born, day))
    )


def _property(trigger: DateTrigger, zone: Any, now: datetime) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """The day of which the anniversary is looked for, and a test on an index that leaves few members to look at."""
    utc = [(now + timedelta(days=shift - trigger.offset_days)).date() for shift in range(-_AROUND, _AROUND + 1)]
    near = sorted({day.month * 100 + day.day for day in utc})
    if BEFORE_LEAP_DAY in near:
        near.append(LEAP_DAY)
    if trigger.date is DateProperty.BIRTHDAY:
        return members.c.birthday, month_and_day(members.c.birthday).in_(near)
    signed_up = profiles.c.signed_up_at
    return cast(func.timezone(zone, signed_up), Date), month_and_day(func.timezone("UTC", signed_up)).in_(near)

"""Coupons that tiers give: once a calendar month of the brand, and once a year on the member's birthday."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Row,
    Select,
    Text,
    and_,
    cast,
    extract,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.coupons.service import issuing
from crm.db import clock
from crm.db.savepoint import savepoint
from crm.kit.errors import DomainError
from crm.members.own_days import is_anniversary, own_zone
from crm.members.views import members as people
from crm.profiles import service as profiles
from crm.tiers import repository
from crm.tiers.models import BenefitRow, StandingRow
from crm.tiers.types import Given, ProgrammeStatus

MONTHLY, BIRTHDAY = "monthly", "birthday"
_SHOWN = 12


async def give_due(session: AsyncSession, limit: int = 200) -> int:
    """Issue what at most `limit` members have coming to them; answers how many were looked after.

    A coupon that cannot be issued is noted with the reason and not tried again in that period.
    """
    live = await repository.with_status(session, ProgrammeStatus.LIVE)
    if live is None:
        return 0
    now = await clock.now(session)
    zone = (await brand.get(session)).time_zone
    month = now.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
    tiers = live.rules.tiers
    monthly = {tier.key: tier.monthly_coupon_id for tier in tiers if tier.monthly_coupon_id is not None}
    birthday = {tier.key: tier.birthday_coupon_id for tier in tiers if tier.birthday_coupon_id is not None}
    done = 0
    if monthly:
        done += await _give_monthly(session, monthly, month, limit)
    if birthday and done < limit:
        done += await _give_birthday(session, birthday, now, zone, limit - done)
    return done


async def recent(session: AsyncSession) -> list[Given]:
    """What the last periods came to, the newest first; only the members' last period of each benefit is known."""
    ways = (BenefitRow.kind, BenefitRow.period, func.coalesce(BenefitRow.problem, ""))
    query = select(*ways, func.count()).group_by(*ways).order_by(BenefitRow.period.desc(), BenefitRow.kind)
    found: dict[tuple[str, str], Given] = {}
    for kind, period, problem, number in await session.execute(query):
        known = found.get((kind, period)) or Given(kind, period, 0)
        problems = {**known.problems, problem: number} if problem else known.problems
        found[kind, period] = Given(kind, period, known.given + (0 if problem else number), problems)
    return list(found.values())[:_SHOWN]


async def _give_monthly(session: AsyncSession, coupons: Mapping[str, int], month: str, limit: int) -> int:
    rows = await _free(session, _due(MONTHLY, coupons, month).limit(limit))
    for row in rows:
        await _give(session, row.member_id, coupons[row.tier], MONTHLY, month)
    return len(rows)


async def _give_birthday(
    session: AsyncSession, coupons: Mapping[str, int], now: datetime, zone: str, limit: int
) -> int:
    """To those whose birthday it is by their own day."""
    own = func.coalesce(own_zone(people.c, now), zone)
    today = cast(func.timezone(own, literal(now, DateTime(timezone=True))), Date)
    period = cast(cast(extract("year", today), Integer), Text)
    query = _due(BIRTHDAY, coupons, period).where(is_anniversary(people.c.birthday, today))
    rows = await _free(session, query.add_columns(period.label("period")).limit(limit))
    for row in rows:
        await _give(session, row.member_id, coupons[row.tier], BIRTHDAY, row.period)
    return len(rows)


def _due(kind: str, coupons: Mapping[str, int], period: ColumnElement[str] | str) -> Select[*tuple[Any, ...]]:
    """Active members of these tiers who did not have the benefit in this period yet; held until the commit."""
    own = and_(BenefitRow.member_id == StandingRow.member_id, BenefitRow.kind == kind)
    query = (
        select(StandingRow.member_id, StandingRow.tier)
        .join(people, and_(people.c.id == StandingRow.member_id, people.c.status == "active"))
        .outerjoin(BenefitRow, own)
        .where(StandingRow.tier.in_(list(coupons)))
        .order_by(StandingRow.member_id)
        .with_for_update(of=StandingRow, skip_locked=True)
    )
    return query.where(BenefitRow.period.is_distinct_from(period))


async def _free(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> list[Row[*tuple[Any, ...]]]:
    """Without those whom somebody is at work on: they have it coming to them still when the next look comes."""
    rows = (await session.execute(query)).all()
    free = await profiles.hold_free(session, [row.member_id for row in rows])
    return [row for row in rows if row.member_id in free]


async def _give(session: AsyncSession, member_id: int, coupon_id: int, kind: str, period: str) -> None:
    values: dict[str, Any] = {"coupon_id": coupon_id, "at": await clock.now(session), "period": period}
    values |= {"voucher_id": None, "problem": None}
    key = f"tier:{kind}:{member_id}:{period}"
    try:
        async with savepoint(session):
            voucher = await issuing.issue(session, member_id, coupon_id, key=key, source=f"tier_{kind}")
        values["voucher_id"] = voucher.id
    except DomainError as error:
        values["problem"] = error.code()
    new = upsert(BenefitRow).values(member_id=member_id, kind=kind, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["member_id", "kind"], set_=values))

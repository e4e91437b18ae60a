"""The evaluation in SQL says the same as in plain Python, whoever the members and whatever the programme."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.base import Base
from crm.tiers import deciding, measuring, policy
from crm.tiers.models import StandingRow
from crm.tiers.types import Downgrade, Grant, Measure, Rules, Standing, Window
from tests.conftest import At
from tests.factories.population import Person, populate
from tests.factories.tiers import rules, tier

NOW = "2026-01-20T12:00+00:00"
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
_KEYS = st.sampled_from([None, "silver", "gold", "black", "bronze"])
_DAYS = st.none() | st.integers(-3, 40)


@dataclass(frozen=True)
class Someone:
    """A member as they stand, by days from now, and what they bought: days ago, amount, status."""

    tier: str | None
    earned: str | None
    falls: int | None
    risk: int | None
    grant: tuple[str, int] | None
    orders: tuple[tuple[int, int, str], ...]


PEOPLE = st.lists(
    st.builds(
        Someone,
        tier=_KEYS,
        earned=_KEYS,
        falls=_DAYS,
        risk=_DAYS,
        grant=st.none() | st.tuples(st.sampled_from(["silver", "black", "bronze"]), st.integers(-1, 1)),
        orders=st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 4), st.sampled_from(["paid", "refunded"])), max_size=5
        ).map(tuple),
    ),
    min_size=1,
    max_size=6,
)
PROGRAMMES = st.builds(
    lambda measure, window, downgrade, grace, risk, keep: rules(
        tier("silver", "1"), tier("gold", "3", keep), tier("black", "5", "4", multiplier=Decimal("1.25")),
        measure=measure, window=window, downgrade=downgrade, grace_days=grace, at_risk_days=risk,
        **({"months": 1} if window is Window.ROLLING else {}),
    ),
    st.sampled_from([Measure.SPEND, Measure.ORDERS]),
    st.sampled_from(list(Window)),
    st.sampled_from(list(Downgrade)),
    st.sampled_from([1, 10, 30]),
    st.sampled_from([0, 10, 30]),
    st.sampled_from(["1", "2", "3"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=CHECKS, database=None)
@given(people=PEOPLE, programme=PROGRAMMES)
async def test_sql_and_python_agree(session: AsyncSession, at: At, people: list[Someone], programme: Rules) -> None:
    now = await at(session, NOW)
    savepoint = await session.begin_nested()
    try:
        people_of = [
            Person(orders=tuple((days, amount * 100, status) for days, amount, status in one.orders)) for one in people
        ]
        ids = await populate(session, people_of, now)
        rows = [_row(member_id, one, now) for member_id, one in zip(ids, people, strict=True)]
        await session.execute(insert(Base.metadata.tables[StandingRow.__tablename__]), rows)
        times = policy.spans(programme, now, ZoneInfo("Asia/Shanghai"))
        asked = deciding.decided(programme, times, measuring.within(min(ids), max(ids)), now)
        found = {row["member_id"]: row for row in (await session.execute(asked)).mappings()}
        differing = deciding.differing(programme, times, measuring.among(ids), now)
        changed = {row["member_id"]: row for row in (await session.execute(differing)).mappings()}
        for member_id, one in zip(ids, people, strict=True):
            row, before = found[member_id], _standing(one, now)
            reached = policy.measure_of(_amounts(programme, one, now), times)
            assert (row["entry"], row["keep"], row["coming"]) == (reached.entry, reached.keep, reached.coming)
            plain = policy.evaluate(programme, before, reached, now)
            then = (row["tier_then"], row["earned_then"], row["falls_then"], row["risk_then"], row["is_up"])
            assert then == (plain.tier, plain.earned, plain.falls_at, plain.risk_ends_at, plain.is_up)
            factor = policy.multiplier(programme, plain.tier)
            is_stale = plain.tier is not None or factor != 1
            assert (member_id in changed) is (policy.is_changed(before, plain) or is_stale)
    finally:
        await savepoint.rollback()


def _in_days(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _row(member_id: int, one: Someone, now: datetime) -> dict[str, Any]:
    key, days = one.grant or (None, None)
    return {
        "member_id": member_id,
        "tier": one.tier,
        "earned": one.earned,
        "since": None,
        "falls_at": _in_days(now, one.falls),
        "risk_ends_at": _in_days(now, one.risk),
        "grant_tier": key,
        "grant_until": _in_days(now, days),
    }


def _standing(one: Someone, now: datetime) -> Standing:
    grant = None
    if one.grant is not None:
        grant = Grant(one.grant[0], now + timedelta(days=one.grant[1]), "", "")
    return Standing(one.tier, one.earned, None, _in_days(now, one.falls), _in_days(now, one.risk), grant)


def _amounts(programme: Rules, one: Someone, now: datetime) -> list[tuple[datetime, Decimal]]:
    is_money = programme.measure is Measure.SPEND
    return [
        (now - timedelta(days=days), Decimal(amount) if is_money else Decimal(1))
        for days, amount, status in one.orders
        if status == "paid"
    ]

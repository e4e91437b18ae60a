"""What members reached, in one statement for a range of them: `policy.measure_of` in SQL."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Numeric, Select, and_, cast, func, literal, select, union_all

from crm.members.views import members
from crm.orders.types import OrderStatus
from crm.orders.views import orders
from crm.points.views import earnings
from crm.profiles.views import profiles
from crm.tiers.models import StandingRow
from crm.tiers.types import Measure, Rules, Spans, Window

Range = tuple[int, int]
"""First and last id of the members in question."""
_MONEY = Numeric(18, 2)
_ZERO = cast(literal(0), _MONEY)


def subjects(rules: Rules, times: Spans, ids: Range) -> Select[*tuple[Any, ...]]:
    """Every active member of the range: standing, profile's tier and multiplier, and entry, keep and coming."""
    entry, keep, coming, source = _measures(rules, times, ids)
    standing = StandingRow.__table__
    columns = [
        profiles.c.member_id,
        *(column for column in standing.c if column.name != "member_id"),
        profiles.c.tier.label("profile_tier"),
        profiles.c.multiplier.label("profile_multiplier"),
        entry.label("entry"),
        keep.label("keep"),
        coming.label("coming"),
    ]
    own = and_(standing.c.member_id == profiles.c.member_id, standing.c.member_id.between(*ids))
    joined = profiles.outerjoin(standing, own)
    if source is not None:
        joined = joined.outerjoin(source, source.c.member_id == profiles.c.member_id)
    return select(*columns).select_from(joined).where(profiles.c.member_id.between(*ids))


def _measures(
    rules: Rules, times: Spans, ids: Range
) -> tuple[ColumnElement[Decimal], ColumnElement[Decimal], ColumnElement[Decimal], FromClause | None]:
    if rules.window is Window.LIFETIME and rules.measure is not Measure.POINTS:
        of_profile = profiles.c.orders_total if rules.measure is Measure.SPEND else profiles.c.orders_count
        whole = cast(of_profile, _MONEY)
        return whole, whole, whole, None
    facts = _facts(rules.measure, ids)
    first = min((at for at in (times.current_from, times.previous_from, times.coming_from) if at), default=None)
    starts = {
        name: _after(start, first) for name, start in (("current", times.current_from), ("coming", times.coming_from))
    }
    sums = {name: _sum(facts, start, None).label(name) for name, start in starts.items()}
    if times.previous_from:
        sums["previous"] = _sum(facts, times.previous_from, times.current_from).label("previous")
    if times.coming_from == times.current_from:
        del sums["coming"]  # counted once
    totals = select(facts.c.member_id, *sums.values()).group_by(facts.c.member_id)
    if first is not None:
        totals = totals.where(facts.c.at >= first)
    totals_of = totals.subquery("totals")
    current = _above_zero(totals_of.c.current)
    previous = _above_zero(totals_of.c.previous) if "previous" in sums else _ZERO
    coming = _above_zero(totals_of.c.coming) if "coming" in sums else current
    later = func.greatest(coming, previous) if times.has_previous_then else coming
    return current, func.greatest(current, previous), later, totals_of


def _facts(measure: Measure, ids: Range) -> FromClause:
    """Amounts with their time."""
    if measure is Measure.POINTS:
        return _earnings(ids)
    amount = orders.c.amount if measure is Measure.SPEND else cast(literal(1), _MONEY)
    paid = (orders.c.status == OrderStatus.PAID.value, orders.c.member_id.between(*ids))
    return select(orders.c.member_id, amount.label("amount"), orders.c.placed_at.label("at")).where(*paid).subquery("f")


def _earnings(ids: Range) -> FromClause:
    """Of the members and of those who were merged into them: the ledger stays where it was written."""
    merged = (
        select(members.c.id, members.c.merged_into_id.label("owner_id"))
        .where(members.c.merged_into_id.between(*ids))
        .cte("merged", recursive=True)
    )
    older = members.alias("older")
    merged = merged.union_all(select(older.c.id, merged.c.owner_id).join(merged, older.c.merged_into_id == merged.c.id))
    theirs = earnings.alias("merged_earnings")
    return union_all(
        select(
            earnings.c.member_id, cast(earnings.c.amount, _MONEY).label("amount"), earnings.c.occurred_at.label("at")
        ).where(earnings.c.member_id.between(*ids)),
        select(merged.c.owner_id, cast(theirs.c.amount, _MONEY), theirs.c.occurred_at).join(
            theirs, theirs.c.member_id == merged.c.id
        ),
    ).subquery("f")


def _sum(facts: FromClause, start: datetime | None, end: datetime | None) -> ColumnElement[Any]:
    tests: list[ColumnElement[bool]] = []
    if start is not None:
        tests.append(facts.c.at >= start)
    if end is not None:
        tests.append(facts.c.at < end)
    total: ColumnElement[Any] = func.sum(facts.c.amount)
    return func.sum(facts.c.amount).filter(and_(*tests)) if tests else total


def _after(start: datetime | None, first: datetime | None) -> datetime | None:
    """None where everything that is read lies behind `start` anyhow."""
    return None if start == first else start


def _above_zero(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.greatest(func.coalesce(column, _ZERO), _ZERO)

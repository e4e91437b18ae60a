"""What members reached, in one statement for many of them: `policy.measure_of` in SQL."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    and_,
    any_,
    cast,
    func,
    literal,
    select,
    union_all,
)

from crm.members.views import members
from crm.orders.types import OrderStatus
from crm.orders.views import orders
from crm.points.views import earnings
from crm.profiles.views import profiles
from crm.tiers.models import StandingRow
from crm.tiers.types import Measure, Rules, Spans, Window

Whom = Callable[[ColumnElement[int]], ColumnElement[bool]]
"""The members in question: whether a column holds the id of one."""
_MONEY = Numeric(18, 2)
_ZERO = cast(literal(0), _MONEY)


def within(first: int, last: int) -> Whom:
    """Everybody from one id to the other."""
    return lambda column: column.between(first, last)


def among(member_ids: Sequence[int]) -> Whom:
    """These."""
    wanted = literal(list(member_ids), ARRAY(BigInteger))
    return lambda column: column == any_(wanted)


def subjects(rules: Rules, times: Spans, whom: Whom) -> Select[*tuple[Any, ...]]:
    """Each of the active members: standing, profile's tier and multiplier, and entry, keep and coming."""
    entry, keep, coming, source = _measures(rules, times, whom)
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
    own = and_(standing.c.member_id == profiles.c.member_id, whom(standing.c.member_id))
    joined = profiles.outerjoin(standing, own)
    if source is not None:
        joined = joined.outerjoin(source, source.c.member_id == profiles.c.member_id)
    return select(*columns).select_from(joined).where(whom(profiles.c.member_id))


def _measures(
    rules: Rules, times: Spans, whom: Whom
) -> tuple[ColumnElement[Decimal], ColumnElement[Decimal], ColumnElement[Decimal], FromClause | None]:
    if rules.window is Window.LIFETIME and rules.measure is not Measure.POINTS:
        of_profile = profiles.c.orders_total if rules.measure is Measure.SPEND else profiles.c.orders_count
        whole = cast(of_profile, _MONEY)
        return whole, whole, whole, None
    facts = _facts(rules.measure, whom)
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


def _facts(measure: Measure, whom: Whom) -> FromClause:
    """Amounts with their time."""
    if measure is Measure.POINTS:
        return _earnings(whom)
    amount = orders.c.amount if measure is Measure.SPEND else cast(literal(1), _MONEY)
    paid = (orders.c.status == OrderStatus.PAID.value, whom(orders.c.member_id))
    return select(orders.c.member_id, amount.label("amount"), orders.c.placed_at.label("at")).where(*paid).subquery("f")


def _earnings(whom: Whom) -> FromClause:
    """Of the members and of those who were merged into them: the ledger stays where it was written."""
    merged = (
        select(members.c.id, members.c.merged_into_id.label("owner_id"))
        .where(whom(members.c.merged_into_id))
        .cte("merged", recursive=True)
    )
    older = members.alias("older")
    merged = merged.union_all(select(older.c.id, merged.c.owner_id).join(merged, older.c.merged_into_id == merged.c.id))
    theirs = earnings.alias("merged_earnings")
    return union_all(
        select(
            earnings.c.member_id, cast(earnings.c.amount, _MONEY).label("amount"), earnings.c.occurred_at.label("at")
        ).where(whom(earnings.c.member_id)),
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

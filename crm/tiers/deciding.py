"""Where members belong, in one statement: `policy.evaluate` in SQL, which must agree with it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from crm.tiers import policy
from crm.tiers.measuring import Whom, subjects
from crm.tiers.types import Downgrade, Rules, Spans

_TIME = DateTime(timezone=True)
Expression = ColumnElement[Any]


def decided(rules: Rules, times: Spans, whom: Whom, now: datetime) -> Select[*tuple[Any, ...]]:
    """`measuring.subjects` with `tier_then`, `earned_then`, `falls_then`, `risk_then` and whether it `is_up`."""
    who = subjects(rules, times, whom).cte("who")
    # kept as rows, because what is said of them several times would be worked out each time
    placed = select(who, *_places(rules, who.c, now)).cte("placed").prefix_with("MATERIALIZED")
    earned = select(placed, *_earned(rules, placed.c, now)).cte("earned_now").prefix_with("MATERIALIZED")
    found = earned.c
    place = case((found.granted > 0, found.granted), else_=found.earned_place)
    then = (
        select(
            earned,
            _keyed(rules, place).label("tier_then"),
            _keyed(rules, found.earned_place).label("earned_then"),
            _risk(rules, found, now).label("risk_then"),
            (place > _place(rules, found.tier)).label("is_up"),
            _multiplier(rules, place).label("multiplier_then"),
        )
        .cte("then_")
        .prefix_with("MATERIALIZED")
    )
    return select(then)


def differing(rules: Rules, times: Spans, whom: Whom, now: datetime) -> Select[*tuple[Any, ...]]:
    """Only those of `decided` for whom something has to be written."""
    found = decided(rules, times, whom, now).subquery("decided")
    has_grant_ended = func.coalesce(found.c.grant_until <= now, False)
    pairs = (
        (found.c.tier, found.c.tier_then),
        (found.c.earned, found.c.earned_then),
        (found.c.falls_at, found.c.falls_then),
        (found.c.risk_ends_at, found.c.risk_then),
        (found.c.profile_tier, found.c.tier_then),
        (found.c.profile_multiplier, found.c.multiplier_then),
    )
    return select(found).where(or_(has_grant_ended, *(old.is_distinct_from(new) for old, new in pairs)))


def _places(rules: Rules, who: Any, now: datetime) -> list[Expression]:
    is_granted = func.coalesce(who.grant_until > now, False)
    return [
        _place(rules, who.earned).label("place"),
        case((is_granted, _place(rules, who.grant_tier)), else_=0).label("granted"),
        _highest(((tier.enter, number) for number, tier in enumerate(rules.tiers, 1)), who.entry).label("reached"),
    ]


def _earned(rules: Rules, found: Any, now: datetime) -> list[Expression]:
    is_rising = found.reached > found.place
    is_safe = or_(found.place == 0, found.keep >= _keep(rules, found.place))
    if rules.downgrade is Downgrade.NEVER:
        is_safe = literal(True)
    falls_at = func.coalesce(found.falls_at, literal(now + timedelta(days=rules.grace_days), _TIME))
    is_waiting = falls_at > now
    place = case(
        (is_rising, found.reached),
        (or_(is_safe, is_waiting), found.place),
        else_=_lower(rules, found.place, found.keep),
    )
    falls = case((or_(is_rising, is_safe), cast(null(), _TIME)), (is_waiting, falls_at), else_=cast(null(), _TIME))
    return [place.label("earned_place"), falls.label("falls_then")]


def _lower(rules: Rules, place: Expression, value: Expression) -> Expression:
    if rules.downgrade is Downgrade.ONE_STEP:
        return func.greatest(place - 1, 0)
    below = ((tier.keep, number) for number, tier in enumerate(rules.tiers, 1))
    return func.least(_highest(below, value), func.greatest(place - 1, 0))


def _risk(rules: Rules, found: Any, now: datetime) -> Expression:
    nothing = cast(null(), _TIME)
    if not rules.at_risk_days or rules.downgrade is Downgrade.NEVER:
        return nothing
    soon = now + timedelta(days=rules.at_risk_days)
    later = literal(now + timedelta(days=max(rules.at_risk_days, rules.grace_days)), _TIME)
    return case(
        (or_(found.granted > 0, found.earned_place == 0), nothing),
        (found.falls_then.is_not(None), case((found.falls_then <= soon, found.falls_then), else_=nothing)),
        (found.coming >= _keep(rules, found.earned_place), nothing),
        (func.coalesce(found.risk_ends_at > now, False), found.risk_ends_at),
        else_=later,
    )


def _place(rules: Rules, key: Expression) -> Expression:
    pairs = [(key == tier.key, number) for number, tier in enumerate(rules.tiers, 1)]
    return case(*pairs, else_=cast(literal(policy.NOWHERE), Integer))


def _keyed(rules: Rules, place: Expression) -> Expression:
    return case(
        *((place == number, cast(literal(tier.key), Text)) for number, tier in enumerate(rules.tiers, 1)),
        else_=cast(null(), Text),
    )


def _keep(rules: Rules, place: Expression) -> Expression:
    return case(*((place == number, _money(tier.keep)) for number, tier in enumerate(rules.tiers, 1)), else_=_money(0))


def _multiplier(rules: Rules, place: Expression) -> Expression:
    factor = Numeric(6, 3)
    pairs = [(place == number, cast(literal(tier.multiplier), factor)) for number, tier in enumerate(rules.tiers, 1)]
    return case(*pairs, else_=cast(literal(1), factor))


def _highest(thresholds: Iterable[tuple[Decimal, int]], value: Expression) -> Expression:
    """The position of the highest threshold that `value` reaches."""
    falling = sorted(thresholds, key=lambda pair: -pair[1])
    return case(*((value >= _money(goal), number) for goal, number in falling), else_=0)


def _money(value: Decimal | int) -> Expression:
    return cast(literal(value), Numeric(18, 2))

"""Pure decisions about tiers: where a member belongs, and when they are at risk. `deciding` says the same in SQL."""

import calendar
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from crm.tiers.types import Downgrade, Measured, Outcome, Reason, Rules, Spans, Standing, Tier, Window

NOWHERE = 0
"""Position of who has no tier; tiers are counted from 1."""


def position(rules: Rules, key: str | None) -> int:
    """The place of a tier in the programme, from 1 on; 0 for none and for one that it does not have."""
    return next((number for number, tier in enumerate(rules.tiers, 1) if tier.key == key), NOWHERE)


def tier_at(rules: Rules, place: int) -> Tier | None:
    """The tier at a position; None at 0."""
    return rules.tiers[place - 1] if place else None


def spans(rules: Rules, now: datetime, zone: ZoneInfo) -> Spans:
    """The times that amounts are counted from, by days of the brand's `zone`."""
    today = now.astimezone(zone).date()
    horizon = today + timedelta(days=max(rules.at_risk_days - rules.grace_days, 0))
    if rules.window is Window.ROLLING:
        months = rules.months or 1
        return Spans(
            _midnight(_months_before(today, months), zone),
            None,
            _midnight(_months_before(horizon, months), zone),
            False,
        )
    if rules.window is Window.CALENDAR_YEAR:
        january = _midnight(date(today.year, 1, 1), zone)
        return Spans(january, _midnight(date(today.year - 1, 1, 1), zone), january, horizon.year == today.year)
    return Spans(None, None, None, False)


def evaluate(
    rules: Rules, standing: Standing, measured: Measured, now: datetime, *, because: Reason | None = None
) -> Outcome:
    """Where a member belongs now; `because` is the reason of what changes without a grant, when it is known."""
    earned, falls_at = _earned(rules, standing, measured, now)
    grant = standing.grant if standing.grant and standing.grant.until > now else None
    granted = position(rules, grant.tier) if grant else NOWHERE
    place = granted or earned
    key = _key(rules, place)
    risk_ends_at = None if granted else _risk(rules, standing, measured.coming, now, (earned, falls_at))
    kept = tier_at(rules, earned)
    goal = kept.keep if kept else Decimal(0)
    return Outcome(
        tier=key,
        earned=_key(rules, earned),
        falls_at=falls_at,
        risk_ends_at=risk_ends_at,
        reason=None if key == standing.tier else _reason(rules, standing, bool(granted), place, because),
        has_grant_ended=standing.grant is not None and grant is None,
        is_up=place > position(rules, standing.tier),
        next_tier=_key(rules, _lower(rules, earned, measured.keep if falls_at else measured.coming)),
        missing=max(goal - (measured.keep if falls_at else measured.coming), Decimal(0)),
    )


def is_changed(standing: Standing, outcome: Outcome) -> bool:
    """Whether anything has to be written."""
    before = (standing.tier, standing.earned, standing.falls_at, standing.risk_ends_at)
    after = (outcome.tier, outcome.earned, outcome.falls_at, outcome.risk_ends_at)
    return outcome.has_grant_ended or before != after


def is_newly_at_risk(standing: Standing, outcome: Outcome) -> bool:
    """Whether the member has to be warned now: once in each tier and stretch of risk."""
    return outcome.risk_ends_at is not None and (standing.risk_ends_at is None or outcome.reason is not None)


def multiplier(rules: Rules, key: str | None) -> Decimal:
    """Of a tier; 1 without one."""
    tier = tier_at(rules, position(rules, key))
    return tier.multiplier if tier else Decimal(1)


def measure_of(amounts: Sequence[tuple[datetime, Decimal]], times: Spans) -> Measured:
    """What the amounts, each with its time, come to; never below 0."""
    current = _sum(amounts, times.current_from, None)
    previous = _sum(amounts, times.previous_from, times.current_from) if times.previous_from else Decimal(0)
    coming = _sum(amounts, times.coming_from, None)
    later = max(coming, previous) if times.has_previous_then else coming
    return Measured(current, max(current, previous), later)


def share(value: Decimal, goal: Decimal) -> Decimal:
    """How much of `goal` is reached, 0 to 1."""
    return Decimal(1) if goal <= 0 else min(max(value / goal, Decimal(0)), Decimal(1))


def bar(reached: Decimal, cells: int = 10) -> str:
    """A bar of text; full only when everything is reached, and never empty when anything is."""
    full = int(reached * cells)
    if not full and reached > 0:
        full = 1
    return "▰" * full + "▱" * (cells - full)


def _earned(rules: Rules, standing: Standing, measured: Measured, now: datetime) -> tuple[int, datetime | None]:
    """The position without any grant, and when its grace period ends."""
    place = position(rules, standing.earned)
    reached = max((number for number, tier in enumerate(rules.tiers, 1) if tier.enter <= measured.entry), default=0)
    held = tier_at(rules, place)
    if reached > place:
        return reached, None
    if held is None or measured.keep >= held.keep or rules.downgrade is Downgrade.NEVER:
        return place, None
    falls_at = standing.falls_at or now + timedelta(days=rules.grace_days)
    return (place, falls_at) if falls_at > now else (_lower(rules, place, measured.keep), None)


def _lower(rules: Rules, place: int, value: Decimal) -> int:
    """Where one falls to from a position."""
    if rules.downgrade is Downgrade.ONE_STEP:
        return max(place - 1, NOWHERE)
    return max(
        (number for number, tier in enumerate(rules.tiers[: max(place - 1, 0)], 1) if tier.keep <= value), default=0
    )


def _risk(
    rules: Rules, standing: Standing, coming: Decimal, now: datetime, place: tuple[int, datetime | None]
) -> datetime | None:
    earned, falls_at = place
    held = tier_at(rules, earned)
    if held is None or not rules.at_risk_days or rules.downgrade is Downgrade.NEVER:
        return None
    if falls_at is not None:
        return falls_at if falls_at <= now + timedelta(days=rules.at_risk_days) else None
    if coming >= held.keep:
        return None
    if standing.risk_ends_at is not None and standing.risk_ends_at > now:
        return standing.risk_ends_at
    return now + timedelta(days=max(rules.at_risk_days, rules.grace_days))


def _reason(rules: Rules, standing: Standing, is_granted: bool, place: int, because: Reason | None) -> Reason:
    if is_granted:
        return Reason.GRANTED
    if standing.grant is not None and standing.grant.tier == standing.tier:
        return Reason.GRANT_ENDED
    if because is not None:
        return because
    return Reason.REACHED if place > position(rules, standing.tier) else Reason.FELL_SHORT


def _key(rules: Rules, place: int) -> str | None:
    tier = tier_at(rules, place)
    return tier.key if tier else None


def _sum(amounts: Sequence[tuple[datetime, Decimal]], start: datetime | None, end: datetime | None) -> Decimal:
    counted = (amount for at, amount in amounts if (start is None or at >= start) and (end is None or at < end))
    return max(sum(counted, Decimal(0)), Decimal(0))


def _months_before(day: date, months: int) -> date:
    """The same day `months` months before, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

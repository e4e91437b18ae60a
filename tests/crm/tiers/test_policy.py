"""What a valid programme is, and where members belong."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.tiers import checking, policy
from crm.tiers.errors import InvalidGrant, InvalidProgramme
from crm.tiers.types import Downgrade, Grant, Measure, Measured, Outcome, Reason, Rules, Standing, Window
from tests.factories.tiers import rules, tier

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)


def measured(value: int, coming: int | None = None) -> Measured:
    """The same for rising and keeping."""
    return Measured(Decimal(value), Decimal(value), Decimal(value if coming is None else coming))


def standing(key: str | None, **more: Any) -> Standing:
    """In a tier that was earned."""
    return Standing(**{"tier": key, "earned": key, "since": NOW - 90 * DAY, **more})


@pytest.mark.parametrize(
    ("value", "key"),
    [(0, None), (99, None), (100, "silver"), (499, "silver"), (500, "gold"), (1000, "black"), (10**9, "black")],
)
def test_rising(value: int, key: str | None) -> None:
    found = policy.evaluate(rules(), Standing(), measured(value), NOW)
    assert (found.tier, found.earned, found.falls_at) == (key, key, None)
    assert found.reason is (Reason.REACHED if key else None)
    assert found.is_up is (key is not None)


@pytest.mark.parametrize(
    ("more", "before", "value", "then"),
    [
        ({}, standing("gold"), 400, ("gold", None, None)),
        ({}, standing("gold"), 399, ("gold", None, 30)),
        ({}, standing("gold", falls_at=NOW + 3 * DAY), 399, ("gold", None, 3)),
        ({}, standing("gold", falls_at=NOW + 3 * DAY), 400, ("gold", None, None)),
        ({}, standing("gold", falls_at=NOW), 399, ("silver", Reason.FELL_SHORT, None)),
        ({}, standing("black", falls_at=NOW), 0, (None, Reason.FELL_SHORT, None)),
        ({"grace_days": 0}, standing("black"), 90, ("silver", Reason.FELL_SHORT, None)),
        ({"downgrade": Downgrade.ONE_STEP}, standing("black", falls_at=NOW), 0, ("gold", Reason.FELL_SHORT, None)),
        ({"downgrade": Downgrade.ONE_STEP}, standing("silver", falls_at=NOW), 0, (None, Reason.FELL_SHORT, None)),
        ({"downgrade": Downgrade.NEVER}, standing("black", falls_at=NOW), 0, ("black", None, None)),
        ({}, standing("gold", falls_at=NOW), 1000, ("black", Reason.REACHED, None)),
        ({}, standing("bronze"), 0, (None, Reason.FELL_SHORT, None)),
    ],
)
def test_falling(
    more: dict[str, Any], before: Standing, value: int, then: tuple[str | None, Reason | None, int | None]
) -> None:
    found = policy.evaluate(rules(**more), before, measured(value), NOW)
    falls_in = None if found.falls_at is None else (found.falls_at - NOW).days
    assert (found.tier, found.reason, falls_in) == then
    assert found.earned == found.tier


def _granted(until: datetime, key: str = "black") -> Standing:
    return standing(key, earned="silver", grant=Grant(key, until, "a good guest", "operator:1"))


def test_a_grant_stands_instead_of_what_is_earned_until_it_ends() -> None:
    during = policy.evaluate(rules(), _granted(NOW + DAY), measured(600), NOW)
    assert (during.tier, during.earned, during.reason, during.has_grant_ended) == ("black", "gold", None, False)
    after = policy.evaluate(rules(), _granted(NOW), measured(600), NOW)
    assert (after.tier, after.reason, after.has_grant_ended) == ("gold", Reason.GRANT_ENDED, True)
    lower = policy.evaluate(rules(), replace(_granted(NOW + DAY, "silver"), tier="gold"), measured(600), NOW)
    assert (lower.tier, lower.earned, lower.reason) == ("silver", "gold", Reason.GRANTED)
    unknown = policy.evaluate(rules(), _granted(NOW + DAY, "bronze"), measured(100), NOW)
    assert unknown.tier == "silver"


def test_the_reason_of_a_new_programme_is_told() -> None:
    found = policy.evaluate(rules(), standing("bronze"), measured(100), NOW, because=Reason.PROGRAMME)
    assert (found.tier, found.reason, found.is_up) == ("silver", Reason.PROGRAMME, True)


def _risk(before: Standing, value: int, coming: int, **more: Any) -> Outcome:
    return policy.evaluate(rules(**more), before, measured(value, coming), NOW)


def test_at_risk() -> None:
    in_grace = _risk(standing("gold"), 390, 390)
    assert (in_grace.risk_ends_at, in_grace.missing, in_grace.next_tier) == (NOW + 30 * DAY, Decimal(10), "silver")
    assert policy.is_newly_at_risk(standing("gold"), in_grace)
    assert not policy.is_newly_at_risk(standing("gold", risk_ends_at=NOW + 9 * DAY), in_grace)
    assert _risk(standing("gold"), 390, 390, grace_days=60).risk_ends_at is None
    soon = _risk(standing("gold"), 450, 100, grace_days=10)
    assert (soon.falls_at, soon.risk_ends_at, soon.missing) == (None, NOW + 30 * DAY, Decimal(300))
    told = standing("gold", risk_ends_at=NOW + 9 * DAY)
    assert _risk(told, 450, 100, grace_days=10).risk_ends_at == NOW + 9 * DAY
    assert _risk(told, 450, 450, grace_days=10).risk_ends_at is None
    assert _risk(standing("gold"), 390, 0, at_risk_days=0).risk_ends_at is None
    assert _risk(standing("gold"), 390, 0, downgrade=Downgrade.NEVER).risk_ends_at is None
    assert _risk(_granted(NOW + DAY), 90, 0).risk_ends_at is None


def test_spans() -> None:
    rolling = policy.spans(rules(months=12, grace_days=0, at_risk_days=20), NOW, SHANGHAI)
    assert rolling.current_from == datetime(2025, 3, 15, tzinfo=SHANGHAI)
    assert rolling.coming_from == datetime(2025, 4, 4, tzinfo=SHANGHAI)
    leap = policy.spans(rules(months=12), datetime(2028, 2, 29, 12, tzinfo=UTC), SHANGHAI)
    assert leap.current_from == datetime(2027, 2, 28, tzinfo=SHANGHAI)
    late = datetime(2026, 12, 31, 17, tzinfo=UTC)
    year = policy.spans(rules(window=Window.CALENDAR_YEAR), late, SHANGHAI)
    assert year.current_from is not None
    assert year.current_from.date() == date(2027, 1, 1)
    assert policy.spans(rules(window=Window.LIFETIME), NOW, SHANGHAI).current_from is None


def test_a_calendar_year_counts_to_the_end_of_the_next() -> None:
    yearly = rules(window=Window.CALENDAR_YEAR, grace_days=0, at_risk_days=30)
    amounts = [(datetime(2025, 6, 1, tzinfo=UTC), Decimal(700)), (datetime(2026, 2, 1, tzinfo=UTC), Decimal(150))]
    spring = policy.measure_of(amounts, policy.spans(yearly, NOW, SHANGHAI))
    assert spring == Measured(Decimal(150), Decimal(700), Decimal(700))
    december = datetime(2026, 12, 15, tzinfo=UTC)
    assert policy.measure_of(amounts, policy.spans(yearly, december, SHANGHAI)).coming == 150
    later = datetime(2027, 1, 2, tzinfo=UTC)
    found = policy.evaluate(
        yearly, standing("gold"), policy.measure_of(amounts, policy.spans(yearly, later, SHANGHAI)), later
    )
    assert (found.tier, found.reason) == ("silver", Reason.FELL_SHORT)


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        (rules(tier("silver", "100"), tier("gold", "100")), "tiers.1.enter", "100 is not above 100"),
        (rules(tier("gold", "500"), tier("silver", "100")), "tiers.1.enter", "must ask for more than gold"),
        (rules(tier("silver", "100"), tier("gold", "500", "99")), "tiers.1.keep", "overlap"),
        (rules(tier("silver", "100", "101")), "tiers.0.keep", "cannot ask for more"),
        (rules(tier("silver", "100"), tier("silver", "200")), "tiers.1.key", "two tiers"),
        (rules(tier("Silver!", "100")), "tiers.0.key", "a-z"),
        (rules(replace(tier("silver", "1"), name={"en": " "})), "tiers.0.name", "name"),
        (rules(tier("silver", "-1")), "tiers.0.enter", "from 0"),
        (rules(tier("silver", "NaN")), "tiers.0.enter", "from 0"),
        (rules(tier("silver", "1.5"), measure=Measure.ORDERS), "tiers.0.enter", "whole number"),
        (rules(tier("silver", "1.005")), "tiers.0.enter", "two decimals"),
        (rules(tier("silver", "1", multiplier=Decimal(0))), "tiers.0.multiplier", "above 0"),
        (rules(tier("silver", "1", multiplier=Decimal("Infinity"))), "tiers.0.multiplier", "above 0"),
        (rules(months=0), "months", "1 to 60"),
        (rules(window=Window.LIFETIME, months=3), "months", "leave it empty"),
        (rules(grace_days=-1), "grace_days", "0 to 366"),
        (rules(at_risk_days=900), "at_risk_days", "0 to 366"),
        (rules(downgrade=Downgrade.ONE_STEP, grace_days=0), "grace_days", "at least 1 day"),
        (replace(rules(), tiers=[]), "tiers", "1 to 10"),
    ],
)
def test_what_is_refused(given: Rules, path: str, said: str) -> None:
    with pytest.raises(InvalidProgramme) as caught:
        checking.check_rules(given)
    assert said in caught.value.facts["problems"][path]


def test_what_is_accepted() -> None:
    cleaned = checking.check_rules(rules(replace(tier("silver", "0"), name={"en": " Silver ", "fr": "Argent"})))
    assert cleaned.tiers[0].name == {"en": "Silver"}


@pytest.mark.parametrize(
    ("reason", "until"),
    [(" ", NOW + DAY), ("x", NOW), ("x", NOW + 2000 * DAY), ("x", (NOW + DAY).replace(tzinfo=None))],
)
def test_refused_grants(reason: str, until: datetime) -> None:
    with pytest.raises(InvalidGrant):
        checking.check_grant(reason, until, NOW)


@pytest.mark.parametrize(
    ("value", "goal", "shown"),
    [(0, 100, "▱▱▱▱▱"), (1, 100, "▰▱▱▱▱"), (99, 100, "▰▰▰▰▱"), (100, 100, "▰▰▰▰▰"), (0, 0, "▰▰▰▰▰")],
)
def test_bars(value: int, goal: int, shown: str) -> None:
    assert policy.bar(policy.share(Decimal(value), Decimal(goal)), 5) == shown

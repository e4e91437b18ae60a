"""Formulas of earning rules: what they give, what is refused before it is saved, and what may not harm an award."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.events.catalogue import CATALOGUE, CheckedIn, OrderPlaced
from crm.points import facts, formulas, samples
from crm.points.checking import RuleText, checked
from crm.points.deciding import fits, is_open, judge, stacked
from crm.points.errors import InvalidRule
from crm.points.facts import Situation
from crm.points.formulas import FormulaError
from crm.points.terms import Audience, Window, stored, terms_of
from crm.points.types import MAX_POINTS, EarningRule
from crm.profiles.types import Stage

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 7, 12, 30, tzinfo=UTC)
"""A Saturday, half past eight in the evening in Shanghai."""
ORDER = OrderPlaced(member_id=1, order_id=1, amount=Decimal("99.99"), currency="CNY", placed_at=AT)
RATE = {"points": 10, "per_amount": 100}


def rule(terms: dict[str, Any], number: int = 1, **values: Any) -> EarningRule:
    text = RuleText(values.pop("kind", "purchase"), "Rule", values.pop("parameters", RATE), None, None, terms)
    made = checked(text)
    return EarningRule(
        number, text.kind, "Rule", made["parameters"], True, None, None, 1, AT, {**made["terms"], **values}
    )


def points(terms: dict[str, Any], situation: Situation | None = None, **values: Any) -> int:
    return judge(rule(terms, **values), situation or Situation(ORDER, samples.FAMILIAR, AT, SHANGHAI)).points


REFUSED: list[tuple[str, str]] = [
    ("order.amount / 10", "write order.amount / 10.0"),
    ("1000 / profile.orders_count", "divides by zero"),
    ("100.0 / profile.orders_total", "no finite number"),
    ("points - 10", "less than nothing"),
    ("points * 100000000", "more than 1000000000"),
    ("profile.tier", "a text, not a number"),
    ("points > 3", "a condition belongs into"),
    ("event.rating", "'rating' is not always there"),
    ("membre.tier == 'gold' ? 1 : 2", "asks for 'membre'; known are birthday, event"),
    ("points +", "cannot be read"),
    ("size(order.items.map(a, order.items.map(b, 1)))", "a loop stands inside a loop"),
    ("size([1].map(a, [1].filter(b, true)))", "a loop stands inside a loop"),
    ("size([" + "1, " * 60 + "1])", "more than 50 entries"),
    ("(" * 40 + "1" + ")" * 40, "nested more than 20"),
    ("1" + " + 1" * 200, "at most 500"),
    ("size('''a''')", "plain quotes"),
    ("1 // all", "plain quotes"),
    ("9223372036854775807 + points", "too large"),
    ("(" * 19 + "profile.nothing" + ")" * 19, "'nothing' is not always there"),
]


@pytest.mark.parametrize(("source", "why"), REFUSED)
def test_what_would_fail_is_refused_with_what_to_do(source: str, why: str) -> None:
    with pytest.raises(InvalidRule, match=r"^terms\.formula: ") as told:
        checked(RuleText("purchase", "Rule", RATE, None, None, {"formula": source}))
    assert why in told.value.detail
    assert list(told.value.facts["problems"]) == ["terms.formula"]


@pytest.mark.parametrize(
    ("source", "why"), [("points", "not true or false"), ("profile.x == 1", "not always there"), ("1 == ", "be read")]
)
def test_a_condition_must_answer_yes_or_no(source: str, why: str) -> None:
    with pytest.raises(InvalidRule, match=r"^terms\.when: .*" + why):
        checked(RuleText("check_in", "Rule", {"points": 1}, None, None, {"when": source}))


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"form": "1"}, r"terms\.form: "),
        ({"windows": [{"multiplier": 2}]}, "a window needs weekdays, days or times"),
        ({"windows": [{"weekdays": [8]}]}, r"terms\.windows\.0\.weekdays\.0"),
        ({"windows": [{"from_time": "08:00"}]}, "together"),
        ({"windows": [{"from_day": "2026-02-02", "until_day": "2026-02-01"}]}, "before from_day"),
        ({"only_in_windows": True}, "at least one window"),
        ({"uses_tier": True, "tier_multipliers": {"gold": 2}}, "not both"),
        ({"tier_multipliers": {"gold": -1}}, r"terms\.tier_multipliers\.gold"),
        ({"tier_multipliers": {"gold": 101}}, r"terms\.tier_multipliers\.gold"),
        ({"caps": {"member_day": 0}}, r"terms\.caps\.member_day"),
        ({"caps": {"member_day": 1.5}}, r"terms\.caps\.member_day"),
        ({"priority": 10_000}, r"terms\.priority"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRule, match=why):
        checked(RuleText("check_in", "Rule", {"points": 1}, None, None, terms))


def test_a_tier_is_not_counted_twice_and_gifts_have_no_terms() -> None:
    with pytest.raises(InvalidRule, match="counts the tier's multiplier already"):
        checked(RuleText("order_rate", "Rule", RATE, None, None, {"uses_tier": True}))
    with pytest.raises(InvalidRule, match="given by hand has no terms"):
        checked(RuleText("manual", "Rule", {"points": 1}, None, None, {"formula": "1"}))


GIVES: list[tuple[str, int]] = [
    ("points * 2", 18),
    ("0.29 * 100.0", 29),
    ("order.amount * 0.1", 9),
    ("min(points, 3)", 3),
    ("max(0, points - 100)", 0),
    ("floor(order.amount)", 99),
    ("profile.tier == 'gold' ? points + 1 : points", 10),
    ("now.weekday == 6 && now.hour == 20 ? 5 : 1", 5),
    ("birthday.is_today ? 7 : 1", 1),
    ("size(order.items.filter(i, i.category == 'tea')) + 2", 2),
    ("profile.orders_count > 0 ? 1000 / profile.orders_count : 0", 8),
]


@pytest.mark.parametrize(("source", "expected"), GIVES)
def test_what_a_formula_gives(source: str, expected: int) -> None:
    assert points({"formula": source}) == expected


def test_every_event_of_the_catalogue_has_samples_that_decode() -> None:
    for kind in CATALOGUE.values():
        told = list(samples.situations(kind))
        assert len(told) >= 4
        for _, situation in told:
            assert set(facts.values(situation, 1, formulas.NAMES)) == formulas.NAMES
            assert formulas.number("points", facts.values(situation, 7, formulas.NAMES)) == 7


def test_a_formula_that_fails_later_gives_nothing_and_says_why() -> None:
    stale = EarningRule(1, "purchase", "Rule", RATE, True, None, None, 1, AT, {"formula": "1 / (points - points)"})
    verdict = judge(stale, Situation(ORDER, samples.FRESH, AT))
    assert (verdict.points, verdict.refused_by) == (0, "failure")
    assert "divides by zero" in verdict.failure


@given(st.text(alphabet="()[]{},.'\"/\\ a1+x?:map", max_size=60))
def test_no_text_breaks_the_reader(source: str) -> None:
    with suppress(FormulaError):
        formulas.check(source)
        found = formulas.number(source, facts.values(Situation(ORDER, samples.FRESH, AT), 1, formulas.NAMES))
        assert 0 <= found <= MAX_POINTS


@given(st.fractions(0, 10_000, max_denominator=1000), st.integers(1, 1000))
def test_multipliers_round_down_once(multiplier: Fraction, base: int) -> None:
    thousandths = Fraction(int(multiplier * 1000) % 100_000 or 1, 1000)
    terms = {"tier_multipliers": {"gold": str(float(thousandths))}}
    found = points(terms, kind="check_in", parameters={"points": base}, situation=_check_in())
    assert found == int(base * thousandths)


def _check_in(at: datetime = AT) -> Situation:
    return Situation(CheckedIn(member_id=1, local_date=at.date(), streak=3), samples.FAMILIAR, at, SHANGHAI)


def test_multipliers_go_together() -> None:
    born = Situation(ORDER, samples.FAMILIAR, AT, SHANGHAI, date(1990, 3, 8))
    evening = {"windows": [{"weekdays": [6], "from_time": "18:00", "until_time": "22:00", "multiplier": 3}]}
    assert points({"uses_tier": True}, born) == 13
    assert points({"birthday_multiplier": 2}, born) == 9
    assert points({"birthday_multiplier": 2, "birthday_period": "week"}, born) == 18
    assert points({"birthday_multiplier": 2, "birthday_period": "month"}, born) == 18
    assert points(evening, born) == 27
    assert points({**evening, "uses_tier": True, "birthday_multiplier": 2, "birthday_period": "week"}, born) == 81
    assert points({**evening, "only_in_windows": True}, Situation(ORDER, samples.FRESH, AT + timedelta(hours=2))) == 0


@pytest.mark.parametrize(
    ("window", "local", "expected"),
    [
        ({"weekdays": [6, 7]}, "2026-03-07T00:00", True),
        ({"weekdays": [6, 7]}, "2026-03-06T23:59", False),
        ({"from_time": "18:00", "until_time": "20:00"}, "2026-03-06T17:59", False),
        ({"from_time": "18:00", "until_time": "20:00"}, "2026-03-06T18:00", True),
        ({"from_time": "18:00", "until_time": "20:00"}, "2026-03-06T20:00", False),
        ({"from_time": "22:00", "until_time": "02:00", "weekdays": [5]}, "2026-03-06T23:00", True),
        ({"from_time": "22:00", "until_time": "02:00", "weekdays": [5]}, "2026-03-07T01:59", True),
        ({"from_time": "22:00", "until_time": "02:00", "weekdays": [5]}, "2026-03-06T01:59", False),
        ({"from_time": "22:00", "until_time": "02:00", "weekdays": [5]}, "2026-03-06T12:00", False),
        ({"from_day": "2026-03-06"}, "2026-03-05T23:59", False),
        ({"until_day": "2026-03-06"}, "2026-03-06T23:59", True),
        ({"until_day": "2026-03-06"}, "2026-03-07T00:00", False),
    ],
)
def test_windows(window: dict[str, Any], local: str, *, expected: bool) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
    assert is_open(Window.model_validate(window), moment) is expected


@pytest.mark.parametrize(
    ("born", "today", "days"),
    [
        (date(1990, 1, 1), date(2026, 12, 31), 1),
        (date(1990, 12, 31), date(2026, 1, 1), -1),
        (date(1992, 2, 29), date(2026, 2, 28), 0),
        (date(1992, 2, 29), date(2028, 2, 29), 0),
        (date(1992, 2, 29), date(2028, 2, 28), 1),
    ],
)
def test_the_nearest_birthday(born: date, today: date, days: int) -> None:
    assert facts.days_to_birthday(born, today) == days


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ({}, True),
        ({"stages": ["loyal", "new"]}, True),
        ({"stages": ["new"]}, False),
        ({"tiers": ["gold"], "grades": ["high"]}, True),
        ({"tiers": ["gold"], "grades": ["low"]}, False),
        ({"tag_ids": [2, 9]}, True),
        ({"tag_ids": [9]}, False),
        ({"segment_ids": [1]}, True),
        ({"segment_ids": [2]}, False),
    ],
)
def test_for_whom_a_rule_is(audience: dict[str, Any], *, expected: bool) -> None:
    assert samples.FAMILIAR.stage is Stage.LOYAL
    assert fits(Audience.model_validate(audience), samples.FAMILIAR) is expected


def test_of_a_group_one_rule_gives() -> None:
    def given(**changes: str) -> list[int]:
        terms = [{"group": "spring", "formula": number, **changes} for number in ("5", "9", "9")]
        rules = [rule(one, number) for number, one in enumerate(terms, 1)]
        rules += [rule({"priority": 1}, 4), rule({"group": "other"}, 5)]
        situation = Situation(ORDER, samples.FRESH, AT)
        return [item.rule.id for item in stacked([judge(one, situation) for one in rules])]

    assert given() == [4, 2, 5]
    assert given(stacking="first") == [4, 1, 5]
    assert given(when="points > 100") == [4, 5]


def test_terms_are_kept_as_they_were_set() -> None:
    kept = checked(RuleText("check_in", "Rule", {"points": 1}, None, None, {"caps": {"member_day": 3}}))["terms"]
    assert kept == {"caps": {"member_day": 3}}
    assert terms_of(kept).caps.member_day == 3
    assert stored(terms_of({})) == {}

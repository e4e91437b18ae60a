"""What each kind of earning rule gives: pure tables, bounds, and the texts for members."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from crm.events.catalogue import (
    ButtonTapped,
    CheckedIn,
    CustomEvent,
    MemberSignedUp,
    MemberUpdated,
    OrderPlaced,
    SurveyCompleted,
)
from crm.events.loyalty import ActivityAttended, ReferralQualified
from crm.events.types import Event
from crm.points.deciding import judge, stacked
from crm.points.errors import UnknownRuleKind
from crm.points.facts import Situation
from crm.points.kinds import RuleKind, kind_named, kinds, kinds_for
from crm.points.policy import months_later
from crm.points.samples import FRESH
from crm.points.types import MAX_POINTS, EarningRule
from crm.profiles.types import Profile, Stage

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def profile(multiplier: str = "1") -> Profile:
    return replace(FRESH, stage=Stage.NEW, multiplier=Decimal(multiplier))


def checked_in(streak: int) -> CheckedIn:
    return CheckedIn(member_id=1, local_date=NOW.date(), streak=streak)


def order(amount: str, currency: str = "CNY") -> OrderPlaced:
    return OrderPlaced(member_id=1, order_id=1, amount=Decimal(amount), currency=currency, placed_at=NOW)


def basket(paid: str) -> OrderPlaced:
    """Tea for 80 and a cup for 20, of which `paid` was paid."""
    items: list[dict[str, Any]] = [
        {"sku": "T-1", "category": "tea", "quantity": 2, "amount": "40.00"},
        {"sku": "C-1", "category": "cups", "quantity": 1, "amount": "20.00"},
        {"sku": "G-1", "category": None, "quantity": 1, "amount": None},
    ]
    return replace(order(paid), items=items)


def reviewed(**properties: Any) -> CustomEvent:
    return CustomEvent(member_id=1, name="review_posted", properties=properties)


def updated(changed: list[str], filled: list[str]) -> MemberUpdated:
    return MemberUpdated(member_id=1, changed=changed, by="member", filled=filled)


QUALIFIED = ReferralQualified(member_id=1, referral_id=UUID(int=1), programme_id=1, friend_id=2, act="sign_up", count=1)
ATTENDED = ActivityAttended(member_id=1, activity_id=4, registration_id=9, by="member")
RATE = {"points": 10, "per_amount": 100}
CASES: list[tuple[str, dict[str, Any], Event, str, int]] = [
    ("sign_up", {"points": 100}, MemberSignedUp(member_id=1, channel="telegram"), "1", 100),
    ("check_in", {"points": 5}, checked_in(9), "1", 5),
    ("streak", {"points": 30, "days": 7}, checked_in(7), "1", 30),
    ("streak", {"points": 30, "days": 7}, checked_in(8), "1", 0),
    ("streak", {"points": 30, "days": 7}, checked_in(14), "1", 0),
    ("streak", {"points": 30, "days": 7, "is_repeated": True}, checked_in(14), "1", 30),
    ("survey", {"points": 20}, SurveyCompleted(member_id=1, survey_id=4, response_id=1), "1", 20),
    ("survey", {"points": 20, "survey_ids": [4]}, SurveyCompleted(member_id=1, survey_id=4, response_id=1), "1", 20),
    ("survey", {"points": 20, "survey_ids": [5]}, SurveyCompleted(member_id=1, survey_id=4, response_id=1), "1", 0),
    ("order_rate", RATE, order("100"), "1", 10),
    ("order_rate", RATE, order("99.99"), "1", 9),
    ("order_rate", RATE, order("9.99"), "1", 0),
    ("order_rate", RATE, order("99.99"), "1.5", 14),
    ("order_rate", RATE, order("100", "USD"), "1", 0),
    ("order_rate", RATE, order("-100"), "1", 0),
    ("order_rate", RATE, order("0"), "1", 0),
    ("order_rate", {**RATE, "most_points": 50}, order("1000000"), "1", 50),
    ("order_rate", {**RATE, "per_amount": "0.01"}, order("99999999999999.99"), "999.999", MAX_POINTS),
    ("purchase", RATE, order("99.99"), "1.5", 9),
    ("purchase", {**RATE, "least_amount": 100}, order("99.99"), "1", 0),
    ("purchase", {**RATE, "least_amount": 100}, order("100"), "1", 10),
    ("purchase", RATE, order("100", "USD"), "1", 0),
    ("purchase", {**RATE, "categories": ["tea"]}, order("100"), "1", 0),
    ("purchase", {**RATE, "categories": ["tea"]}, basket("100"), "1", 8),
    ("purchase", {**RATE, "skus": ["C-1"]}, basket("100"), "1", 2),
    ("purchase", {**RATE, "excluded_categories": ["tea"]}, basket("100"), "1", 2),
    ("purchase", {**RATE, "excluded_skus": ["T-1"]}, order("100"), "1", 10),
    ("purchase", {**RATE, "categories": ["tea"]}, basket("80"), "1", 6),
    ("purchase", {**RATE, "categories": ["tea"], "least_amount": 80}, basket("100"), "1", 8),
    ("purchase", {**RATE, "categories": ["tea"], "least_amount": "80.01"}, basket("100"), "1", 0),
    ("purchase", {**RATE, "categories": ["tea"], "most_points": 5}, basket("100"), "1", 5),
    ("review", {"points": 3}, CustomEvent(member_id=1, name="review_posted"), "1", 3),
    ("review", {"points": 3, "least_rating": 4}, reviewed(rating=3), "1", 0),
    ("review", {"points": 3, "least_rating": 4}, reviewed(rating="4.5"), "1", 3),
    ("review", {"points": 3, "least_rating": 4}, reviewed(rating="nan"), "1", 0),
    ("review", {"points": 3, "least_rating": 4}, reviewed(rating=True), "1", 0),
    ("review", {"points": 3, "needs_picture": True}, reviewed(has_picture=1), "1", 0),
    ("review", {"points": 3, "needs_picture": True}, reviewed(has_picture=True), "1", 3),
    ("profile_completed", {"points": 3}, updated(["phone"], ["birthday", "phone"]), "1", 3),
    ("profile_completed", {"points": 3}, updated(["phone"], ["phone"]), "1", 0),
    ("profile_completed", {"points": 3}, updated(["locale"], ["birthday", "phone"]), "1", 0),
    ("referral", {"points": 3}, QUALIFIED, "1", 3),
    ("activity", {"points": 3}, ATTENDED, "1", 3),
    ("activity", {"points": 3, "activity_ids": [4]}, ATTENDED, "1", 3),
    ("activity", {"points": 3, "activity_ids": [5]}, ATTENDED, "1", 0),
    ("interaction", {"points": 3}, ButtonTapped(member_id=1, button="a"), "1", 3),
    ("interaction", {"points": 3, "campaign_ids": [7]}, ButtonTapped(member_id=1, button="a"), "1", 0),
    ("interaction", {"points": 3, "buttons": ["b"]}, ButtonTapped(member_id=1, button="a"), "1", 0),
    ("custom_event", {"points": 3, "event_name": "visit"}, CustomEvent(member_id=1, name="visit"), "1", 3),
    ("custom_event", {"points": 3, "event_name": "visit"}, CustomEvent(member_id=1, name="other"), "1", 0),
    ("manual", {"points": 3}, CustomEvent(member_id=1, name="visit"), "1", 0),
]


@pytest.mark.parametrize(("kind", "parameters", "event", "multiplier", "expected"), CASES)
def test_what_an_event_earns(
    kind: str, parameters: dict[str, Any], event: Event, multiplier: str, expected: int
) -> None:
    found = kind_named(kind)
    values = found.parameters.model_validate(parameters)
    assert found.points(values, event, profile(multiplier)) == expected


@pytest.mark.parametrize("kind", list(kinds().values()), ids=lambda kind: kind.name)
def test_every_kind_keeps_the_contract(kind: RuleKind) -> None:
    assert isinstance(kind, RuleKind)
    assert kind.label
    assert kind.parameters.model_json_schema()["properties"]["points"]
    assert kind.event is None or kind.name in kinds_for(kind.event.kind)
    parameters = {"points": 5, "days": 7, "per_amount": "100", "event_name": "visit"}
    known = {key: value for key, value in parameters.items() if key in kind.parameters.model_fields}
    values = kind.parameters.model_validate(known)
    texts = [kind.explain(values, locale) for locale in ("zh-CN", "en")]
    assert texts == [None, None] or all(text and "5" in text for text in texts)
    for wrong in ({}, {**known, "points": 0}, {**known, "points": MAX_POINTS + 1}, {**known, "other": 1}):
        with pytest.raises(ValidationError):
            kind.parameters.model_validate(wrong)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownRuleKind, match="known are: activity, check_in, custom_event"):
        kind_named("lottery")


def test_rules_that_give_nothing_are_left_out_and_expiry_follows_the_rule() -> None:
    rules = [
        EarningRule(1, "check_in", "Daily", {"points": 5, "expires_after_months": 11}, True, None, None, 1, NOW),
        EarningRule(2, "streak", "Week", {"points": 30, "days": 7}, True, None, None, 1, NOW),
    ]
    due = stacked([judge(rule, Situation(checked_in(3), profile(), NOW)) for rule in rules])
    assert [(item.rule.id, item.points, item.expires_at) for item in due] == [(1, 5, datetime(2027, 2, 28, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("at", "months", "expected"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), 1, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2024, 2, 29, tzinfo=UTC), 12, datetime(2025, 2, 28, tzinfo=UTC)),
        (datetime(2026, 11, 30, tzinfo=UTC), 1, datetime(2026, 12, 30, tzinfo=UTC)),
        (datetime(2026, 12, 1, tzinfo=UTC), 120, datetime(2036, 12, 1, tzinfo=UTC)),
    ],
)
def test_months_end_with_the_month(at: datetime, months: int, expected: datetime) -> None:
    assert months_later(at, months) == expected
    assert months_later(at, None) is None

"""What every kind of earning rule must do."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.events.catalogue import (
    CATALOGUE,
    ButtonTapped,
    CheckedIn,
    CustomEvent,
    MemberSignedUp,
    MemberUpdated,
    OrderPlaced,
    SurveyCompleted,
)
from crm.events.loyalty import ActivityAttended, ReferralQualified
from crm.points.kinds import RuleKind, kinds
from crm.points.samples import FRESH
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile, Stage
from tests.conformance.parameters import assert_named, assert_strict, shipped

KINDS: list[RuleKind] = shipped("crm.points.rules", RuleKind)
POINTS = {"points": 5}
SAMPLES: dict[str, dict[str, Any]] = {
    "sign_up": POINTS,
    "check_in": POINTS,
    "manual": POINTS,
    "survey": {**POINTS, "survey_ids": [1]},
    "streak": {**POINTS, "days": 7, "is_repeated": True},
    "custom_event": {**POINTS, "event_name": "visited"},
    "purchase": {**POINTS, "per_amount": "100.00", "categories": ["tea"], "excluded_skus": ["T-9"]},
    "review": {**POINTS, "least_rating": 4, "needs_picture": True},
    "profile_completed": {**POINTS, "fields": ["phone"]},
    "interaction": {**POINTS, "campaign_ids": [1], "buttons": ["a"]},
    "referral": POINTS,
    "activity": {**POINTS, "activity_ids": [1]},
    "order_rate": {**POINTS, "per_amount": "100.00", "currency": "CNY", "most_points": 1000},
}
AT = datetime(2026, 3, 1, tzinfo=UTC)
EVENTS: dict[type, st.SearchStrategy[Any]] = {
    MemberSignedUp: st.just(MemberSignedUp(member_id=1, channel="telegram")),
    CheckedIn: st.integers(0, 10_000).map(
        lambda streak: CheckedIn(member_id=1, local_date=date(2026, 3, 1), streak=streak)
    ),
    SurveyCompleted: st.integers(1, 3).map(
        lambda number: SurveyCompleted(member_id=1, survey_id=number, response_id=1)
    ),
    CustomEvent: st.text(max_size=9).map(lambda name: CustomEvent(member_id=1, name=name, properties={})),
    MemberUpdated: st.lists(st.sampled_from(["phone", "email"])).map(
        lambda names: MemberUpdated(member_id=1, changed=names, by="member", filled=names)
    ),
    ReferralQualified: st.integers(1, 9).map(
        lambda count: ReferralQualified(
            member_id=1, referral_id=UUID(int=1), programme_id=1, friend_id=2, act="sign_up", count=count
        )
    ),
    ActivityAttended: st.integers(1, 3).map(
        lambda number: ActivityAttended(member_id=1, activity_id=number, registration_id=1, by="member")
    ),
    ButtonTapped: st.sampled_from([None, 1]).map(
        lambda number: ButtonTapped(member_id=1, button="a", campaign_id=number)
    ),
    OrderPlaced: st.tuples(
        st.decimals(-1_000_000, 10**12, places=2, allow_nan=False), st.sampled_from(["CNY", "EUR"])
    ).map(lambda pair: OrderPlaced(member_id=1, order_id=1, amount=pair[0], currency=pair[1], placed_at=AT)),
}


def _profile(multiplier: Decimal) -> Profile:
    return replace(FRESH, stage=Stage.NEW, multiplier=multiplier, signed_up_at=AT)


def test_they_are_named_and_none_hides_another() -> None:
    assert_named(KINDS)
    assert set(kinds()) == {kind.name for kind in KINDS} == set(SAMPLES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda item: item.name)
def test_parameters_are_strict(kind: RuleKind) -> None:
    assert_strict(kind.parameters, SAMPLES[kind.name])
    for points in (0, -1, MAX_POINTS + 1, 1.5, "many", None):
        with pytest.raises(ValueError, match="points"):
            kind.parameters.model_validate({**SAMPLES[kind.name], "points": points})


@pytest.mark.parametrize("kind", KINDS, ids=lambda item: item.name)
def test_it_reacts_to_an_event_of_the_catalogue(kind: RuleKind) -> None:
    assert kind.event is None or kind.event in CATALOGUE.values()
    assert kind.event is None or kind.event in EVENTS


@pytest.mark.parametrize("kind", KINDS, ids=lambda item: item.name)
@given(data=st.data())
def test_points_are_whole_never_negative_and_pure(kind: RuleKind, data: st.DataObject) -> None:
    parameters = kind.parameters.model_validate(SAMPLES[kind.name])
    event = data.draw(EVENTS[kind.event or MemberSignedUp])
    profile = _profile(data.draw(st.sampled_from([Decimal(1), Decimal("1.5"), Decimal("0.333"), Decimal(0)])))
    points = kind.points(parameters, event, profile)
    assert type(points) is int
    assert 0 <= points <= MAX_POINTS
    assert kind.points(parameters, event, profile) == points
    if kind.event is None:
        assert points == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda item: item.name)
def test_it_explains_itself_in_one_line_or_not_at_all(kind: RuleKind) -> None:
    parameters = kind.parameters.model_validate(SAMPLES[kind.name])
    texts = {locale: kind.explain(parameters, locale) for locale in ("en", "zh-CN", "fr")}
    assert texts["fr"] == texts["en"]
    if texts["en"] is not None:
        assert texts["en"] != texts["zh-CN"]
        assert all(text and "\n" not in text for text in texts.values())

"""Random people and random rules about them: figures are few and small, so that rules hit and miss."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from crm.activities.types import Presence, RegistrationStatus
from crm.coupons.types import VoucherStatus
from crm.orders.types import OrderStatus
from crm.profiles.types import Stage
from crm.referrals.types import Status as ReferralStatus
from crm.segments.parser import MAX_DEPTH
from tests.factories.population import SURVEY, Person

Rule = dict[str, Any]
TAGS = ("vip", "taste:oolong", "taste:O'Neil")
CHANNELS = ("telegram", "webchat")
LOCALES = ("en", "zh-CN")
ATTRIBUTES: dict[str, tuple[Any, ...]] = {
    "city": ("杭州", "Hangzhou", "100%", "a'b\"c\\"),
    "cups": (0, 2, 2.5, -1),
    "vegan": (True, False),
    "since": ("2025-06-01", "2026-01-01"),
}
ANSWERS: dict[str, tuple[Any, ...]] = {
    "nps": (0, 7, 10, None),
    "likes": (["green"], ["green", "oolong"], [], None),
    "often": ("daily", "rarely", None),
    "stars": (1, 5, None),
    "why": ("1", {}, True),
}
TIERS = ("silver", "gold")
_VOUCHER_STATES = [str(status) for status in VoucherStatus]
_REFERRAL_STATES = [str(status) for status in ReferralStatus]
_STAGES = [str(stage) for stage in Stage]
DAYS = st.integers(0, 4)
SPAN = st.integers(1, 4)


def _some(values: dict[str, tuple[Any, ...]]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(choices) for name, choices in values.items()})


PEOPLE = st.lists(
    st.builds(
        Person,
        locale=st.sampled_from(LOCALES),
        stage=st.sampled_from(_STAGES),
        signed_up=st.none() | DAYS,
        last_seen=st.none() | DAYS,
        points=st.integers(0, 5),
        check_ins=st.frozensets(DAYS, max_size=5),
        orders=st.lists(
            st.tuples(DAYS, st.sampled_from([0, 50, 100, 150]), st.sampled_from([str(item) for item in OrderStatus])),
            max_size=3,
        ).map(tuple),
        tags=st.dictionaries(st.sampled_from(TAGS), DAYS),
        consents=st.dictionaries(st.tuples(st.sampled_from(CHANNELS), st.just("news")), st.booleans(), max_size=2),
        identities=st.lists(st.tuples(st.sampled_from(CHANNELS), st.booleans()), max_size=3).map(tuple),
        attributes=_some(ATTRIBUTES),
        sources=st.tuples(st.none() | st.integers(1, 2), st.none() | st.integers(1, 2)),
        is_finished=st.booleans(),
        answers=st.none() | _some(ANSWERS),
        badges=st.frozensets(st.integers(1, 2), max_size=2),
        missions=st.dictionaries(st.integers(1, 2), st.none() | DAYS, max_size=2),
        activities=st.dictionaries(
            st.integers(1, 2), st.tuples(st.sampled_from([one.value for one in RegistrationStatus]), DAYS), max_size=2
        ),
        vouchers=st.lists(
            st.tuples(st.integers(1, 2), st.sampled_from(_VOUCHER_STATES), st.none() | st.integers(-1, 1)), max_size=2
        ).map(tuple),
        friends=st.lists(st.sampled_from(_REFERRAL_STATES), max_size=3).map(tuple),
        tier=st.none() | st.tuples(st.none() | st.sampled_from(TIERS), DAYS, st.booleans()),
    ),
    max_size=5,
)


def _leaf(name: str, needed: dict[str, Any] | None = None, **optional: SearchStrategy[Any]) -> SearchStrategy[Rule]:
    return st.fixed_dictionaries({"condition": st.just(name), **(needed or {})}, optional=optional)


def _window(name: str, needed: dict[str, Any] | None = None) -> SearchStrategy[Rule]:
    return _leaf(name, needed, within_days=SPAN, more_than_days_ago=SPAN)


def _bounds(values: SearchStrategy[Any]) -> SearchStrategy[Rule]:
    """One bound, or both in order."""
    both = st.tuples(values, values).map(lambda pair: {"at_least": min(pair), "at_most": max(pair)})
    return values.map(lambda value: {"at_least": value}) | values.map(lambda value: {"at_most": value}) | both


def _joined(*parts: SearchStrategy[Rule]) -> SearchStrategy[Rule]:
    return st.tuples(*parts).map(lambda rules: {key: value for rule in rules for key, value in rule.items()})


_KEYS = st.sampled_from([*ATTRIBUTES, "unknown"])
_VALUES = st.sampled_from([value for choices in ATTRIBUTES.values() for value in choices])
_ATTRIBUTE_TEST = st.one_of(
    _VALUES.map(lambda value: {"equals": value}),
    st.sampled_from(["杭", "a", "%", "_", "'", "\\"]).map(lambda value: {"contains": value}),
    st.tuples(st.sampled_from(["at_least", "at_most"]), st.sampled_from([0, 2, "2.5", "2025-06-01", "2025-12-31"])).map(
        lambda pair: dict([pair])
    ),
    st.booleans().map(lambda value: {"is_set": value}),
)
_ORDER_MEASURE = st.one_of(
    _joined(st.just({"measure": "count"}), _bounds(st.integers(0, 3))),
    _joined(st.just({"measure": "amount"}), _bounds(st.sampled_from([0, 0.5, 1, 2.5]))),
)
_ANSWER_TEST: SearchStrategy[Rule] = st.one_of(
    st.just({}),
    st.sampled_from([["green"], ["daily", "rarely"], [7, 10], ["oolong", 5], [1]]).map(lambda value: {"any_of": value}),
    _bounds(st.integers(0, 10)),
)
LEAVES: dict[str, SearchStrategy[Rule]] = {
    "tag": _window("tag", {"tag": st.sampled_from([*TAGS, "nobody:has"])}),
    "attribute": _joined(_leaf("attribute", {"key": _KEYS}), _ATTRIBUTE_TEST),
    "channel": _leaf("channel", {"channel": st.sampled_from(CHANNELS)}, is_reachable=st.booleans()),
    "reachable": _leaf("reachable", is_reachable=st.booleans()),
    "language": _leaf("language", {"locale": st.sampled_from([*LOCALES, "fr"])}),
    "stage": _leaf(
        "stage", {"stages": st.lists(st.sampled_from([str(item) for item in Stage]), min_size=1, max_size=4)}
    ),
    "joined": _window("joined"),
    "last_seen": _window("last_seen"),
    "source": _leaf("source", {"source_id": st.integers(1, 3)}, touch=st.sampled_from(["first", "last", "either"])),
    "consent": _leaf("consent", {"topic": st.sampled_from(["news", "offers"])}, channel=st.sampled_from(CHANNELS)),
    "orders": st.one_of(
        _joined(_window("orders"), _ORDER_MEASURE),
        _joined(_window("orders"), st.just({"measure": "recency"}), SPAN.map(lambda days: {"within_days": days})),
    ),
    "points_balance": _joined(_leaf("points_balance"), _bounds(st.integers(0, 5))),
    "check_in": _joined(
        _leaf("check_in", streak_at_least=SPAN, within_days=DAYS, not_within_days=DAYS, times_within_days=SPAN),
        SPAN.map(lambda times: {"times_at_least": times}),
    )
    | _leaf("check_in", {"not_within_days": DAYS})
    | _leaf("check_in", {"streak_at_least": SPAN}),
    "survey_answer": _leaf("survey_answer", {"survey": st.sampled_from([SURVEY, "other"])})
    | _joined(
        _leaf(
            "survey_answer",
            {"survey": st.just(SURVEY), "question": st.sampled_from([*ANSWERS, "none"])},
        ),
        _ANSWER_TEST,
    ),
    "referrals": _leaf("referrals", at_least=st.integers(1, 3), qualified=st.booleans()),
    "tier": _leaf(
        "tier",
        tiers=st.lists(st.sampled_from(TIERS), max_size=2),
        since_days=SPAN,
        is_at_risk=st.booleans(),
    ),
    "badge": _leaf("badge", badge_id=st.integers(1, 2)),
    "mission_completed": _leaf("mission_completed", mission_id=st.integers(1, 2), within_days=SPAN),
    "activity": _leaf(
        "activity", activity_id=st.integers(1, 2), presence=st.sampled_from(list(Presence)), within_days=SPAN
    ),
    "voucher": _leaf("voucher", status=st.sampled_from(_VOUCHER_STATES), coupon_id=st.integers(1, 2)),
}
"""How a rule about each condition is made up; a test sees to it that none is missing."""


def depth(rule: Rule) -> int:
    """Levels of a rule."""
    parts = rule.get("all") or rule.get("any") or ([rule["not"]] if "not" in rule else [])
    return 1 + max(map(depth, parts), default=0)


RULES: SearchStrategy[Rule] = st.recursive(
    st.one_of(*LEAVES.values()),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts})
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
        | inner.map(lambda part: {"not": part})
    ),
    max_leaves=8,
).filter(lambda rule: depth(rule) <= MAX_DEPTH)

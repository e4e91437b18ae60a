"""The arithmetic of draws: it adds up, it is spread as promised, and it is what the guide says."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.draws import fairness, policy
from crm.draws.errors import InvalidDraw
from crm.draws.types import DrawKind, Outcome, Prize, PrizeKind, Rules, Terms
from tests.factories.draws import FIFTY, NOTHING, TEA, lucky, packets

SEED = bytes(range(32))
SEEDS = st.binary(min_size=32, max_size=32)
NAME = {"en": "Prize"}


def _digests(seed: bytes, many: int) -> list[bytes]:
    return [fairness.digest(seed, 1, number, 1) for number in range(many)]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 60), st.integers(0, 5000))
def test_packets_always_sum_to_what_was_promised(seed: bytes, many: int, more: int) -> None:
    rules = packets(many + more, many)
    sizes = [outcome.points for outcome in fairness.walk(rules, _digests(seed, many))]
    assert sum(sizes) == many + more
    assert min(sizes) >= 1


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.lists(st.tuples(st.integers(1, 300_000), st.none() | st.integers(1, 4)), min_size=1, max_size=3))
def test_no_prize_is_given_more_often_than_there_is_stock(seed: bytes, prizes: list[tuple[int, int | None]]) -> None:
    rules = lucky(*(Prize(NAME, PrizeKind.GOODS, odds=odds, stock=stock) for odds, stock in prizes), NOTHING)
    given_out = [outcome.prize for outcome in fairness.walk(rules, _digests(seed, 100))]
    for index, (_, stock) in enumerate(prizes):
        assert stock is None or given_out.count(index) <= stock


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 10**9))
def test_shares_stay_in_bounds(drawn: bytes, parts: int) -> None:
    assert 0 <= fairness.share(drawn, parts) < parts
    assert 0 <= fairness.ticket(drawn) < fairness.MILLION


def test_bounds_of_odds() -> None:
    rules = lucky(FIFTY, TEA, NOTHING)
    found = [fairness.prize_of(rules, number) for number in (0, 299_999, 300_000, 399_999, 400_000, 999_999)]
    assert found == [0, 0, 1, 1, 2, 2]


def test_results_are_spread_as_the_odds_say() -> None:
    """Chi-square over three prizes, with a fixed seed: below the bound of one in a thousand for two degrees."""
    many = 20_000
    rules = lucky(FIFTY, Prize(NAME, PrizeKind.GOODS, odds=100_000), NOTHING)
    found = [outcome.prize for outcome in fairness.walk(rules, _digests(SEED, many))]
    wanted = [many * share for share in (0.3, 0.1, 0.6)]
    chi = sum((found.count(index) - hoped) ** 2 / hoped for index, hoped in enumerate(wanted))
    assert chi < 13.82


def test_packets_are_not_all_alike_and_no_place_is_better() -> None:
    many, rounds = 10, 2000
    sums = [0] * many
    for number in range(rounds):
        seed = hashlib.sha256(str(number).encode()).digest()
        sizes = [outcome.points for outcome in fairness.walk(packets(1000, many), _digests(seed, many))]
        assert len(set(sizes)) > 1
        sums = [before + size for before, size in zip(sums, sizes, strict=True)]
    assert all(abs(total / rounds - 100) < 8 for total in sums)


def test_a_prize_that_ran_out_goes_to_the_fallback() -> None:
    rules = lucky(Prize(NAME, PrizeKind.GOODS, odds=1_000_000, stock=2), NOTHING)
    found = list(fairness.walk(rules, _digests(SEED, 4)))
    assert found == [Outcome(0, 0, 0), Outcome(0, 0, 0), Outcome(0, 1, 0), Outcome(0, 1, 0)]


def test_it_is_what_anybody_would_compute() -> None:
    drawn = hmac.new(SEED, b"7:42:3", hashlib.sha256).digest()
    assert fairness.digest(SEED, 7, 42, 3) == drawn
    assert fairness.ticket(drawn) == int.from_bytes(drawn[:8], "big") * 1_000_000 // 2**64
    assert fairness.commitment(SEED) == hashlib.sha256(SEED).hexdigest()


@pytest.mark.parametrize("rules", [lucky(), packets()])
def test_rules_keep_their_text(rules: Rules) -> None:
    assert fairness.from_json(fairness.as_json(rules)) == rules
    assert fairness.rules_hash(rules) == hashlib.sha256(fairness.rules_text(rules).encode()).hexdigest()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (packets(9, 10), "at least a point for each"),
        (packets(0, 0), "1 to 1000000 packets"),
        (packets(10**9 + 1, 10), "at least a point for each"),
        (Rules(DrawKind.PACKETS, (NOTHING,), 10, 2), "no prizes"),
        (Rules(DrawKind.LUCKY, (FIFTY, NOTHING), 10, 2), "belong to red packets"),
        (lucky(NOTHING), "2 to 20 prizes"),
        (lucky(FIFTY, TEA), "the last prize is the fallback"),
        (lucky(Prize(NAME, PrizeKind.GOODS, odds=0), NOTHING), "1 to 1000000 millionths"),
        (lucky(Prize(NAME, PrizeKind.GOODS, odds=-1), NOTHING), "1 to 1000000 millionths"),
        (lucky(*[Prize(NAME, PrizeKind.GOODS, odds=600_000)] * 2, NOTHING), "more than 100 %"),
        (lucky(Prize(NAME, PrizeKind.POINTS, odds=5, points=-3), NOTHING), "a prize of points"),
        (lucky(Prize(NAME, PrizeKind.POINTS, odds=5), NOTHING), "a prize of points"),
        (lucky(Prize(NAME, PrizeKind.COUPON, odds=5), NOTHING), "names its coupon"),
        (lucky(Prize(NAME, PrizeKind.GOODS, odds=5, stock=0), NOTHING), "stock"),
        (lucky(Prize({}, PrizeKind.GOODS, odds=5), NOTHING), "needs a name"),
    ],
)
def test_rules_that_make_no_sense(rules: Rules, said: str) -> None:
    with pytest.raises(InvalidDraw, match=said):
        policy.check_rules(rules)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(free_per_day=-1), "chances"),
        (Terms(price=0), "a chance costs"),
        (Terms(earned_by={"points_earned": 1}), "earns no chances"),
        (Terms(stages=["king"]), "stages are"),
        (Terms(minimum_orders=-1), "least number of orders"),
    ],
)
def test_terms_that_make_no_sense(terms: Terms, said: str) -> None:
    with pytest.raises(InvalidDraw, match=said):
        policy.check_terms(terms)

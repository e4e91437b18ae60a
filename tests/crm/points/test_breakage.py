"""What is expected to run out, reckoned by hand."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as some

from crm.points import breakage
from crm.points.liability_types import Bucket, Experience, Outstanding

MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)


def test_history_adds_up_from_the_longest_time_left() -> None:
    # one lot of 100 lived five steps: 40 spent at step 3, 20 at step 0, 10 in the last fortnight, 30 ran out;
    # one of 50 lived a single step and ran out whole
    buckets = [
        Bucket(5, earned=100, spent=0, expired=30),
        Bucket(3, earned=0, spent=40, expired=0),
        Bucket(0, earned=50, spent=20, expired=50),
        Bucket(-1, earned=0, spent=10, expired=0),
    ]
    known = breakage.experiences(buckets)
    assert known == [Experience(15, 90, 80), Experience(105, 60, 30), Experience(165, 100, 30)]
    found = [breakage.judged(known, step) for step in range(7)]
    shares = [item.share if item is not None else None for item in found]
    assert shares == [Fraction(8, 9), *[Fraction(1, 2)] * 3, *[Fraction(3, 10)] * 2, None]


def test_months_take_the_share_of_their_time_left_and_round_down() -> None:
    known = [Experience(15, 3, 2), Experience(45, 4, 1)]
    lots = [Outstanding(MAY, 1, 9), Outstanding(MARCH, 0, 10), Outstanding(None, 0, 500), Outstanding(MAY, 7, 100)]
    march, may = breakage.by_month(lots, known, Decimal("0.055"))
    assert (march.month, march.points, march.value) == (MARCH, 10, Decimal("0.55"))
    assert (march.expected_breakage, march.breakage_value, march.share) == (6, Decimal("0.33"), Decimal("0.6000"))
    assert (may.points, may.expected_breakage, may.share) == (109, 2, Decimal("0.0183"))


def test_without_history_nothing_is_expected_to_run_out() -> None:
    (month,) = breakage.by_month([Outstanding(MAY, 3, 70)], [], None)
    assert (month.points, month.value, month.expected_breakage, month.breakage_value) == (70, None, 0, None)
    assert month.share is None
    assert breakage.experiences([Bucket(2, earned=10, spent=10, expired=0)]) == []


_AMOUNTS = some.integers(0, 1000)
_LOTS = some.lists(some.tuples(some.integers(-1, 8), _AMOUNTS, some.integers(-1, 8), _AMOUNTS), max_size=8)


@settings(max_examples=60)
@given(_LOTS)
def test_a_share_is_never_more_than_all(lots: list[tuple[int, int, int, int]]) -> None:
    parts = [Bucket(step, expired + spent, 0, expired) for step, expired, _, spent in lots]
    parts += [Bucket(min(spent_at, step), 0, spent, 0) for step, _, spent_at, spent in lots]
    buckets = [_sum([part for part in parts if part.step == step]) for step in {part.step for part in parts}]
    known = breakage.experiences(buckets)
    assert [item.days for item in known] == sorted({item.days for item in known})
    assert all(0 <= item.share <= 1 for item in known)


def _sum(parts: list[Bucket]) -> Bucket:
    columns = zip(*((part.earned, part.spent, part.expired) for part in parts), strict=True)
    return Bucket(parts[0].step, *(sum(column) for column in columns))

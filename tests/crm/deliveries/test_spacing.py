"""What really leaves within a second, on a clock that stands still now and then, as on a busy machine."""

from collections.abc import Iterable
from itertools import pairwise
from math import ceil

import pytest

from crm.deliveries.spacing import Spacing
from crm.deliveries.types import Lane

SECONDS = 20


def departures(rate: float, stalls: Iterable[tuple[float, float]]) -> list[float]:
    """When messages leave whose slots lie 1/rate apart, where nothing runs during `stalls` (from, seconds)."""
    spacing, left = Spacing(), list[float]()
    waiting = [index / rate for index in range(int(rate * SECONDS))]
    pauses, now = sorted(stalls), 0.0
    for slot in waiting:
        now = max(now, slot)
        while True:
            for begin, length in pauses:
                if begin <= now < begin + length:
                    now = begin + length
            wait = spacing.leave(1, Lane.BULK, rate, now)
            if wait == 0:
                break
            now += wait
        left.append(now)
    return left


def fullest_second(left: list[float]) -> int:
    """The most departures within any one second."""
    most = first = 0
    for last, moment in enumerate(left):
        while left[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


STALLS = [(1.0, 0.4), (3.21, 0.05), (7.7, 1.5), (12.0, 0.9)]


@pytest.mark.parametrize("rate", [1.0, 25.0, 28.6, 940.0])
def test_no_second_holds_more_than_the_rate_after_waking_up_late(rate: float) -> None:
    left = departures(rate, STALLS)
    assert len(left) == int(rate * SECONDS)
    assert fullest_second(left) <= ceil(rate)


@pytest.mark.parametrize("rate", [25.0, 28.6])
def test_what_was_missed_leaves_spread_out(rate: float) -> None:
    gaps = [later - earlier for earlier, later in pairwise(departures(rate, STALLS))]
    assert min(gaps) >= 0.5 / rate - 0.001


def test_short_stalls_are_made_up_for() -> None:
    calm, stalled = departures(28.6, []), departures(28.6, [(float(second), 0.1) for second in range(1, 19)])
    assert stalled[-1] - calm[-1] < 0.2


def test_without_stalls_nobody_waits() -> None:
    rate = 28.6
    assert departures(rate, []) == [index / rate for index in range(int(rate * SECONDS))]


def test_bots_and_lanes_do_not_wait_for_one_another() -> None:
    spacing = Spacing()
    assert spacing.leave(1, Lane.BULK, 1.0, 5.0) == 0
    assert spacing.leave(1, Lane.BULK, 1.0, 5.0) == 1.0
    assert spacing.leave(2, Lane.BULK, 1.0, 5.0) == 0
    assert spacing.leave(1, Lane.PAID, 1.0, 5.0) == 0

"""Calls to channels, counted in plain numbers: there are thousands a second, and a scrape comes every few seconds."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from crm.deliveries.types import Lane

_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_NAMES = [*(str(bound) for bound in _BOUNDS), "+Inf"]


class Raised:
    """The outcome of a call that raised."""


RAISED: type = Raised


class SendTally:
    """The calls of one channel in one lane."""

    __slots__ = ("buckets", "outcomes", "seconds")

    def __init__(self) -> None:
        self.outcomes: Counter[type] = Counter()
        self.buckets = [0] * len(_NAMES)
        self.seconds = 0.0

    def add(self, outcome: type, seconds: float) -> None:
        """A call ended, with an outcome of this kind."""
        self.outcomes[outcome] += 1
        self.buckets[bisect_left(_BOUNDS, seconds)] += 1
        self.seconds += seconds


class SendFigures(Collector):
    """`siyu_sends` by outcome, and `siyu_send_seconds`, as a counter and a histogram would show them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._channels: dict[str, dict[Lane, SendTally]] = {}
        registry.register(self)

    def of(self, channel: str) -> dict[Lane, SendTally]:
        """The tallies of a channel, one per lane."""
        return self._channels.setdefault(channel, {lane: SendTally() for lane in Lane})

    def collect(self) -> Iterator[Metric]:
        """What was counted so far."""
        sends = CounterMetricFamily(
            "siyu_sends", "Calls to channels, by outcome.", labels=["channel", "lane", "outcome"]
        )
        times = HistogramMetricFamily("siyu_send_seconds", "Time of a call to a channel.", labels=["channel", "lane"])
        for channel, lanes in self._channels.items():
            for lane, tally in lanes.items():
                for kind, number in tally.outcomes.items():
                    sends.add_metric([channel, lane.value, kind.__name__.lower()], number)
                if tally.outcomes:
                    buckets = list(zip(_NAMES, map(float, accumulate(tally.buckets)), strict=True))
                    times.add_metric([channel, lane.value], buckets, tally.seconds)
        yield sends
        yield times

"""Figures of this process: what it handled and sent, and how long it waited for connections."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from crm.db.pools import TimedPool
from crm.db.session import Sessions
from crm.deliveries.types import ChannelSender, Lane, SendOutcome
from crm.kit.clock import monotonic
from crm.messages.types import ChannelTraits, Outbound
from runtime.measuring.sends import RAISED, SendFigures, SendTally

_SHORT = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ProcessFigures:
    """The counters of one process, in the registry that its /metrics shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._updates = Counter(
            "siyu_updates", "Inbound updates, by what became of them.", ["result"], registry=registry
        )
        self._update_seconds = Histogram(
            "siyu_update_seconds", "Time to handle an update.", buckets=_LONG, registry=registry
        )
        self._sends = SendFigures(registry)
        self._waits = Histogram(
            "siyu_pool_wait_seconds", "Time waited for a connection.", ["pool"], buckets=_SHORT, registry=registry
        )
        self._refusals = Counter("siyu_pool_timeouts", "Waits that ended without one.", ["pool"], registry=registry)
        self._size = Gauge("siyu_pool_size", "Connections that the pool may hold.", ["pool"], registry=registry)
        self._used = Gauge("siyu_pool_checked_out", "Connections in use now.", ["pool"], registry=registry)
        self.loop_lag = Gauge(
            "siyu_event_loop_lag_seconds", "Longest delay of the event loop in the last 5 s.", registry=registry
        )

    def update(self, result: str, seconds: float) -> None:
        """An update was `handled`, `failed` or `given_up`. Implements `bot.handling.Observe`."""
        self._updates.labels(result).inc()
        self._update_seconds.observe(seconds)

    def sends_of(self, channel: str) -> dict[Lane, SendTally]:
        """Where the calls to a channel are counted."""
        return self._sends.of(channel)

    def watch_pool(self, name: str, sessions: Sessions) -> None:
        """Measure the pool behind `sessions`."""
        bind = sessions.kw["bind"]
        engine = bind.engine if isinstance(bind, AsyncConnection) else bind
        pool = engine.pool
        assert isinstance(pool, TimedPool)
        waits, refusals = self._waits.labels(name), self._refusals.labels(name)

        def observe(seconds: float, is_had: bool) -> None:
            waits.observe(seconds)
            if not is_had:
                refusals.inc()

        pool.observe = observe
        self._size.labels(name).set_function(pool.size)
        self._used.labels(name).set_function(pool.checkedout)


class MeasuredSender:
    """A channel's sender whose calls are counted."""

    def __init__(self, inner: ChannelSender, figures: ProcessFigures) -> None:
        self.inner = inner
        self.name: str = inner.name
        self.traits: ChannelTraits = inner.traits
        self._tallies = figures.sends_of(inner.name)

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """See `ChannelSender.send`."""
        started, outcome = monotonic(), RAISED
        try:
            found = await self.inner.send(bot_id, address, message, lane=lane)
            outcome = type(found)
            return found
        finally:
            self._tallies[lane].add(outcome, monotonic() - started)

    async def close(self) -> None:
        """Close what the sender holds open."""
        close = getattr(self.inner, "close", None)
        if close is not None:
            await close()

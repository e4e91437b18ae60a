"""Figures of the whole deployment, read from PostgreSQL and Valkey when somebody scrapes, at most every few seconds.

A reading that fails leaves its figures out of that scrape and counts; the scrape itself never fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import beats
from crm.alerts import service as alerts
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.db import clock, partitions
from crm.db.session import Sessions
from crm.deliveries import lag as sending_lag
from crm.deliveries.rates import ValkeyPacer
from crm.deliveries.types import Lane
from crm.events import lag as event_lag
from crm.inbox import lag as inbox_lag
from crm.jobs import dead
from crm.jobs.service import queue_of
from crm.kit.clock import monotonic

FRESH_SECONDS = 5.0
LIMIT_SECONDS = 5.0
_MOST_BOTS = 100
log = structlog.get_logger(__name__)
Reading = Callable[[AsyncSession], Awaitable[list[Metric]]]


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"siyu_{name}", text, value)


def _gauges(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"siyu_{name}", text, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


class StateFigures(Collector):
    """Keeps the last reading; `refresh` reads anew when it is old."""

    def __init__(self, registry: CollectorRegistry, sessions: Sessions, pacer: ValkeyPacer) -> None:
        self._sessions = sessions
        self._pacer = pacer
        self._found: dict[str, list[Metric]] = {}
        self._read_at: float | None = None
        self._lock = asyncio.Lock()
        self._failures = Counter("siyu_readings_failed", "Readings that failed.", ["reading"], registry=registry)
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The figures of the last reading."""
        for families in self._found.values():
            yield from families

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is depends on the reading."""
        yield from ()

    async def refresh(self) -> None:
        """Read what is older than a few seconds; never raises."""
        async with self._lock:
            if self._read_at is not None and monotonic() - self._read_at < FRESH_SECONDS:
                return
            readings: dict[str, Reading] = {
                "queues": _queues,
                "dead_letters": _dead_letters,
                "house": _house,
                "bots": self._bots,
            }
            self._found = {name: await self._read(name, reading) for name, reading in readings.items()}
            self._read_at = monotonic()

    async def _read(self, name: str, reading: Reading) -> list[Metric]:
        try:
            async with asyncio.timeout(LIMIT_SECONDS), self._sessions() as session:
                return await reading(session)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are still worth having
            log.warning("reading_failed", reading=name, error=type(error).__name__)
            self._failures.labels(name).inc()
            return []

    async def _bots(self, session: AsyncSession) -> list[Metric]:
        found = (await bots.listing(session))[:_MOST_BOTS]
        now = await clock.now(session)
        active = [bot for bot in found if bot.status == "active"]
        states = [(bot, await self._pacer.state(bot.id, Lane.BULK, bot.bulk_rate)) for bot in active]
        known = [(str(bot.id), state) for bot, state in states if state is not None]

        def pause(bot: Bot) -> float:
            return max(0.0, (bot.bulk_paused_until - now).total_seconds()) if bot.bulk_paused_until else 0.0

        return [
            _gauges("bot_active", "Whether a bot works.", "bot", ((str(b.id), float(b in active)) for b in found)),
            _gauges("bot_paused_seconds", "Pause that is left.", "bot", ((str(b.id), pause(b)) for b in found)),
            _gauges("bot_rate", "Messages a second let through now.", "bot", ((key, s.rate) for key, s in known)),
            _gauges("bot_waiting_seconds", "Bulk slots reserved ahead.", "bot", ((key, s.ahead) for key, s in known)),
        ]


async def _queues(session: AsyncSession) -> list[Metric]:
    sending = await sending_lag.behind(session)
    jobs = await queue_of(session).oldest_seconds(session)
    return [
        _gauge("oldest_update_seconds", "The first unhandled update.", await inbox_lag.oldest_seconds(session)),
        _gauge("oldest_handoff_seconds", "The first open hand-off.", await event_lag.oldest_seconds(session)),
        _gauge("oldest_job_seconds", "The first due job.", jobs),
        _gauge("oldest_delivery_seconds", "The first due chunk of a broadcast.", sending.oldest_queued_seconds),
        _gauge("oldest_reply_seconds", "The first open reply.", sending.oldest_reply_seconds),
        _gauge("open_replies", "Replies that are not sent yet.", sending.open_replies),
        _gauge("uncertain_deliveries", "Uncertain ones of the last 30 days.", sending.uncertain),
    ]


async def _dead_letters(session: AsyncSession) -> list[Metric]:
    counts = [(name, float(await box.count(session))) for name, box in dead.boxes().items()]
    return [_gauges("dead_letters", "What was given up and waits.", "box", counts)]


async def _house(session: AsyncSession) -> list[Metric]:
    today = (await clock.now(session)).date()
    raised = (await alerts.open_by_kind(session)).items()
    roles = [role for _, own in await beats.running(session) for role in own]
    return [
        _gauge("partition_months_ahead", "Months with partitions.", await partitions.months_ahead(session, today)),
        _gauges("alerts_open", "Open alerts.", "kind", ((kind, float(number)) for kind, number in raised)),
        _gauges("processes", "Processes that live.", "role", ((r, float(roles.count(r))) for r in sorted(set(roles)))),
    ]

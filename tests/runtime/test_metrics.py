"""Figures: complete in the reference, right, kept for some seconds, and no scrape fails."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from admin_api.metrics import HttpMetrics
from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.bots import service as bots
from crm.config.settings import MetricsSettings
from crm.db import clock
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.deliveries.rates import Slot, ValkeyPacer
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import Lane, Sent, Throttled
from crm.inbox import service as inbox
from crm.messages.types import Outbound
from runtime.embedded.process import free_port
from runtime.measuring.counters import MeasuredSender, ProcessFigures
from runtime.measuring.measures import Measures, living, make_measures
from runtime.measuring.sends import _BOUNDS, SendFigures
from runtime.measuring.server import showing
from tests.docs.reading import read, rows

PATIENCE = 60


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def measures(committed_sessions: Sessions, valkey: Redis) -> Measures:
    return make_measures(committed_sessions, committed_sessions, valkey)


async def _shown(measures: Measures) -> dict[str, float]:
    await measures.state.refresh()
    lines = generate_latest(measures.registry).decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


async def test_the_reference_lists_every_metric(measures: Measures) -> None:
    HttpMetrics(measures.registry)
    await measures.state.refresh()
    real = set()
    for family in measures.registry.collect():
        if family.name.startswith("siyu_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            real.add(
                (f"{family.name}_total" if family.type == "counter" else family.name, family.type, *sorted(labels))
            )
    listed = [row for row in rows(read("docs/reference/metrics.md")) if len(row) == 4 and row[0].startswith("`siyu_")]
    assert sorted(row[0].strip("`") for row in listed) == sorted(item[0] for item in real)
    kinds = {row[0].strip("`"): row[1] for row in listed}
    assert kinds == {item[0]: item[1] for item in real}
    described = {row[0].strip("`"): {part.strip(" `") for part in row[2].split(",")} for row in listed}
    for item in real:
        assert set(item[2:]) <= described[item[0]]


async def test_the_state_of_the_deployment(measures: Measures, committed_sessions: Sessions, valkey: Redis) -> None:
    async with committed_sessions.begin() as session:
        bot = await bots.add(session, channel="telegram", name="Tea", token=None)
        await bots.pause_bulk(session, bot.id, await clock.now(session) + timedelta(minutes=20))
        for key in ("1", "2"):
            await inbox.store(session, bot_id=bot.id, update_key=key, chat_key=key, payload=b"{}")
        taken = await inbox.next_for_chat(session, bot.id, "1")
        assert taken is not None
        await inbox.give_up(session, taken, "because", attempts=5)
        await session.execute(text("UPDATE inbound_queue SET due_at = due_at - interval '90 seconds'"))
        await session.execute(
            text("SELECT siyu_make_partitions(relname, siyu_now()::date, 3) FROM pg_class WHERE relkind = 'p'")
        )
    await ValkeyPacer(valkey).slow_down(bot.id, 20)
    await ValkeyPacer(valkey).reserve(bot.id, Lane.BULK, 20, [Slot("1", 0)] * 50)
    found = await _shown(measures)
    assert found["siyu_oldest_update_seconds"] >= 90
    assert found['siyu_dead_letters{box="updates"}'] == 1
    assert found['siyu_alerts_open{kind="bot_paused"}'] == 1
    assert found["siyu_partition_months_ahead"] == 3
    assert found[f'siyu_bot_active{{bot="{bot.id}"}}'] == 1
    assert 1000 < found[f'siyu_bot_paused_seconds{{bot="{bot.id}"}}'] <= 1200
    assert 10 <= found[f'siyu_bot_rate{{bot="{bot.id}"}}'] < 20
    assert found[f'siyu_bot_waiting_seconds{{bot="{bot.id}"}}'] > 0
    async with committed_sessions.begin() as session:
        await alerts.raise_alert(session, AlertKind.SECOND_POLLER, "1", "Two.")
    assert 'siyu_alerts_open{kind="second_poller"}' not in await _shown(measures)  # kept for some seconds


async def test_a_scrape_never_fails(surroundings: Surroundings) -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=2)
    sessions = make_sessions(engine, surroundings)
    async with Redis.from_url("redis://127.0.0.1:1") as nowhere:
        measures = make_measures(sessions, sessions, nowhere)
        found = await _shown(measures)
    assert found['siyu_readings_failed_total{reading="queues"}'] == 1
    assert "siyu_oldest_update_seconds" not in found
    assert found['siyu_pool_size{pool="bulk"}'] == 2
    await engine.dispose()


async def test_waits_for_connections_are_measured(committed_url: str, surroundings: Surroundings) -> None:
    engine = make_engine(committed_url, pool_size=2)
    sessions = make_sessions(engine, surroundings)
    figures = ProcessFigures(CollectorRegistry())
    figures.watch_pool("bulk", sessions)
    async with engine.connect(), engine.connect():
        assert figures.registry.get_sample_value("siyu_pool_checked_out", {"pool": "bulk"}) == 2
        waiting = [asyncio.create_task(_one(engine)) for _ in range(3)]
        assert await asyncio.gather(*waiting) == ["TimeoutError"] * 3
    assert await _one(engine) == ""
    assert figures.registry.get_sample_value("siyu_pool_timeouts_total", {"pool": "bulk"}) == 3
    assert figures.registry.get_sample_value("siyu_pool_wait_seconds_count", {"pool": "bulk"}) == 6
    assert figures.registry.get_sample_value("siyu_pool_checked_out", {"pool": "bulk"}) == 0
    await engine.dispose()


async def _one(engine: AsyncEngine) -> str:
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception as error:  # noqa: BLE001 - the kind is the answer
        return type(error).__name__
    return ""


async def test_calls_are_counted_by_outcome() -> None:
    figures = ProcessFigures(CollectorRegistry())
    fake = FakeSender()
    sender = MeasuredSender(fake, figures)
    fake.queued.extend([Sent("1"), Throttled(3)])
    for lane in (Lane.BULK, Lane.BULK, Lane.INTERACTIVE):
        await sender.send(1, "7", Outbound(text_html="Hi"), lane=lane)
    labels = {"channel": fake.name, "lane": "bulk"}
    assert figures.registry.get_sample_value("siyu_sends_total", {**labels, "outcome": "sent"}) == 1
    assert figures.registry.get_sample_value("siyu_sends_total", {**labels, "outcome": "throttled"}) == 1
    assert figures.registry.get_sample_value("siyu_send_seconds_count", labels) == 2
    assert figures.registry.get_sample_value("siyu_send_seconds_bucket", {**labels, "le": "+Inf"}) == 2


async def test_a_call_that_raises_is_counted_too() -> None:
    figures = ProcessFigures(CollectorRegistry())
    fake = FakeSender()
    sender = MeasuredSender(fake, figures)
    fake.answer = _broken
    with pytest.raises(RuntimeError):
        await sender.send(1, "7", Outbound(text_html="Hi"), lane=Lane.BULK)
    labels = {"channel": fake.name, "lane": "bulk", "outcome": "raised"}
    assert figures.registry.get_sample_value("siyu_sends_total", labels) == 1


def test_times_fall_into_the_buckets_of_a_histogram() -> None:
    registry, usual = CollectorRegistry(), CollectorRegistry()
    mine = SendFigures(registry).of("x")[Lane.BULK]
    known = Histogram("siyu_send_seconds", "-", ["channel", "lane"], buckets=_BOUNDS, registry=usual)
    for seconds in (0.0, 0.01, 0.0100001, 0.3, 30.0, 31.0):
        mine.add(Sent, seconds)
        known.labels("x", "bulk").observe(seconds)
    labels = {"channel": "x", "lane": "bulk"}
    for bound in ("0.01", "0.025", "0.5", "30.0", "+Inf"):
        place = {**labels, "le": bound}
        found = [item.get_sample_value("siyu_send_seconds_bucket", place) for item in (registry, usual)]
        assert found[0] == found[1] is not None
    assert registry.get_sample_value("siyu_send_seconds_sum", labels) == pytest.approx(61.3200001)


def _broken(address: str, call: int) -> None:
    raise RuntimeError


async def _ask(address: tuple[str, int], request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_the_internal_port_shows_them_and_nothing_else(measures: Measures) -> None:
    settings = MetricsSettings(port=free_port())
    async with showing(settings, measures.registry, measures.state.refresh) as address:
        assert address is not None
        shown = await _ask(address, b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        assert shown.startswith(b"HTTP/1.1 200")
        assert b"siyu_oldest_update_seconds" in shown
        assert b'{"status":"ok"}' in await _ask(address, b"GET /livez HTTP/1.1\r\n\r\n")
        assert (await _ask(address, b"GET /console HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 404")
        assert (await _ask(address, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405")
        assert await _ask(address, b"x" * 100_000) == b""
    async with showing(MetricsSettings(), measures.registry, measures.state.refresh) as address:
        assert address is None


async def test_a_process_gives_signs_of_life_and_takes_its_leave(
    measures: Measures, committed_sessions: Sessions
) -> None:
    async def roles() -> list[list[str]]:
        async with committed_sessions() as session:
            return list(await session.scalars(text("SELECT roles FROM process_beats")))

    async with living(measures, committed_sessions, ["worker"]), asyncio.timeout(PATIENCE):
        while await roles() != [["worker"]]:  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.05)
        assert (await _shown(measures))['siyu_processes{role="worker"}'] == 1
    assert await roles() == []


def test_the_rules_name_real_metrics() -> None:
    text_of = read("docs/reference/metrics.md")
    listed = {row[0].strip("`") for row in rows(text_of) if row[0].startswith("`siyu_")}
    used = {name for row in rows(text_of) if row[0].startswith(("`max", "`rate")) for name in listed if name in row[0]}
    assert len(used) == 6

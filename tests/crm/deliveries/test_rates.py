"""Pacing on a real Valkey: smooth, shared, and safe when Valkey is away."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from bot.channels.telegram.manifest import TRAITS as TELEGRAM
from bot.channels.webchat.manifest import TRAITS as WEBCHAT
from crm.deliveries import rates
from crm.deliveries.rates import LocalPacer, Pacer, Slot, ValkeyPacer, slot_for
from crm.deliveries.types import Lane


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()


def _people(number: int, start: int = 0) -> list[Slot]:
    return [Slot(str(1000 + start + index)) for index in range(number)]


def _to(*addresses: str) -> list[Slot]:
    return [slot_for(TELEGRAM, address, 10) for address in addresses]


async def test_slots_are_evenly_spaced(valkey: Redis) -> None:
    waits = await ValkeyPacer(valkey).reserve(1, Lane.BULK, 25, _people(25))
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert waits[0] == 0
    assert all(0.038 <= gap <= 0.042 for gap in gaps)


async def test_two_processes_share_the_rate(valkey: Redis) -> None:
    one, two = ValkeyPacer(valkey), ValkeyPacer(valkey)
    first = await one.reserve(1, Lane.BULK, 25, _people(25))
    second = await two.reserve(1, Lane.BULK, 25, _people(25, 100))
    assert 0.9 < second[0] <= 1.0
    assert second[0] > first[-1]


async def test_bots_and_lanes_do_not_wait_for_one_another(valkey: Redis) -> None:
    pacer = ValkeyPacer(valkey)
    await pacer.reserve(1, Lane.BULK, 1, _people(20))
    assert await pacer.reserve(2, Lane.BULK, 1, _to("1")) == [0.0]
    assert await pacer.reserve(1, Lane.INTERACTIVE, 30, _to("2")) == [0.0]


async def test_one_chat_gets_a_message_a_second_in_bulk(valkey: Redis) -> None:
    waits = await ValkeyPacer(valkey).reserve(1, Lane.BULK, 1000, _to("5", "5", "6"))
    assert waits[1] >= 0.99
    assert waits[2] < 0.1


async def test_replies_may_come_in_a_short_burst(valkey: Redis) -> None:
    waits = await ValkeyPacer(valkey).reserve(1, Lane.INTERACTIVE, 30, _to(*"55555"))
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert 0.9 <= waits[3] <= 1.0 < waits[4]


async def test_after_too_many_requests_the_rate_is_halved(valkey: Redis) -> None:
    pacer = ValkeyPacer(valkey)
    await pacer.slow_down(1, 20)
    waits = await pacer.reserve(1, Lane.BULK, 20, _people(3))
    assert waits[1] == pytest.approx(0.1, abs=0.005)
    assert (await pacer.reserve(1, Lane.INTERACTIVE, 30, _to("9"))) == [0.0]


@pytest.mark.parametrize("kind", ["shared", "local"])
async def test_slots_of_those_who_must_rest_are_given_up(kind: str, valkey: Redis) -> None:
    pacer: Pacer = ValkeyPacer(valkey) if kind == "shared" else LocalPacer(peers=1)
    await pacer.reserve(1, Lane.BULK, 1, _people(25))
    assert (await pacer.reserve(1, Lane.BULK, 1, _people(1, 50)))[0] > 20
    await pacer.slow_down(1, 1)
    assert (await pacer.reserve(1, Lane.BULK, 1, _people(1, 60)))[0] == 0


async def test_losing_all_of_valkey_is_survived(valkey: Redis) -> None:
    pacer = ValkeyPacer(valkey)
    await pacer.reserve(1, Lane.BULK, 25, _people(5))
    await valkey.flushall()
    await valkey.script_flush()
    assert (await pacer.reserve(1, Lane.BULK, 25, _people(2, 50)))[0] == 0


async def test_without_valkey_each_process_keeps_to_its_share() -> None:
    away = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    pacer = ValkeyPacer(away, LocalPacer(peers=2))
    waits = await pacer.reserve(1, Lane.BULK, 10, _people(6))
    assert [round(wait, 2) for wait in waits] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    following = await pacer.reserve(1, Lane.BULK, 10, _people(1, 50))
    assert following[0] == pytest.approx(1.2, abs=0.05)
    await away.aclose()


@pytest.mark.parametrize("burst", [Lane.BULK, Lane.INTERACTIVE])
async def test_both_pacers_answer_alike(valkey: Redis, burst: Lane) -> None:
    slots = [*_to("1", "2", "1", "3", "-77", "-77", "1", "1", "4"), Slot("1", 0.0), Slot("6", 1.0, 2.5), *_to("1", "5")]
    pacers: list[Pacer] = [ValkeyPacer(valkey), LocalPacer(peers=1)]
    shared, local = [await pacer.reserve(3, burst, 30, slots) for pacer in pacers]
    assert shared == pytest.approx(local, abs=0.01)


async def test_long_messages_take_more_of_the_rate(valkey: Redis) -> None:
    slots = [slot_for(TELEGRAM, address, 501) for address in "123"]
    waits = await ValkeyPacer(valkey).reserve(1, Lane.BULK, 10, slots)
    assert waits == pytest.approx([0, 0.15, 0.3], abs=0.01)


async def test_a_channel_without_gaps_is_not_slowed(valkey: Redis) -> None:
    slots = [slot_for(WEBCHAT, "5", 4000)] * 10
    waits = await ValkeyPacer(valkey).reserve(1, Lane.INTERACTIVE, WEBCHAT.replies_per_second, slots)
    assert waits == [0.0] * 10


async def test_paid_broadcasts_have_a_bucket_of_their_own(valkey: Redis) -> None:
    pacer = ValkeyPacer(valkey)
    await pacer.reserve(1, Lane.BULK, 1, _people(20))
    waits = await pacer.reserve(1, Lane.PAID, TELEGRAM.paid_rate, _people(100, 50))
    assert waits[0] == 0
    assert waits[-1] == pytest.approx(0.099, abs=0.003)
    await pacer.slow_down(1, 1000, Lane.PAID)
    assert (await pacer.reserve(2, Lane.BULK, 25, _people(2, 300)))[1] == pytest.approx(0.04, abs=0.002)


@pytest.mark.parametrize("kind", ["shared", "local"])
async def test_a_slowed_rate_comes_back_by_one_a_minute(
    kind: str, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(rates, "monotonic", lambda: now)
    pacer: Pacer = ValkeyPacer(valkey) if kind == "shared" else LocalPacer(peers=1)
    await pacer.slow_down(1, 20)
    if kind == "shared":
        await valkey.hincrby("siyu:rate:{1}:slow:bulk", "at", -300_000)
        assert 0 < await valkey.ttl("siyu:rate:{1}:slow:bulk") <= 11 * 60
    now += 300
    waits = await pacer.reserve(1, Lane.BULK, 20, _people(3))
    assert waits[1] == pytest.approx(1 / 15, abs=0.005)


def test_groups_get_eighteen_a_minute() -> None:
    assert slot_for(TELEGRAM, "-100123", 5).gap == pytest.approx(3.333, abs=0.001)
    assert slot_for(TELEGRAM, "123", 5) == Slot("123", 1.0, 1.0)

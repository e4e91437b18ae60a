"""Pacing on a real Valkey: smooth, shared, and safe when Valkey is away."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from crm.deliveries.rates import LocalPacer, Pacer, ValkeyPacer, chat_gap
from crm.deliveries.types import Lane


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()


def _people(number: int, start: int = 0) -> list[str]:
    return [str(1000 + start + index) for index in range(number)]


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
    assert await pacer.reserve(2, Lane.BULK, 1, ["1"]) == [0.0]
    assert await pacer.reserve(1, Lane.INTERACTIVE, 0, ["2"]) == [0.0]


async def test_one_chat_gets_a_message_a_second_in_bulk(valkey: Redis) -> None:
    waits = await ValkeyPacer(valkey).reserve(1, Lane.BULK, 1000, ["5", "5", "6"])
    assert waits[1] >= 0.99
    assert waits[2] < 0.1


async def test_replies_may_come_in_a_short_burst(valkey: Redis) -> None:
    waits = await ValkeyPacer(valkey).reserve(1, Lane.INTERACTIVE, 0, ["5"] * 5)
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert 0.9 <= waits[3] <= 1.0 < waits[4]


async def test_after_too_many_requests_the_rate_is_halved(valkey: Redis) -> None:
    pacer = ValkeyPacer(valkey)
    await pacer.slow_down(1, 20)
    waits = await pacer.reserve(1, Lane.BULK, 20, _people(3))
    assert waits[1] == pytest.approx(0.1, abs=0.005)
    assert (await pacer.reserve(1, Lane.INTERACTIVE, 0, ["9"])) == [0.0]


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
    addresses = ["1", "2", "1", "3", "-77", "-77", "1", "1", "4", "1", "1", "5"]
    pacers: list[Pacer] = [ValkeyPacer(valkey), LocalPacer(peers=1)]
    shared, local = [await pacer.reserve(3, burst, 30, addresses) for pacer in pacers]
    assert shared == pytest.approx(local, abs=0.01)


def test_groups_get_eighteen_a_minute() -> None:
    assert chat_gap("-100123") == pytest.approx(3.333, abs=0.001)
    assert chat_gap("123") == 1.0

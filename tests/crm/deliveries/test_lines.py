"""One chunk of a bot is made ready while another is sent, and no more groups are open than may be."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from crm.db.session import Sessions
from crm.deliveries import launching
from crm.deliveries.calling import Call
from crm.deliveries.lines import Lines
from crm.deliveries.pacing import SlotsAhead
from crm.deliveries.sending import ChunkRun, Desk, take_next
from crm.deliveries.testing import FakeRenderer, FakeSender
from crm.deliveries.types import Throttled
from tests.factories.deliveries import desk, figures, launch

BOT = 7


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the fake is watched from outside
            await asyncio.sleep(0.005)


async def _runs(work: Desk, number: int) -> list[ChunkRun]:
    leases = [await take_next(work) for _ in range(number)]
    return [ChunkRun(work, lease) for lease in leases if lease is not None]


async def test_the_next_chunk_is_ready_but_not_open_while_one_is_sent(
    committed_sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "CHUNK", 10)
    await launch(committed_sessions, 20)
    sender, renderer = FakeSender(gate=asyncio.Event()), FakeRenderer()
    work = desk(committed_sessions, sender, renderer=renderer)
    tasks = [asyncio.create_task(run.run()) for run in await _runs(work, 2)]
    await _until(lambda: renderer.loads == 2 and sender.calls == 10)
    assert await figures(committed_sessions) == {"sending": 10, "claimed": 10}
    assert sender.gate is not None
    sender.gate.set()
    await asyncio.gather(*tasks)
    assert sender.calls == 20
    assert await figures(committed_sessions) == {"sent": 20}


async def test_a_chunk_that_was_ready_is_not_sent_after_the_bot_was_told_to_wait(
    committed_sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "CHUNK", 10)
    await launch(committed_sessions, 20)
    sender = FakeSender(answer=lambda _, call: Throttled(600) if call == 10 else None, latency=0.01)
    await asyncio.gather(*(run.run() for run in await _runs(desk(committed_sessions, sender), 2)))
    assert sender.calls == 10
    assert await figures(committed_sessions) == {"sent": 9, "queued": 11}


async def test_a_run_that_fails_lets_the_next_one_go_on() -> None:
    lines = Lines()
    first, second = lines.join(BOT), lines.join(BOT)
    await first.reserve()
    await first.open()
    waiting = asyncio.create_task(second.reserve())
    await asyncio.sleep(0)
    assert not waiting.done()
    first.leave()
    async with asyncio.timeout(30):
        await waiting
        await second.open()
    second.leave()
    third = lines.join(BOT)
    await third.reserve()
    await third.open()


async def test_slots_are_reserved_before_groups_are_opened() -> None:
    lines = Lines()
    first, second = lines.join(BOT), lines.join(BOT)
    await first.reserve()
    await first.open()
    first.reserved_all()
    async with asyncio.timeout(30):
        await second.reserve()
    opening = asyncio.create_task(second.open())
    await asyncio.sleep(0)
    assert not opening.done()
    first.leave()
    async with asyncio.timeout(30):
        await opening


def test_there_is_room_for_one_more_while_one_ends() -> None:
    lines = Lines(2)
    turn = lines.join(BOT)
    assert (lines.room(BOT), lines.room(BOT + 1)) == (2, 2)
    turn.end_soon()
    turn.end_soon()
    assert lines.news.is_set()
    assert (lines.room(BOT), lines.room(BOT + 1)) == (3, 2)
    turn.leave()
    assert lines.room(BOT) == 2


async def test_slots_are_taken_a_block_ahead_and_each_group_gets_its_own() -> None:
    times = [[first + number / 10 for number in range(3)] for first in range(5)]
    groups = [[cast("Call", time) for time in group] for group in times]
    asked: list[int] = []
    ended: list[bool] = []

    async def reserve(calls: Sequence[Call]) -> list[float]:
        asked.append(len(calls))
        return [cast("float", call) for call in calls]

    slots = SlotsAhead(reserve, groups, 70.0, lambda: ended.append(True))
    assert [await slots.next() for _ in range(2)] == times[:2]
    await slots.close()
    assert (asked, ended) == ([6, 6], [])
    assert [await slots.next() for _ in range(3)] == times[2:]
    await slots.close()
    assert (asked, ended) == ([6, 6, 3], [True])

"""Many transactions of one member at once, over real connections: an input and a tap, check-ins."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from crm.bots.types import Bot
from crm.check_ins import service as check_ins
from crm.db.session import Sessions
from crm.kit.clock import monotonic
from crm.points import service as points
from tests.bot.loop import House, make_loop_bot
from tests.bot.test_dispatcher import order
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row
from tests.factories.members import make_member

PAIRS, ROUNDS = (100, 20) if SIZES.is_full else (10, 2)
AT_ONCE, CONNECTIONS = 100, 40
_VERSIONS = "SELECT identity_id, version, jsonb_array_length(runs) AS open FROM conversations"
_NUMBERS = "SELECT count(*) FROM conversation_messages WHERE direction = 'in'"


@pytest.mark.chaos_row(21)
async def test_a_message_and_a_tap_at_once(committed_sessions: Sessions, row: Row) -> None:
    row.plan(
        "message and callback of one member at the same time",
        done=f"{PAIRS} times, at two processes' dispatchers over real connections",
        expected="no step lost, versions only grow, no deadlock",
    )
    bot = await make_loop_bot(committed_sessions)
    houses = House(committed_sessions, order), House(committed_sessions, order)
    watching = asyncio.create_task(_watch(committed_sessions))
    try:
        for number in range(PAIRS):
            await _say_and_tap(houses, bot, str(number))
    finally:
        watching.cancel()
        await House.close_all()
    async with committed_sessions() as session:
        rows = (await session.execute(text(_VERSIONS))).all()
        handled = int(await session.scalar(text(_NUMBERS)) or 0)
        dead = int(await session.scalar(text("SELECT count(*) FROM inbound_dead_letters")) or 0)
    ends = Counter((found.version, found.open) for found in rows)
    fell = watching.result() if watching.done() and not watching.cancelled() else 0
    row.saw(f"{handled} of {PAIRS * 3} inputs handled, dead {dead}, ends {dict(ends)}, versions that fell {fell}")
    # The tap answers the second question: it counts when it comes after the name, else the old button is shown anew.
    assert set(ends) <= {(3, 0), (2, 1)}
    assert (len(rows), handled, dead, fell) == (PAIRS, PAIRS * 3, 0, 0)


async def _say_and_tap(houses: tuple[House, House], bot: Bot, chat: str) -> None:
    first, second = houses
    await first.receive(bot, chat, "/order", key=f"a{chat}")
    await first.settle()
    await asyncio.gather(
        first.receive(bot, chat, "Li", key=f"b{chat}"),
        second.receive(bot, chat, kind="button", data="1:a:1:2:0", key=f"c{chat}"),
    )
    await first.settle()
    await second.settle()


async def _watch(sessions: Sessions) -> int:
    """Returns as soon as a version is lower than it was before."""
    known: dict[int, int] = {}
    while True:
        async with sessions() as session:
            for found in await session.execute(text(_VERSIONS)):
                if found.version < known.get(found.identity_id, 0):
                    return 1
                known[found.identity_id] = found.version
        await asyncio.sleep(0.01)


@pytest.mark.chaos_row(22)
async def test_check_ins_at_once(committed_sessions: Sessions, row: Row) -> None:
    row.plan(
        "100 check-ins of one member in 100 transactions",
        done=f"{AT_ONCE} at once over {CONNECTIONS} connections, {ROUNDS} times",
        expected=f"1 counts, {AT_ONCE - 1} say that it did already; p95 below 300 ms",
    )
    async with committed_sessions.begin() as session:
        await points.ensure_defaults(session)
    room, waits = asyncio.Semaphore(CONNECTIONS), list[float]()

    async def tap(member_id: int) -> bool:
        async with room:
            begun = monotonic()
            async with committed_sessions.begin() as session:
                found = await check_ins.check_in(session, member_id, channel="telegram")
            waits.append(monotonic() - begun)
            return found.is_new

    counted, awarded = [], []
    for _ in range(ROUNDS):
        async with committed_sessions.begin() as session:
            member_id = (await make_member(session)).id
        counted.append(sum(await asyncio.gather(*(tap(member_id) for _ in range(AT_ONCE)))))
        async with committed_sessions() as session:
            awarded.append(await points.balance(session, member_id))
    p95 = sorted(waits)[int(len(waits) * 0.95)] * 1000
    row.saw(f"counted {sorted(set(counted))}, points {sorted(set(awarded))}, p95 {p95:.0f} ms")
    assert (set(counted), set(awarded)) == ({1}, {5})

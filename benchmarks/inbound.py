"""Check-ins per second through the whole inbound path, beside the same statements driven bare by pgbench.

The path: raw update stored and committed, then in one transaction lock, flow, ledger, journal, transcript and
outbound row; the call to the provider afterwards is left out on both sides.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import orjson
from sqlalchemy import text

from benchmarks.members import add_bot, add_members
from benchmarks.replay import record, run_pgbench
from benchmarks.results import Result
from benchmarks.stage import Stage
from bot.channels.contract import ChannelContext
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from bot.intake import Intake
from bot.replies import enqueue
from crm.kit.clock import monotonic
from crm.messages.service import render_flow
from flows.engine import registry
from flows.engine.engine import Engine
from runtime.channels import discover_channels, load_part
from runtime.contents import TAPS

MEMBERS = 3_000
WARM = 300
FIRST = 4_000_001
ADDRESS = 1_000_000
UPDATE = 7_000_000
CONCURRENT = 16
GOAL = 0.12


async def measure(stage: Stage) -> Result:
    """16 members at once, on both sides."""
    container = stage.container
    bot_id = await add_bot(container, "http://127.0.0.1:9")
    await add_members(container, bot_id, FIRST, FIRST + 3 * MEMBERS)
    context = ChannelContext(container.settings, container.interactive, container.valkey)
    inbound = load_part(discover_channels()["telegram"].inbound)(context)
    handler = Handler(
        container.interactive, {"telegram": inbound}, Engine(registry.discover(), render_flow, TAPS), enqueue, _nothing
    )
    dispatcher = Dispatcher(container.interactive, handler, concurrency=CONCURRENT)
    intake = Intake(container.interactive, dispatcher)
    await _check_in(intake, dispatcher, bot_id, range(FIRST, FIRST + WARM))
    sample = FIRST + WARM
    statements = await record(container.interactive, lambda: _check_in(intake, dispatcher, bot_id, [sample]))
    first = sample + 1
    value = await _check_in(intake, dispatcher, bot_id, range(first, first + MEMBERS))
    await _verify(stage, WARM + 1 + MEMBERS)
    numbers = {"m": sample, "a": sample + ADDRESS, "u": sample + UPDATE}
    reference = await run_pgbench(
        stage.postgres_url,
        statements,
        numbers,
        found={WARM + 1: "(SELECT min(position) FROM inbound_queue WHERE chat_key = (:a)::text)"},
        clients=CONCURRENT,
        each=MEMBERS // CONCURRENT,
        ahead=MEMBERS + 1,
    )
    return Result("check-in, whole inbound path / pgbench", "check-ins/s", value, reference, GOAL)


async def _nothing(delivery_ids: Sequence[UUID]) -> None:
    del delivery_ids


async def _check_in(intake: Intake, dispatcher: Dispatcher, bot_id: int, members: Sequence[int]) -> float:
    waiting = iter(members)

    async def hand_in() -> None:
        for member in waiting:
            chat = member + ADDRESS
            await intake(
                bot_id=bot_id,
                update_key=str(member + UPDATE),
                chat_key=str(chat),
                payload=_update(member + UPDATE, chat),
            )

    begun = monotonic()
    await asyncio.gather(*(hand_in() for _ in range(CONCURRENT)))
    await dispatcher.drain()
    return len(members) / (monotonic() - begun)


def _update(update_id: int, chat: int) -> bytes:
    person = {"id": chat, "is_bot": False, "first_name": f"Member {chat - ADDRESS}", "language_code": "en"}
    message = {
        "message_id": 1,
        "date": 1_760_000_000,
        "chat": {"id": chat, "type": "private", "first_name": person["first_name"]},
        "from": person,
        "text": "/checkin",
        "entities": [{"type": "bot_command", "offset": 0, "length": 8}],
    }
    return orjson.dumps({"update_id": update_id, "message": message})


async def _verify(stage: Stage, expected: int) -> None:
    """Each member was given the day's points once: what is fast but wrong does not count."""
    async with stage.container.sessions() as session:
        query = "SELECT count(*) FROM profiles WHERE check_ins_count = 1 AND points_balance > 0"
        found = (await session.execute(text(query))).scalar_one()
    if found != expected:
        raise RuntimeError(f"{found} of {expected} check-ins counted")

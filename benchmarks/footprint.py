"""The memory of a real `siyu sender` while it sends to many: eight bots side by side, paced by Valkey."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from benchmarks.launches import finished, launch, start, verify
from benchmarks.members import add_bot, add_members
from benchmarks.results import Result
from benchmarks.sizes import LARGE, SMALL
from benchmarks.stage import Stage
from benchmarks.stand_in import stand_in

FIRST = 8_000_001
BOTS = 8
MOST, MOST_GROWTH = 80.0, 5.0
"""Megabytes."""
_SENT = text("SELECT coalesce(sum((tally ->> 'sent')::bigint), 0) FROM delivery_chunks")
_COMMAND = "from runtime.cli import main; main()"
"""What the command `siyu` does, also where it is not installed."""
_RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")


async def measure(stage: Stage) -> list[Result]:
    """Resident megabytes at their most, and how many of them came after the first ten thousand messages."""
    share = LARGE // BOTS
    async with stand_in() as base:
        for number in range(BOTS):
            bot_id = await add_bot(stage.container, base, number=number)
            await add_members(stage.container, bot_id, FIRST + number * share, FIRST + (number + 1) * share - 1)
        campaign_id = await launch(stage, "Footprint")
        async with _sender(stage) as pid:
            await start(stage, campaign_id)
            done = asyncio.create_task(finished(stage, campaign_id))
            idle = early = most = _resident(pid)
            while not done.done():
                await asyncio.wait({done}, timeout=0.2)
                resident = _resident(pid)
                most = max(most, resident)
                if await _sent(stage) <= SMALL:
                    early = max(early, resident)
            await done
        await verify(stage, campaign_id, share * BOTS)
    if most > MOST:
        print(f"{idle:.0f} of {most:.0f} MB were resident before the first message: what the process imports.")
    return [
        Result("resident memory of a sender / allowed", "MB", most, MOST, 1.0, is_most=True),
        Result(
            f"its growth from {SMALL:,} to {LARGE:,} messages / allowed",
            "MB",
            most - early,
            MOST_GROWTH,
            1.0,
            is_most=True,
        ),
    ]


@asynccontextmanager
async def _sender(stage: Stage) -> AsyncIterator[int]:
    """The process id of a sender over the stage's servers, once it serves."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIYU_")}
    settings = {
        "SIYU_DATA_DIR": str(stage.folder),
        "SIYU_DATABASE_URL": stage.postgres_url,
        "SIYU_VALKEY_URL": stage.valkey_url,
        "SIYU_METRICS_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _COMMAND,
        "sender",
        env=own | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = await process.stdout.readline()
    reading = asyncio.create_task(process.stdout.read())
    if process.returncode is not None:
        raise RuntimeError(said.decode() + (await reading).decode())
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


async def _sent(stage: Stage) -> int:
    async with stage.container.sessions() as session:
        return int(await session.scalar(_SENT) or 0)


def _resident(pid: int) -> float:
    found = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0

"""Broadcasts from the launched campaign to its announced end, beside bare clients, a peer, and themselves when small.

Pace open: what is measured is the path (audience, gates, rendering, intents, sending, results), not the provider's
limit. `limits` measures how near to a limit the path comes, `footprint` what the process needs.
"""

import asyncio
import gc

import aiohttp
import orjson
from sqlalchemy import text

from benchmarks.launches import finished, launch, sending, start, verify
from benchmarks.members import TOKEN, add_bot, add_members
from benchmarks.profile import Profile, profiled
from benchmarks.results import Result
from benchmarks.sequential import measure_sequential
from benchmarks.sizes import LARGE, SMALL
from benchmarks.snapshot import measure_snapshot
from benchmarks.stage import Stage
from benchmarks.stand_in import stand_in
from crm.deliveries.rates import Unpaced
from crm.kit.clock import monotonic

FIRST = 2_000_001
BARE = 20_000
CONCURRENT = 64
GROUPS = CONCURRENT // 25 + 1
MOST_LOG = 300
"""Bytes of write-ahead log per delivery."""
_RUNS = 3


async def measure(stage: Stage) -> list[Result]:
    """All rows; what is missed is shown with a profile of where the time went."""
    async with stand_in() as base:
        bot_id = await add_bot(stage.container, base)
        await add_members(stage.container, bot_id, FIRST, FIRST + SMALL - 1)
        # As every process of ours does once it has started.
        gc.collect()
        gc.freeze()
        bare = [await _bare(base)]
        small = sorted([await _whole_path(stage, SMALL) for _ in range(_RUNS)])[_RUNS // 2]
        await add_members(stage.container, bot_id, FIRST + SMALL, FIRST + LARGE - 1)
        before = await _log_position(stage)
        with profiled() as profile:
            large = await _whole_path(stage, LARGE)
        log = (await _log_position(stage) - before) / LARGE
        # Measured on both sides of it: on a shared machine one run alone may meet a busy moment.
        bare.append(await _bare(base))
        reference = sum(bare) / len(bare)
        peer = await measure_sequential(base, range(FIRST, FIRST + LARGE))
        snapshot = await measure_snapshot(stage)
    rows = [
        Result("broadcast, whole path / bare aiohttp", "messages/s", large, reference, 0.65),
        Result("broadcast, whole path / aiogram, one after the other", "messages/s", large, peer, 3.0),
        Result(f"broadcast to {LARGE:,} / to {SMALL:,}", "messages/s", large, small, 0.9),
        Result("write-ahead log per delivery / allowed", "bytes", log, MOST_LOG, 1.0, is_most=True),
        Result("audience / bare INSERT .. SELECT", "s", snapshot.seconds, snapshot.bare_seconds, 1.3, is_most=True),
    ]
    _explain(rows, profile)
    return rows


def _explain(rows: list[Result], profile: Profile) -> None:
    missed = [row.name for row in rows if not row.met]
    if missed:
        print(f"Missed: {', '.join(missed)}. Where the sender's processor time went:")
        print("\n".join(profile.top()))


async def _bare(base: str) -> float:
    """What a bare client reaches: 64 at once, the JSON encoded by orjson."""
    address = f"{base}/bot{TOKEN}/sendMessage"
    payloads = iter(
        orjson.dumps({"chat_id": str(FIRST + number), "text": "x" * 80, "parse_mode": "HTML"}) for number in range(BARE)
    )
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENT)) as http:

        async def post() -> None:
            for body in payloads:
                async with http.post(address, data=body, headers=headers) as answer:
                    orjson.loads(await answer.read())

        begun = monotonic()
        await asyncio.gather(*(post() for _ in range(CONCURRENT)))
        return BARE / (monotonic() - begun)


async def _whole_path(stage: Stage, size: int) -> float:
    """Messages a second, from the launched campaign (audience not yet made) to the announced end."""
    campaign_id = await launch(stage, f"Bench {size} {monotonic()}")
    begun = monotonic()
    await start(stage, campaign_id)
    async with sending(stage, pacer=Unpaced(), open_groups=GROUPS):
        await finished(stage, campaign_id)
        seconds = monotonic() - begun
    await verify(stage, campaign_id, size)
    return size / seconds


async def _log_position(stage: Stage) -> float:
    """Bytes of write-ahead log that were ever written."""
    async with stage.container.sessions() as session:
        position = await session.scalar(text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))
    return float(position or 0)

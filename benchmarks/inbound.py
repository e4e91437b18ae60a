"""Check-ins as members make them: at the service, through the whole inbound path, beside a broadcast, beside peers.

The whole path: raw update stored and committed, then in one transaction lock, flow, ledger, journal, transcript and
outbound row; the call to the provider afterwards is left out on every side.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import text

from benchmarks.bare_check_in import measure_bare
from benchmarks.beside import broadcasting
from benchmarks.booth import Booth, open_booth, update_of
from benchmarks.members import add_bot, add_members
from benchmarks.peer import measure_peer
from benchmarks.profile import profiled
from benchmarks.results import Result
from benchmarks.stage import Stage
from benchmarks.stand_in import stand_in
from crm.check_ins import service as check_ins
from crm.db.company import Company
from crm.kit.clock import monotonic
from runtime.garbage import collect_seldom

MEMBERS = 40_000
WARM = 200
FIRST = 4_000_001
CONCURRENT = 16
SECONDS = 7.0
MOST_MILLISECONDS = 40.0
MOST_SLOWER = 1.5


async def measure(stage: Stage) -> list[Result]:
    """All rows; 16 members at once on every side."""
    # As every process of ours does once it has started.
    collect_seldom()
    async with stand_in() as base:
        bot_id = await add_bot(stage.container, base)
        await add_members(stage.container, bot_id, FIRST, FIRST + MEMBERS)
        waiting = iter(range(FIRST, FIRST + MEMBERS))
        peer = await _peer(stage)
        bare = await measure_bare(stage, clients=CONCURRENT)
        service = await _at_the_service(stage, waiting)
        async with open_booth(stage.container, bot_id, concurrency=CONCURRENT) as booth:
            await booth.serve(waiting, concurrent=CONCURRENT, seconds=1.0, most=WARM)
            whole = await booth.serve(waiting, concurrent=CONCURRENT, seconds=SECONDS)
            bare = (bare + await measure_bare(stage, clients=CONCURRENT)) / 2
            rows = [
                Result("check-in at the service / pgbench function", "check-ins/s", service, bare, 0.35),
                Result("check-in, whole inbound path / pgbench function", "check-ins/s", whole.rate, bare, 0.12),
                Result("check-in, whole inbound path / aiogram, Redis FSM, ORM", "check-ins/s", whole.rate, peer, 2.0),
            ]
            rows += await _waiting_times(stage, booth, waiting)
            if not all(row.met for row in rows):
                await _explain(booth, waiting)
    await _verify(stage)
    return rows


async def _peer(stage: Stage) -> float:
    updates = [update_of(number, FIRST - MEMBERS + number) for number in range(MEMBERS)]
    return await measure_peer(stage.postgres_url, stage.valkey_url, updates, concurrent=CONCURRENT, seconds=SECONDS)


async def _at_the_service(stage: Stage, members: Iterator[int]) -> float:
    """As the dispatcher calls it: those who come together share a transaction."""
    done = 0
    company = Company(stage.container.interactive)

    async def work() -> None:
        nonlocal done
        for member_id in members:
            await company.run(partial(check_ins.check_in, member_id=member_id, channel="telegram"))
            done += 1
            if monotonic() - begun > SECONDS:
                return

    begun = monotonic()
    await asyncio.gather(*(work() for _ in range(CONCURRENT)))
    return done / (monotonic() - begun)


async def _waiting_times(stage: Stage, booth: Booth, members: Iterator[int]) -> Sequence[Result]:
    """How long a member waits for the committed answer, alone and beside a broadcast of 1,000 messages a second."""
    alone = await booth.serve(members, concurrent=CONCURRENT, seconds=SECONDS)
    async with broadcasting(stage) as rate:
        beside = await booth.serve(members, concurrent=CONCURRENT, seconds=SECONDS)
        sent = await rate()
    return [
        Result("inbound p50, 16 at once", "ms", alone.percentile(50), MOST_MILLISECONDS, 1.0, is_most=True),
        Result("inbound p99, 16 at once / 40 ms", "ms", alone.percentile(99), MOST_MILLISECONDS, 1.0, is_most=True),
        Result(
            f"inbound p99 beside a broadcast of {sent:,.0f}/s / alone",
            "ms",
            beside.percentile(99),
            alone.percentile(99),
            MOST_SLOWER,
            is_most=True,
        ),
    ]


async def _explain(booth: Booth, members: Iterator[int]) -> None:
    """What was missed is shown with where the time goes."""
    with profiled() as profile:
        await booth.serve(members, concurrent=CONCURRENT, seconds=SECONDS / 2)
    print("Where the processor time of a check-in goes, of this process:")
    print("\n".join(profile.top()), flush=True)


async def _verify(stage: Stage) -> None:
    """Whoever was counted was given the day's points once: what is fast but wrong does not count."""
    async with stage.container.sessions() as session:
        query = text(
            "SELECT count(*) FILTER (WHERE check_ins_count > 0), count(*) FILTER"
            " (WHERE (check_ins_count = 1) <> (points_balance > 0)), (SELECT count(*) FROM check_ins) FROM profiles"
        )
        counted, wrong, days = (await session.execute(query)).one()
    if wrong or counted != days:
        raise RuntimeError(f"{counted} members, {days} days, {wrong} with wrong points")

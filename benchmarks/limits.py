"""How near the whole path comes to a provider's limit without being refused once, paced by the buckets in Valkey.

Two bots side by side, as in production: one at a server that takes 30 messages in any second, one at a server that
takes 1,000 (paid broadcasts). The rates leave room for what the clocks and the network of a busy machine shift.
"""

from benchmarks.launches import finished, launch, sending, start, verify
from benchmarks.members import add_bot, add_members
from benchmarks.results import Result
from benchmarks.stage import Stage
from benchmarks.strict import Seen, seen, strict_server
from runtime.garbage import collect_seldom

FIRST = 6_000_001
SECONDS = 15
_SMALL_LIMIT, _SMALL_RATE, _SMALL_GOAL = 30, 28.6, 0.95
_LARGE_LIMIT, _LARGE_RATE, _LARGE_GOAL = 1_000, 940.0, 0.93


async def measure(stage: Stage) -> list[Result]:
    """One row per limit."""
    small, large = int(_SMALL_RATE * SECONDS), int(_LARGE_RATE * SECONDS)
    async with strict_server(_SMALL_LIMIT) as strict, strict_server(_LARGE_LIMIT) as paid:
        first = await add_bot(stage.container, strict, number=1, bulk_rate=_SMALL_RATE)
        second = await add_bot(stage.container, paid, number=2, bulk_rate=_LARGE_RATE)
        await add_members(stage.container, first, FIRST, FIRST + small - 1)
        await add_members(stage.container, second, FIRST + small, FIRST + small + large - 1)
        # As every process of ours does once it has started.
        collect_seldom()
        campaign_id = await launch(stage, "Limits")
        await start(stage, campaign_id)
        async with sending(stage):
            await finished(stage, campaign_id)
        await verify(stage, campaign_id, small + large)
        return [
            _row(_SMALL_LIMIT, await seen(strict), _SMALL_GOAL),
            _row(_LARGE_LIMIT, await seen(paid), _LARGE_GOAL),
        ]


def _row(limit: int, found: Seen, goal: float) -> Result:
    """A single refusal is a miss, whatever the rate."""
    if found.refused:
        print(f"{found.refused} of {found.taken + found.refused} messages met a 429 at {limit} a second.")
    rate = 0.0 if found.refused else (found.taken - 1) / found.seconds
    return Result(f"accepted / limit of {limit:,} a second, no 429", "messages/s", rate, limit, goal)

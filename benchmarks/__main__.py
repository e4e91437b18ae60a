"""`python -m benchmarks`: run all, print the table, write `bench.json`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import uvloop

from benchmarks import broadcast, footprint, inbound, ledger, limits, tiers
from benchmarks.results import Result, show, write
from benchmarks.sizes import FULL
from benchmarks.stage import Stage, stage

Measure = Callable[[Stage], Awaitable[Result | list[Result]]]
ALL: dict[str, Measure] = {
    "inbound": inbound.measure,
    "broadcast": broadcast.measure,
    "limits": limits.measure,
    "ledger": ledger.measure,
    "tiers": tiers.measure,
    "footprint": footprint.measure,
}


async def main(names: list[str]) -> None:
    """Each benchmark on servers of its own, one after the other."""
    results: list[Result] = []
    for name, measure in ALL.items():
        if not names or name in names:
            print(f"Measuring {name} ...", flush=True)
            async with stage() as place:
                found = await measure(place)
                results += found if isinstance(found, list) else [found]
    show(results)
    write(results)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main([name for name in sys.argv[1:] if name != FULL]))

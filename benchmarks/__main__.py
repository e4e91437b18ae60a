"""`python -m benchmarks`: run all, print the table, write `bench.json`."""

import asyncio
import sys

import uvloop

from benchmarks import broadcast, inbound
from benchmarks.results import show, write
from benchmarks.stage import stage

ALL = {"inbound": inbound.measure, "broadcast": broadcast.measure}


async def main(names: list[str]) -> None:
    """Each benchmark on servers of its own, one after the other."""
    results = []
    for name, measure in ALL.items():
        if not names or name in names:
            print(f"Measuring {name} ...", flush=True)
            async with stage() as place:
                results.append(await measure(place))
    show(results)
    write(results)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1:]))

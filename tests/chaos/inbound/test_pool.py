"""More requests at once than the api has connections to the database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from crm.kit.clock import monotonic
from runtime.demo_data.dice import Dice
from tests.acceptance.webhooks import text_update
from tests.chaos.inbound.conftest import POOL
from tests.chaos.inbound.scene import Scene
from tests.chaos.inbound.waiting import until_seen
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

REQUESTS = 200 if SIZES.is_full else 40
MOST_WAIT = 20.0  # of which 2 s are the pool's; far below the 30 s that a request may last
_LOCK = "LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"


@asynccontextmanager
async def _keys_held(scene: Scene) -> AsyncIterator[None]:
    """Whoever shows an API key has to wait while the block runs, and keeps a connection meanwhile."""
    async with scene.database.transaction():
        await scene.database.execute(_LOCK)
        yield


@pytest.mark.chaos_row(10)
async def test_the_pool_is_exhausted(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "connection pool of the api exhausted",
        done=f"{REQUESTS} requests at once while {POOL} hold every connection",
        expected="wait 2 s, then 503 with Retry-After; check-ins go on by their own pool; no deadlock",
    )
    await scene.estate.have("api")
    crowd = await scene.crowd("pool", 1)
    post = await scene.post(crowd, dice)
    async with _keys_held(scene):
        waits: dict[int, list[float]] = {}
        asking = [asyncio.create_task(_ask(scene, waits)) for _ in range(REQUESTS)]
        async with httpx.AsyncClient() as client:
            await post.deliver(client, text_update(crowd.first, "/checkin"))
        await until_seen(lambda: sum(task.done() for task in asking), lambda number: number >= REQUESTS - POOL)
        replies = await until_seen(lambda: scene.telegram.count(crowd.telegram_id), lambda number: number > 0)
    answers = [await task for task in asking]
    statuses = Counter(answer.status_code for answer in answers)
    refused = [answer for answer in answers if answer.status_code == 503]
    longest = max(waits[503])
    row.saw(f"{dict(statuses)}, refused after {longest:.1f} s at most; {replies} check-in answered meanwhile")
    assert set(statuses) == {200, 503}
    assert statuses[200] >= POOL
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert longest < MOST_WAIT
    assert (await scene.office.get("brand")).status_code == 200


async def _ask(scene: Scene, waits: dict[int, list[float]]) -> httpx.Response:
    begun = monotonic()
    answer = await scene.office.get("brand")
    waits.setdefault(answer.status_code, []).append(monotonic() - begun)
    return answer

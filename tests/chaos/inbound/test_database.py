"""PostgreSQL is restarted again and again, is away for long, or swallows what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from crm.kit.clock import monotonic
from runtime.demo_data.dice import Dice
from tests.acceptance.waiting import until
from tests.acceptance.webhooks import text_update
from tests.chaos.broadcasts import Campaign, draft
from tests.chaos.crowd import Crowd
from tests.chaos.evidence import gather
from tests.chaos.inbound.post import OK, Post, morning, publish_survey
from tests.chaos.inbound.proof import prove
from tests.chaos.inbound.scene import Scene
from tests.chaos.proxy import Manner
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

MEMBERS, RECIPIENTS, RESTARTS, FACTOR = (400, 3_000, 12, 5) if SIZES.is_full else (10, 400, 3, 20)
SHORTEST, LONGEST = 5.0, 40.0
AWAY, HELD = (60.0, 40.0) if SIZES.is_full else (4.0, 0.0)
DOWN_SECONDS = 600.0
ALL = ("api", "worker", "scheduler", "poller", "sender")
UNAVAILABLE = 503
EACH = 7
OVER_WITHIN = 240.0


@pytest.mark.chaos_row(7)
async def test_postgres_is_restarted_again_and_again(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "PostgreSQL restarted every 5-40 s under load",
        done=f"{RESTARTS} restarts, every other one a crash, under {MEMBERS * EACH:,} updates and a broadcast to "
        f"{RECIPIENTS:,}",
        expected="webhook 200 or 503 alone; no process ends; sending again within 10 s; 0 lost, 0 double, 0 copies",
        factor=str(FACTOR),
    )
    await scene.estate.have(*ALL)
    await publish_survey(scene.office)
    crowd = await scene.crowd("restarts", MEMBERS)
    audience = await scene.crowd("audience", RECIPIENTS, rate=RECIPIENTS / (RESTARTS * LONGEST / FACTOR))
    campaign = await draft(scene.office, audience)
    post = await scene.post(crowd, dice)
    await campaign.do("launch")
    pushing = asyncio.create_task(post.all([morning(chat) for chat in crowd.chats], rest=0.0 if SIZES.is_full else 1.5))
    silences = [await _restart(scene, dice, audience, at_once=bool(turn % 2)) for turn in range(RESTARTS)]
    await pushing
    ended = scene.estate.ended()
    await _judge(scene, row, post, crowd)
    await _judge_broadcast(scene, row, audience, campaign)
    longest = f"{max(silences):.1f} s" if any(silences) else "none measured"
    row.saw(f"sending again after {longest} at most; ended processes {ended or 0}")
    assert not ended, scene.estate.said()[-5000:]


async def _restart(scene: Scene, dice: Dice, audience: Crowd, *, at_once: bool) -> float:
    """Restart after a while; seconds from its return to the next message that was sent, 0 when all were sent."""
    await asyncio.sleep((SHORTEST + dice.chance() * (LONGEST - SHORTEST)) / FACTOR)
    await scene.ground.stop_postgres(at_once=at_once)
    await scene.ground.start_postgres()
    back, before = monotonic(), scene.telegram.count(audience.telegram_id)

    async def sent() -> int:
        return scene.telegram.count(audience.telegram_id)

    await until(sent, lambda number: number > before or number >= RECIPIENTS)
    return monotonic() - back if before < RECIPIENTS else 0.0


async def _judge(scene: Scene, row: Row, post: Post, crowd: Crowd) -> None:
    look = await scene.look()
    proof = await prove(look, crowd)
    await look.close()
    row.saw(f"{post}; {proof}")
    assert set(post.seen) <= {OK, UNAVAILABLE}
    assert proof.is_whole(EACH)
    assert await scene.is_sound()


async def _judge_broadcast(scene: Scene, row: Row, audience: Crowd, campaign: Campaign) -> None:
    await campaign.until("finished", within=OVER_WITHIN)
    look = await scene.look()
    evidence = await gather(look, scene.telegram, audience, campaign)
    await look.close()
    row.saw(f"broadcast: {evidence}")
    assert (evidence.lost, evidence.copies, evidence.is_counted_right) == (0, 0, True)
    assert evidence.uncertain <= RESTARTS * 25


@asynccontextmanager
async def _away(scene: Scene, manner: Manner) -> AsyncIterator[None]:
    """PostgreSQL cannot be reached while the block runs."""
    await scene.ground.to_postgres.switch(manner)
    try:
        yield
    finally:
        await scene.ground.to_postgres.switch(Manner.PASS)


@pytest.mark.chaos_row(8)
@pytest.mark.parametrize("manner", [Manner.REFUSE, Manner.BLACKHOLE])
async def test_postgres_is_away(scene: Scene, row: Row, dice: Dice, manner: Manner) -> None:
    seconds = AWAY if manner is Manner.REFUSE else HELD
    how = "refuses connections" if manner is Manner.REFUSE else "swallows all it is sent"
    row.plan(
        f"PostgreSQL {how} for 10 minutes",
        done=f"away for {seconds:.0f} s at least, an update tried all the while",
        expected="webhook 503 alone, /readyz red, /livez green, no process ends, all caught up afterwards",
        factor=f"{DOWN_SECONDS / seconds:.0f}" if seconds else "until both were seen",
    )
    await scene.estate.have(*ALL)
    crowd = await scene.crowd("away", 3)
    post = await scene.post(crowd, dice)
    async with httpx.AsyncClient(timeout=90) as client:
        await post.deliver(client, text_update(crowd.first, "/points"))
        acknowledged = post.acknowledged
        async with _away(scene, manner):
            begun = monotonic()
            update = text_update(crowd.last, "/checkin")
            red = await _turns(scene, client, "/readyz", UNAVAILABLE)
            tries = [await post.push(client, update)]
            while monotonic() - begun < seconds:
                await asyncio.sleep(0.5)
                tries.append(await post.push(client, update))
            is_alive = (await client.get(f"{scene.estate.base_url}/livez")).status_code == OK
        assert post.acknowledged == acknowledged
        back = await _turns(scene, client, "/readyz", OK)
        await post.deliver(client, update)
    handled = await until(lambda: _checked_in(scene, crowd), lambda number: number == 1)
    ended = scene.estate.ended()
    row.saw(
        f"{len(tries)} tries answered {sorted(set(tries))}; red after {red:.1f} s, green {back:.1f} s after it came "
        f"back; /livez {'green' if is_alive else 'red'}; ended processes {ended or 0}; check-ins {handled}"
    )
    assert set(tries) == {UNAVAILABLE}
    assert is_alive
    assert not ended, scene.estate.said()[-5000:]


async def _turns(scene: Scene, client: httpx.AsyncClient, path: str, status: int) -> float:
    """Seconds until the path answers so."""
    begun = monotonic()

    async def asked() -> int:
        return (await client.get(scene.estate.base_url + path)).status_code

    await until(asked, lambda found: found == status)
    return monotonic() - begun


async def _checked_in(scene: Scene, crowd: Crowd) -> int:
    query = "SELECT count(*) FROM events WHERE kind = 'checked_in' AND member_id = $1"
    return int(await scene.database.fetchval(query, crowd.last))

"""Valkey is emptied, restarted and away, while members answer a survey and a broadcast goes out."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from crm.kit.clock import monotonic
from runtime.demo_data.dice import Dice
from tests.chaos.broadcasts import Campaign, draft
from tests.chaos.crowd import Crowd
from tests.chaos.evidence import gather
from tests.chaos.inbound.post import OK, morning, publish_survey
from tests.chaos.inbound.proof import prove
from tests.chaos.inbound.scene import Scene
from tests.chaos.proxy import Manner
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

MEMBERS, RECIPIENTS, RATE, ROUNDS, AWAY = (200, 6_000, 60.0, 3, 20.0) if SIZES.is_full else (8, 500, 60.0, 1, 2.0)
AWAY_IN_LIFE = 300.0
SENDERS = ("sender", "sender#2")
EACH = 7
BLOCK = 25
"""What a sender may have reserved ahead in the bucket that is lost."""


@pytest.mark.chaos_row(9)
async def test_valkey_forgets_restarts_and_is_away(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "Valkey emptied, restarted, refusing, swallowing",
        done=f"each {ROUNDS} times under {MEMBERS} surveys and a broadcast to {RECIPIENTS:,} by {len(SENDERS)} senders "
        f"at {RATE:.0f}/s; away {AWAY:.0f} s each",
        expected="0 answers and points lost, 0 copies; rate kept without it; API keys go on; /readyz degraded, not red",
        factor=f"{AWAY_IN_LIFE / AWAY:.0f}",
    )
    await scene.estate.have("api", "worker", "scheduler", *SENDERS)
    await publish_survey(scene.office)
    crowd, audience = await scene.crowd("survey", MEMBERS), await scene.crowd("mid", RECIPIENTS, rate=RATE)
    campaign = await draft(scene.office, audience)
    post = await scene.post(crowd, dice)
    await campaign.do("launch")
    mornings = [morning(chat) for chat in crowd.chats]
    pushing = asyncio.create_task(post.all(mornings, rest=0.2 if SIZES.is_full else 0.8))
    statuses: set[int] = set()
    paces: list[float] = []
    for _ in range(ROUNDS):
        for trouble in (_empty, _restart, _refuse, _swallow):
            await asyncio.sleep(dice.chance())
            paces.append(await _pace(scene, audience, trouble))
            statuses.add((await scene.office.get("brand")).status_code)
    await pushing
    proof = await prove(scene.database, crowd)
    await _judge(scene, row, audience, campaign)
    row.saw(f"{post}; {proof}; at most {max(paces):.0f}/s sent meanwhile; API answered {sorted(statuses)}")
    assert proof.is_whole(EACH)
    assert set(post.seen) == statuses == {OK}
    assert max(paces) <= RATE * 1.2
    assert await scene.is_sound()


async def _pace(scene: Scene, audience: Crowd, trouble: "Callable[[Scene], Awaitable[None]]") -> float:
    """Messages a second that were sent while the trouble lasted, without what was reserved before it."""
    before, begun = scene.telegram.count(audience.telegram_id), monotonic()
    await trouble(scene)
    seconds = max(1.0, monotonic() - begun)
    return max(0, scene.telegram.count(audience.telegram_id) - before - BLOCK * len(SENDERS)) / seconds


async def _empty(scene: Scene) -> None:
    async with Redis.from_url(scene.ground.valkey.url) as valkey:
        await valkey.flushall()


async def _restart(scene: Scene) -> None:
    await scene.ground.restart_valkey()


async def _refuse(scene: Scene) -> None:
    await _away(scene, Manner.REFUSE)


async def _swallow(scene: Scene) -> None:
    await _away(scene, Manner.BLACKHOLE)


async def _away(scene: Scene, manner: Manner) -> None:
    await scene.ground.to_valkey.switch(manner)
    await asyncio.sleep(AWAY / 2)
    ready = await scene.office.get(f"{scene.estate.base_url}/readyz")
    assert (ready.status_code, ready.json()["status"]) == (OK, "degraded"), ready.text
    await asyncio.sleep(AWAY / 2)
    await scene.ground.to_valkey.switch(Manner.PASS)


async def _judge(scene: Scene, row: Row, audience: Crowd, campaign: Campaign) -> None:
    await campaign.until("finished", within=300)
    evidence = await gather(scene.database, scene.telegram, audience, campaign)
    row.saw(f"broadcast: {evidence}")
    assert (evidence.lost, evidence.copies, evidence.uncertain, evidence.is_counted_right) == (0, 0, 0, True)

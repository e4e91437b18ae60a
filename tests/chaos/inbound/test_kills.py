"""kill -9 of whoever receives, handles or sweeps updates, while they come in."""

import asyncio

import pytest

from runtime.demo_data.dice import Dice
from tests.chaos.crowd import Crowd
from tests.chaos.inbound.post import morning, publish_survey
from tests.chaos.inbound.proof import lines_of, prove
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

PUSHED, PULLED, KILLS = (650, 150, 16) if SIZES.is_full else (24, 6, 3)
VICTIMS = ("api", "poller", "worker", "api#2")
EACH = 7
SAID = ("/checkin", "/points", "/checkin")


@pytest.mark.chaos_row(2)
async def test_receivers_are_killed(scene: Scene, row: Row, dice: Dice) -> None:
    polled = PULLED * len(SAID)
    row.plan(
        "kill -9 of api, poller and worker under updates",
        done=f"{PUSHED * EACH:,} updates to two api processes, each twice; {polled:,} by polling; {KILLS} kills",
        expected="every acknowledged update handled once, in order: 0 lost, 0 double",
    )
    estate = scene.estate
    await estate.have("api", "api#2", "poller", "worker")
    await publish_survey(scene.office)
    crowd, talkers = await scene.crowd("flood", PUSHED), await scene.crowd("talk", PULLED)
    post = await scene.post(crowd, dice)
    mornings = [morning(chat) for chat in crowd.chats]
    pushing = asyncio.create_task(post.all(mornings, copies=2, rest=0.0 if SIZES.is_full else 0.8))
    pulling = asyncio.create_task(_pull(scene, talkers))
    under_load = 0
    for number in range(KILLS):
        victim = VICTIMS[number % len(VICTIMS)]
        await asyncio.sleep(dice.chance() * 2)
        under_load += not pushing.done()
        await estate.kill(victim)
        await estate.begin(victim)
    await asyncio.gather(pushing, pulling)
    proof = await prove(scene.database, crowd)
    handled = await lines_of(scene.database, talkers, polled)
    row.saw(f"{post}; {proof}; {handled:,} polled handled; {under_load} kills under load")
    assert under_load
    assert proof.is_whole(EACH)
    assert handled == polled
    assert await scene.is_sound()


async def _pull(scene: Scene, crowd: Crowd) -> None:
    """Members who write by Telegram itself, for the poller to fetch."""
    bot, client = f"@{crowd.provider_bot['username']}", scene.telegram.client
    for chat in crowd.chats:
        await scene.telegram.person(chat)
        for said in SAID:
            await client.send_text(chat, bot, said)

"""Row 1: senders are killed during a broadcast, again and again, at random moments."""

import asyncio
from typing import Any

import pytest

from crm.deliveries.policy import GROUP
from runtime.demo_data.dice import Dice
from tests.chaos.broadcasts import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

SENDERS = ("sender", "sender#2")
WITHIN = 1_200.0


async def kill_during(stage: Stage, crowd: Crowd, campaign: Campaign, dice: Dice) -> int:
    """Kill a sender each time that another share of the messages has arrived; answers how many were killed."""
    for kill in range(SIZES.kills):
        wanted = crowd.size * (kill + dice.chance()) / (SIZES.kills + 1)

        def is_so(_found: dict[str, Any], wanted: float = wanted) -> bool:
            return stage.telegram.count(crowd.telegram_id) >= wanted

        await campaign.until_so(is_so, f"{wanted:.0f} sent", within=WITHIN)
        await asyncio.sleep(dice.chance() / 10)
        victim = dice.pick(SENDERS)
        await stage.fleet.kill(victim)
        await stage.fleet.begin(victim)
    return SIZES.kills


@pytest.mark.chaos_row(1)
@pytest.mark.parametrize("message_class", ["marketing", "receipt"])
async def test_senders_are_killed(row: Row, dice: Dice, stage: Stage, message_class: str) -> None:
    """Marketing is held when its fate is unknown, a receipt is sent once more; nothing is lost either way."""
    is_held = message_class == "marketing"
    bound = SIZES.kills * GROUP
    row.plan(
        f"kill -9 of random senders, {'hold' if is_held else 'resend'}",
        done=f"{SIZES.kills} kills, 2 senders, {SIZES.recipients:,} recipients",
        expected=f"lost 0, counters = rows, {'copies 0, uncertain' if is_held else 'copies'} <= {bound}",
        factor="rate x40 (1,000 a second allowed, not 25)",
    )
    await stage.fleet.have("api", "worker", "scheduler", *SENDERS)
    crowd = await stage.crowd(f"kills_{message_class}", SIZES.recipients)
    campaign = await stage.launched(crowd, message_class=message_class)
    kills = await kill_during(stage, crowd, campaign, dice)
    await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    row.saw(f"{kills} kills: {found}")
    assert found.lost == 0
    assert found.is_counted_right
    assert found.unwanted == 0
    assert found.copies <= (0 if is_held else bound)
    assert found.uncertain <= (bound if is_held else 0)

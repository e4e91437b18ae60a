"""Row 1: senders are killed during a broadcast, again and again, at random moments."""

import asyncio
from typing import Any

import pytest

from crm.deliveries.policy import GROUP
from runtime.demo_data.dice import Dice
from tests.chaos.broadcasts import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.fleet import SENDERS, STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 1_200.0
_BESIDE = 150.0
"""Messages a second of the smaller broadcast, so that it lasts about as long as the large one."""


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
async def test_senders_are_killed(row: Row, dice: Dice, stage: Stage) -> None:
    """Marketing is held when its fate is unknown, a receipt is sent once more; nothing is lost either way."""
    bound = SIZES.kills * GROUP
    row.plan(
        "kill -9 of random senders",
        done=f"{SIZES.kills} kills, 2 senders; {SIZES.recipients:,} recipients held in doubt, beside them "
        f"{SIZES.receipts:,} resent in doubt",
        expected=f"lost 0, counters = rows; hold: copies 0, uncertain <= {bound}; resend: copies <= {bound}",
        factor="rate x40 (1,000 a second allowed, not 25)",
    )
    await stage.fleet.have(*STANDARD)
    crowds = (
        await stage.crowd("held", SIZES.recipients),
        await stage.crowd("resent", SIZES.receipts, rate=_BESIDE),
    )
    held, resent = (
        await stage.launched(crowds[0], message_class="marketing"),
        await stage.launched(crowds[1], message_class="receipt"),
    )
    kills = await kill_during(stage, crowds[0], held, dice)
    for campaign in (held, resent):
        await campaign.until("finished", within=WITHIN)
    marketing, receipts = await stage.evidence(crowds[0], held), await stage.evidence(crowds[1], resent)
    row.saw(f"{kills} kills; hold: {marketing}; resend: {receipts}")
    for found in (marketing, receipts):
        assert (found.lost, found.unwanted) == (0, 0)
        assert found.is_counted_right
    assert marketing.copies == 0
    assert marketing.uncertain <= bound
    assert receipts.copies <= bound

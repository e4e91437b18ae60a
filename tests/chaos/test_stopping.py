"""Rows 5 and 6: a sender that is frozen past its lease, and one that is told to stop under load."""

import asyncio
import signal

import pytest

from crm.deliveries.leases import LEASE
from crm.deliveries.policy import GROUP
from crm.kit.clock import monotonic
from runtime.demo_data.dice import Dice
from tests.acceptance.processes import PATIENCE
from tests.acceptance.waiting import until
from tests.chaos.broadcasts import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.fleet import STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 300.0
DRAIN = 20.0
_OUT_OF_TURN = """
WITH lines AS (
    SELECT chunk_id, fence, at FROM delivery_results UNION ALL SELECT chunk_id, fence, at FROM delivery_sent_groups
)
SELECT count(*) FROM lines late JOIN delivery_chunks c ON c.id = late.chunk_id
JOIN delivery_sources s ON s.id = c.broadcast_id AND s.source_kind = 'campaign' AND s.source_id = $1
WHERE EXISTS (SELECT 1 FROM lines newer
    WHERE newer.chunk_id = late.chunk_id AND newer.fence > late.fence AND newer.at < late.at)
"""


async def _arrived(stage: Stage, crowd: Crowd, number: int, campaign: Campaign) -> None:
    await campaign.until_so(
        lambda _found: stage.telegram.count(crowd.telegram_id) >= number, f"{number} sent", within=WITHIN
    )


@pytest.mark.chaos_row(5)
async def test_sender_is_frozen_past_its_lease(row: Row, dice: Dice, stage: Stage) -> None:
    """Another one takes over what it held; what it says when it wakes up is not written any more."""
    classes = ("marketing", "receipt")
    row.plan(
        "SIGSTOP past the lease, then SIGCONT",
        done=f"{SIZES.freezes} times for {LEASE.total_seconds():.0f} s and more, 2 senders, hold and resend at once",
        expected=f"late lines 0, lost 0; copies: hold 0, resend <= {GROUP} each; counters = rows",
        factor="rate x8",
    )
    await stage.fleet.have(*STANDARD)
    await stage.telegram.client.add_fault("latency", method="sendMessage", seconds=0.05)
    crowds = [await stage.crowd(f"frozen_{name}", SIZES.crowd * SIZES.freezes, rate=200) for name in classes]
    campaigns = [await stage.launched(crowd, message_class=name) for crowd, name in zip(crowds, classes, strict=True)]
    for freeze in range(SIZES.freezes):
        share = (freeze + 0.2 + dice.chance() / 2) / SIZES.freezes
        await _arrived(stage, crowds[0], int(share * crowds[0].size), campaigns[0])
        await _freeze(stage, dice.pick(("sender", "sender#2")))
    late, seen = 0, []
    for campaign, crowd in zip(campaigns, crowds, strict=True):
        await campaign.until("finished", within=WITHIN)
        late += await stage.database.fetchval(_OUT_OF_TURN, str(campaign.id))
        seen.append(await stage.evidence(crowd, campaign))
    held, repeated = seen
    row.saw(f"late lines {late}; hold: {held}; resend: {repeated}")
    assert late == 0
    assert [(item.lost, item.is_counted_right, item.unwanted) for item in seen] == [(0, True, 0)] * 2
    assert held.copies == 0
    assert repeated.copies <= GROUP * SIZES.freezes
    assert held.uncertain <= GROUP * SIZES.freezes


async def _freeze(stage: Stage, name: str) -> None:
    """Stop it until nobody holds a lease by its name any more."""
    stage.fleet.send(name, signal.SIGSTOP)
    await asyncio.sleep(LEASE.total_seconds())
    held = "SELECT count(*) FROM delivery_chunks WHERE lease_owner IS NOT NULL AND lease_until < clock_timestamp()"
    await until(lambda: stage.database.fetchval(held), lambda number: number == 0)
    stage.fleet.send(name, signal.SIGCONT)


@pytest.mark.chaos_row(6)
async def test_deploy_under_load(row: Row, dice: Dice, stage: Stage) -> None:
    """Every process is told to stop while messages are on their way, and started again."""
    row.plan(
        "SIGTERM to every process under load",
        done=f"{SIZES.repeats} times, answers of the provider take 0.3 s",
        expected=f"all end by themselves within {DRAIN:.0f} s, lost 0, copies 0, uncertain 0",
        factor="rate x8",
    )
    await stage.fleet.have(*STANDARD)
    await stage.telegram.client.add_fault("latency", method="sendMessage", seconds=0.3)
    crowd = await stage.crowd("deploy", SIZES.crowd, rate=200)
    campaign = await stage.launched(crowd)
    slowest, statuses = 0.0, list[int]()
    for turn in range(SIZES.repeats):
        share = (turn + 0.1 + dice.chance() / 2) / SIZES.repeats
        await _arrived(stage, crowd, int(share * crowd.size), campaign)
        begun = monotonic()
        ended = await stage.fleet.end(signal.SIGTERM, within=DRAIN if SIZES.is_full else PATIENCE)
        slowest = max(slowest, monotonic() - begun)
        statuses += ended.values()
        await stage.fleet.have(*STANDARD)
    await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    row.saw(f"slowest end {slowest:.1f} s, exit statuses {sorted(set(statuses))}; {found}")
    assert set(statuses) == {0}
    assert (found.lost, found.copies, found.uncertain, found.unwanted) == (0, 0, 0, 0)
    assert found.is_counted_right

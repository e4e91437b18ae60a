"""Rows 30 and 31: an operator who pauses, resumes and cancels, and members who withdraw their consent."""

import asyncio

import pytest

from crm.consent import service as consent
from crm.db.session import Sessions
from crm.deliveries.policy import GROUP, window_size
from crm.kit.clock import process_now
from runtime.demo_data.dice import Dice
from tests.chaos.crowd import Crowd
from tests.chaos.fleet import SENDERS, STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 600.0
_RATE = 50.0


def _last_call(stage: Stage, crowd: Crowd) -> float:
    return max((float(call["at"]) for call in stage.telegram.calls(crowd.telegram_id)), default=0.0)


@pytest.mark.chaos_row(30)
async def test_paused_resumed_and_cancelled(row: Row, dice: Dice, stage: Stage) -> None:
    """What is open when the pause is answered may still arrive, and nothing after it."""
    most = GROUP * len(SENDERS)
    row.plan(
        "pause and resume at random moments, then cancel",
        done=f"{SIZES.turns} pauses, 1 cancel, {SIZES.crowd:,} recipients, 2 senders",
        expected=f"after a pause <= {most} more (the open groups), copies 0, the rest cancelled",
        factor="rate x2",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("steered", SIZES.crowd, rate=_RATE)
    campaign = await stage.launched(crowd)
    await campaign.until_so(lambda found: found["started_at"] is not None, "started", within=WITHIN)
    late, slowest = 0, 0.0
    for turn in range(SIZES.turns + 1):
        await asyncio.sleep(dice.chance())
        await campaign.do("cancel" if turn == SIZES.turns else "pause")
        answered, before = process_now().timestamp(), stage.telegram.count(crowd.telegram_id)
        await campaign.at_rest(within=WITHIN)
        late = max(late, stage.telegram.count(crowd.telegram_id) - before)
        slowest = max(slowest, _last_call(stage, crowd) - answered)
        if turn < SIZES.turns:
            await campaign.do("resume")
    found = await stage.evidence(crowd, campaign)
    row.saw(f"at most {late} more, the last {slowest:.2f} s after the answer; {found}")
    assert late <= most
    assert found.states["cancelled"] > 0
    assert found.states["sent"] + found.states["cancelled"] == crowd.size
    assert (found.lost, found.copies, found.unwanted, found.uncertain) == (0, 0, 0, 0)
    assert found.is_counted_right


@pytest.mark.chaos_row(31)
async def test_consent_is_withdrawn(row: Row, dice: Dice, stage: Stage, sessions_there: Sessions) -> None:
    """Half of the members say no while their message waits, some more while others are being sent to."""
    window = window_size(_RATE)
    row.plan(
        "consent withdrawn between enqueue and send",
        done=f"{SIZES.crowd:,} recipients: half of them before the senders come, a tenth while they send",
        expected=f"0 sends after the commit, but for a window of {window} a sender that was judged before",
        factor="rate x2",
    )
    await stage.fleet.have("api", "worker", "scheduler")
    crowd = await stage.crowd("withdrawn", SIZES.crowd, rate=_RATE)
    campaign = await stage.launched(crowd)
    await campaign.until_so(lambda found: found["counts"]["queued"] == crowd.size, "queued", within=WITHIN)
    early = range(crowd.first, crowd.first + crowd.size // 2)
    await _withdraw(sessions_there, list(early))
    await stage.fleet.have(*STANDARD)
    late: dict[int, tuple[float, int]] = {}
    for _ in range(crowd.size // 10):
        member = dice.whole(early.stop, crowd.last)
        if member not in late:
            await _withdraw(sessions_there, [member])
            late[member] = process_now().timestamp(), stage.telegram.count(crowd.telegram_id)
    await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    taken = stage.telegram.accepted(crowd.telegram_id)
    against = sum(member in taken for member in early)
    arrived, places = stage.telegram.arrivals(crowd.telegram_id), stage.telegram.places
    after = {member: arrived[member] - at for member, (at, _) in late.items() if arrived.get(member, 0) > at}
    between = [places[crowd.telegram_id, member] - late[member][1] for member in after]
    row.saw(
        f"{against} of {len(early)} who said no before; while sending {len(after)} of {len(late)}, "
        f"at most {max(after.values(), default=0):.2f} s and {max(between, default=0)} messages after the commit; "
        f"{found}"
    )
    assert against == 0
    assert found.states["suppressed"] >= len(early)
    assert max(between, default=0) <= window * len(SENDERS)
    assert (found.lost, found.copies, found.unwanted, found.uncertain) == (0, 0, 0, 0)
    assert found.is_counted_right


async def _withdraw(sessions: Sessions, members: list[int]) -> None:
    async with sessions.begin() as session:
        for member_id in members:
            await consent.withdraw(session, member_id, channel="telegram", topic="news", source="chaos")

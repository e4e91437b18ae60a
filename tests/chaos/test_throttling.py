"""Rows 11 and 12: a provider that asks for pauses again and again, and one that asks for hours."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crm.deliveries.policy import GROUP
from crm.kit.clock import monotonic
from tests.acceptance.chat import Person
from tests.chaos.broadcasts import draft
from tests.chaos.clock import clock_moved
from tests.chaos.crowd import Crowd
from tests.chaos.fleet import STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 900.0
_HOURS = 10_072
_ON_ITS_WAY = 0.5
"""Seconds in which a call that was made before the refusal was read may still arrive."""
_PAUSES = (1, 2, 3)
_ASKS = 10


@pytest.mark.chaos_row(11)
async def test_storm_of_refusals(row: Row, stage: Stage) -> None:
    """Every third message of the broadcast is refused with a pause; answers in chats are not."""
    row.plan(
        "429 storm",
        done=f"every 3rd call refused, retry_after {min(_PAUSES)} to {max(_PAUSES)}, {SIZES.storm} recipients; "
        f"{_ASKS} people write meanwhile",
        expected="finishes, 0 sends inside a pause, 1 attempt each, every answer comes, p95 < 2 s",
        factor="pauses /10",
    )
    await stage.fleet.have(*STANDARD, "poller")
    crowd = await stage.crowd("storm", SIZES.storm, rate=25)
    campaign = await draft(stage.office, crowd)
    for number, seconds in enumerate(_PAUSES):
        # Each rule sees what those before it let pass, so together they refuse every third call.
        every = 3 * len(_PAUSES) - number
        await stage.telegram.client.add_fault(
            "too_many_requests", contains=campaign.mark, every=every, retry_after=seconds
        )
    await campaign.do("launch")
    talking = asyncio.create_task(_talk(stage, crowd))
    await campaign.until("finished", within=WITHIN)
    waits = sorted(await talking)
    found = await stage.evidence(crowd, campaign)
    refusals, inside = _inside_pauses(list(stage.telegram.calls(crowd.telegram_id)))
    most = max(found.attempts.values())
    p95 = waits[int(len(waits) * 0.95) - 1]
    row.saw(
        f"{refusals} refusals, {inside} sends inside a pause, at most {most} attempt; answers p95 {p95:.2f} s; {found}"
    )
    assert refusals > 0
    assert inside == 0
    assert most == 1
    assert (found.lost, found.copies, found.uncertain) == (0, 0, 0)
    assert found.is_counted_right
    assert len(waits) == _ASKS
    assert p95 < 2 or not SIZES.is_full


async def _talk(stage: Stage, crowd: Crowd) -> list[float]:
    """Seconds from the press on Start to the answer, for people who come in one after the other."""
    waits = []
    for _ in range(_ASKS):
        person = await Person.make(stage.telegram.client, f"@{crowd.provider_bot['username']}")
        begun = monotonic()
        await person.start()
        await person.hears("Joining takes half a minute")
        waits.append(monotonic() - begun)
    return waits


def _inside_pauses(calls: list[dict[str, Any]]) -> tuple[int, int]:
    """How many bulk calls were refused, and how many came although a pause was on."""
    refused = [call for call in calls if call["status"] == 429]
    ends = [(call["at"], call["at"] + float(call["description"].rpartition(" ")[2])) for call in refused]
    inside = [
        call for call in refused for since, until in ends if since + _ON_ITS_WAY < call["at"] < until - _ON_ITS_WAY
    ]
    return len(refused), len(inside)


@pytest.mark.chaos_row(12)
async def test_refused_for_hours(row: Row, stage: Stage) -> None:
    """The campaign pauses, somebody can see why, and it goes on by itself at the time."""
    row.plan(
        f"429 with retry_after {_HOURS}",
        done=f"once in a broadcast of {SIZES.crowd:,}, 2 senders",
        expected="paused by itself with its end shown, an alert, 0 sends until then, goes on by itself, copies 0",
        factor=f"clock moved by {_HOURS} s",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("hours", SIZES.crowd, rate=200)
    struck = SIZES.crowd // 3
    await stage.telegram.client.add_fault("too_many_requests", skip=struck, count=1, retry_after=_HOURS)
    campaign = await stage.launched(crowd)
    paused = await campaign.until_so(lambda found: found["resumes_at"] is not None, "paused", within=WITHIN)
    await campaign.at_rest(within=WITHIN)
    before = stage.telegram.count(crowd.telegram_id)
    alerts = await stage.alerts("bot_paused", crowd.bot_id)
    url = stage.fleet.settings["SIYU_DATABASE_URL"]
    async with clock_moved(url, timedelta(seconds=_HOURS - 60)):
        await campaign.at_rest(within=WITHIN)
    waiting = stage.telegram.count(crowd.telegram_id)
    async with clock_moved(url, timedelta(seconds=_HOURS + 1)):
        await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    row.saw(f"paused until {paused['resumes_at']} after {before} sends, {alerts} alert; {found}")
    assert alerts == 1
    assert waiting == before <= struck + 2 * GROUP
    assert found.taken_in_all == crowd.size
    assert (found.lost, found.copies, found.uncertain) == (0, 0, 0)
    assert found.is_counted_right

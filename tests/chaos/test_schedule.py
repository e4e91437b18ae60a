"""Rows 3, 4, 28 and 29: what is due starts once, what is too late waits for a person, copies never start."""

import asyncio
from datetime import datetime, timedelta

import pytest

from runtime.demo_data.dice import Dice
from tests.chaos.broadcasts import Campaign, draft
from tests.chaos.clock import clock_moved
from tests.chaos.crowd import Crowd, alone
from tests.chaos.evidence import Evidence
from tests.chaos.fleet import SENDERS, STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 300.0
SOON = timedelta(seconds=4)
_ONE_HOUR = timedelta(hours=1)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _now(stage: Stage) -> datetime:
    found: datetime = await stage.database.fetchval("SELECT siyu_now()")
    return found


async def _until_due(stage: Stage, due: datetime, offset: float) -> None:
    wait = (due - await _now(stage)).total_seconds() + offset
    await asyncio.sleep(max(0.0, wait))


@pytest.mark.chaos_row(3)
async def test_scheduler_is_killed_at_the_due_second(row: Row, dice: Dice, stage: Stage) -> None:
    """Whether it had begun to start the campaign or not, the next one starts it, and once."""
    row.plan(
        "kill -9 of the scheduler at the due second",
        done=f"{SIZES.repeats} times, half a second around the due time",
        expected="each starts once, <= 60 s after the scheduler is back",
    )
    latest = 0.0
    for number in range(SIZES.repeats):
        await stage.fleet.have(*STANDARD)
        crowd = await stage.crowd(f"due_{number}", 20)
        campaign = await draft(stage.office, crowd)
        due = await _now(stage) + SOON
        await campaign.do("launch", at=due.isoformat())
        await _until_due(stage, due, dice.chance() - 0.5)
        await stage.fleet.kill("scheduler")
        await stage.fleet.begin("scheduler")
        back = max(await _now(stage), due)
        found = await campaign.until("finished", within=WITHIN)
        latest = max(latest, (_moment(found["started_at"]) - back).total_seconds())
        evidence = await stage.evidence(crowd, campaign)
        assert (evidence.lost, evidence.copies, evidence.states["sent"]) == (0, 0, crowd.size), str(evidence)
        assert evidence.is_counted_right
    row.saw(f"{SIZES.repeats} of {SIZES.repeats} started once, at most {latest:.1f} s late")
    assert latest <= 60


@pytest.mark.chaos_row(4)
async def test_many_schedulers_and_senders(row: Row, stage: Stage) -> None:
    """All of them find the same campaigns due in the same second."""
    row.plan(
        "several schedulers and senders",
        done=f"{SIZES.due_items} campaigns due at once, {SIZES.schedulers} schedulers, 2 senders, 2 workers",
        expected="each started once, copies 0",
        factor="clock moved by 1 h",
    )
    names = [f"scheduler#{number}" for number in range(2, SIZES.schedulers + 1)]
    await stage.fleet.have(*STANDARD, "worker#2", *names)
    everybody = await stage.crowd("crowd_of_due", SIZES.due_items)
    due = await _now(stage) + _ONE_HOUR
    crowds = [await alone(stage.database, everybody, member) for member in everybody.members]
    campaigns = [await draft(stage.office, crowd) for crowd in crowds]
    for campaign in campaigns:
        await campaign.do("launch", at=due.isoformat())
    async with clock_moved(stage.fleet.settings["SIYU_DATABASE_URL"], _ONE_HOUR):
        found = [await _finished(stage, *pair) for pair in zip(crowds, campaigns, strict=True)]
    starts = await stage.database.fetchval(
        "SELECT count(*) FROM delivery_sources WHERE source_kind = 'campaign' AND source_id = ANY($1)",
        [str(campaign.id) for campaign in campaigns],
    )
    copies, lost = sum(item.copies for item in found), sum(item.lost for item in found)
    row.saw(f"{len(found)} finished, {starts} broadcasts, lost {lost}, copies {copies}")
    assert (starts, copies, lost) == (SIZES.due_items, 0, 0)
    assert all(item.taken_in_all == 1 for item in found)


async def _finished(stage: Stage, crowd: Crowd, campaign: Campaign) -> Evidence:
    await campaign.until("finished", within=WITHIN)
    evidence = await stage.evidence(crowd, campaign)
    assert evidence.is_counted_right, str(evidence)
    return evidence


@pytest.mark.chaos_row(28)
async def test_downtime_over_the_scheduled_time(row: Row, stage: Stage) -> None:
    """A little late is sent; too late waits until a person launches it again."""
    row.plan(
        "downtime over the scheduled time",
        done="a schedule missed by 59 and one by 61 minutes",
        expected="59: sent; 61: held as missed, 0 sends until confirmed",
        factor="clock moved by 1 h to 3 h",
    )
    await stage.fleet.have("api", "worker", *SENDERS)
    crowd = await stage.crowd("downtime", 10)
    late, missed = await draft(stage.office, crowd), await draft(stage.office, crowd)
    now = await _now(stage)
    await late.do("launch", at=(now + timedelta(minutes=122)).isoformat())
    await missed.do("launch", at=(now + timedelta(minutes=119)).isoformat())
    async with clock_moved(stage.fleet.settings["SIYU_DATABASE_URL"], timedelta(minutes=181)):
        await stage.fleet.begin("scheduler")
        held = await missed.until_so(lambda found: found["held_reason"] is not None, "held", within=WITHIN)
        await late.until("finished", within=WITHIN)
        before = await stage.evidence(crowd, missed)
        await missed.do("launch")
        await missed.until("finished", within=WITHIN)
    on_time, confirmed = await stage.evidence(crowd, late), await stage.evidence(crowd, missed)
    row.saw(
        f"59: {on_time.taken_in_all} sent; 61: {held['status']} ({held['held_reason']}), "
        f"{before.taken_in_all} sent, {confirmed.taken_in_all} once confirmed"
    )
    assert (held["status"], held["held_reason"], before.taken_in_all) == ("scheduled", "missed", 0)
    assert (on_time.taken_in_all, confirmed.taken_in_all) == (crowd.size, crowd.size)
    assert (on_time.copies, confirmed.copies) == (0, 0)


@pytest.mark.chaos_row(29)
async def test_clones_do_not_start(row: Row, stage: Stage) -> None:
    """Neither a clone of what was sent nor of what is scheduled goes out by itself."""
    row.plan(
        "clone of a sent and of a scheduled campaign",
        done="2 clones, the scheduled time passes",
        expected="draft, schedule cleared, 0 sends until launched",
        factor="clock moved by 2 h",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("clones", 10)
    sent = await stage.launched(crowd)
    await sent.until("finished", within=WITHIN)
    scheduled = await draft(stage.office, crowd)
    await scheduled.do("launch", at=(await _now(stage) + _ONE_HOUR).isoformat())
    clones = [Campaign(stage.office, (await item.do("clone"))["id"], item.mark) for item in (sent, scheduled)]
    async with clock_moved(stage.fleet.settings["SIYU_DATABASE_URL"], timedelta(minutes=110)):
        await scheduled.until("finished", within=WITHIN)
        shown = [await clone.read() for clone in clones]
    originals = [await stage.evidence(crowd, item) for item in (sent, scheduled)]
    row.saw(
        f"{', '.join(item['status'] for item in shown)}; schedule {[item['scheduled_at'] for item in shown]}; "
        f"{sum(item.copies for item in originals)} copies"
    )
    assert [(item["status"], item["scheduled_at"], item["started_at"]) for item in shown] == [("draft", None, None)] * 2
    assert [(item.copies, item.taken_in_all) for item in originals] == [(0, crowd.size)] * 2

"""The clock of some processes jumps: by libfaketime, while they run; the database's does not."""

import asyncio
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from crm.db import clock
from runtime.demo_data.dice import Dice
from tests.acceptance.webhooks import text_update
from tests.chaos.broadcasts import draft
from tests.chaos.evidence import gather
from tests.chaos.inbound.estate import Estate
from tests.chaos.inbound.proof import all_handled
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row
from tests.requirements import require_tool

MEMBERS, RECIPIENTS, ROUNDS = (50, 5_000, 4) if SIZES.is_full else (6, 300, 1)
KINDS = ("api", "sender", "scheduler", "worker") if SIZES.is_full else ("api", "sender", "scheduler")
JUMPS = ("+1h", "-1h", "+1d", "+0")
JUMPING = "jumping"
SCHEDULED_IN = timedelta(minutes=40)
_LOOKS_AGAIN = 1  # second, after which libfaketime reads its file anew


class Jumper:
    """What processes are started with whose clock can be set."""

    def __init__(self, folder: Path) -> None:
        faketime = require_tool("faketime")
        asked = subprocess.run(
            [faketime, "-m", "-f", "+0", "printenv", "LD_PRELOAD"], check=True, capture_output=True, text=True
        )
        self._file = folder / "faketime"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": asked.stdout.strip(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(_LOOKS_AGAIN),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as with a real clock that is set
        }

    def set(self, offset: str) -> None:
        """Jump there, as seen from the true time."""
        self._file.write_text(offset)


@pytest.mark.chaos_row(26)
async def test_the_clock_of_some_processes_jumps(scene: Scene, row: Row, dice: Dice, tmp_path: Path) -> None:
    row.plan(
        "clock jumps +1 h / -1 h / +1 day in some processes",
        done=f"{ROUNDS * len(JUMPS)} jumps of {', '.join(KINDS)} beside others with the true time, "
        f"under check-ins of {MEMBERS} members after each and a broadcast to {RECIPIENTS:,}",
        expected="the database's time decides: 1 award a member, no early start, 0 lost, 0 copies",
    )
    jumper = Jumper(tmp_path)
    estate = scene.estate
    estate.special[JUMPING] = jumper.environment
    await estate.have("api", "sender", "worker", *(f"{kind}#{JUMPING}" for kind in KINDS))
    crowd = await scene.crowd("jumps", MEMBERS)
    audience = await scene.crowd("jumped", RECIPIENTS, rate=RECIPIENTS / (ROUNDS * len(JUMPS) * _LOOKS_AGAIN * 2))
    later, now = await draft(scene.office, crowd), await draft(scene.office, audience)
    async with scene.sessions() as session:
        due = await clock.now(session) + SCHEDULED_IN
    await later.do("launch", at=due.isoformat())
    await now.do("launch")
    post = await scene.post(crowd, dice)
    for _ in range(ROUNDS):
        for jump in JUMPS:
            jumper.set(jump)
            await asyncio.sleep(_LOOKS_AGAIN * 2)
            await post.all([[text_update(chat, "/checkin")] for chat in crowd.chats])
    await all_handled(scene.database)
    await now.until("finished", within=300)
    evidence = await gather(scene.database, scene.telegram, audience, now)
    awards = await _awards(scene, crowd.first, crowd.last)
    status = (await later.read())["status"]
    row.saw(f"{awards} of {MEMBERS} awarded once; scheduled one is {status}; broadcast: {evidence}")
    await later.do("cancel")
    await _put_right(estate)
    assert awards == MEMBERS
    assert status == "scheduled"
    assert (evidence.lost, evidence.copies, evidence.uncertain, evidence.is_counted_right) == (0, 0, 0, True)


async def _awards(scene: Scene, first: int, last: int) -> int:
    """Members who have exactly one check-in and its points once."""
    query = """
        SELECT count(*) FROM generate_series($1::bigint, $2::bigint) n
        WHERE (SELECT count(*) FROM check_ins WHERE member_id = n) = 1
        AND (SELECT count(*) FROM ledger_entries WHERE member_id = n AND account = 'member') = 1
    """
    return int(await scene.database.fetchval(query, first, last))


async def _put_right(estate: Estate) -> None:
    """No later test gets a process whose clock is wrong."""
    jumping = [name for name in estate.running if name.endswith(JUMPING)]
    await asyncio.gather(*(estate.end_one(name, signal.SIGTERM) for name in jumping))

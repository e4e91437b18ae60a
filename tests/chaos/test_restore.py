"""Row 28, the other half: a database that comes back from a backup sends nothing before somebody looked at it."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from runtime.embedded.process import free_port
from tests.acceptance.waiting import until
from tests.chaos.broadcasts import Campaign, draft
from tests.chaos.clock import clock_moved
from tests.chaos.crowd import FAST
from tests.chaos.fleet import STANDARD, Fleet
from tests.chaos.office import office_at
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row
from tests.conftest import Servers

WITHIN = 300.0
_SLOW = 5.0
"""Messages a second, so that the broadcast lasts while the backup is made."""
_BEGUN = 5
_HOUR = timedelta(hours=1)


@asynccontextmanager
async def _restored(stage: Stage, servers: Servers, key: str) -> AsyncIterator[Stage]:
    """The same deployment over a new, empty database."""
    port = free_port()
    changed = {
        "SIYU_DATABASE_URL": await servers.new_database("chaos_restored"),
        "SIYU_HTTP_PORT": str(port),
        "SIYU_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    fleet = Fleet({**stage.fleet.settings, **changed}, stage.fleet.folder)
    database = await asyncpg.connect(changed["SIYU_DATABASE_URL"])
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with office_at(fleet.base_url, headers) as office:
            yield replace(stage, fleet=fleet, office=office, database=database)
    finally:
        await fleet.end(signal.SIGKILL)
        await database.close()


@pytest.mark.chaos_full
@pytest.mark.chaos_row(28)
async def test_restored_from_a_backup(row: Row, stage: Stage, servers: Servers, key: str) -> None:
    """Made in the middle of a broadcast that ended long ago, with another one due meanwhile."""
    row.plan(
        "restore of an old backup",
        done=f"backup in the middle of {SIZES.crowd:,} recipients, one more campaign scheduled; restored 1 h later",
        expected="0 sends until confirmed; the running one can be cancelled first; the due one goes out once",
        factor="rate /5 and x40, clock moved by 1 h",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("backup", SIZES.crowd, rate=_SLOW)
    later = await draft(stage.office, crowd)
    due = await stage.database.fetchval("SELECT siyu_now()") + _HOUR
    await later.do("launch", at=due.isoformat())
    running = await stage.launched(crowd)
    await running.until_so(lambda _: stage.telegram.count(crowd.telegram_id) > _BEGUN, "begun", within=WITHIN)
    file = stage.fleet.folder / "chaos.backup"
    made = await stage.fleet.siyu("backup", "--to", str(file))
    assert made.status == 0, made.err
    await stage.office.patch(f"bots/{crowd.bot_id}", json={"bulk_rate": FAST})
    await running.until("finished", within=WITHIN)
    await stage.fleet.have()
    sent = stage.telegram.count(crowd.telegram_id)
    async with _restored(stage, servers, key) as again:
        restored = await again.fleet.siyu("restore", str(file))
        assert restored.status == 0, restored.err
        async with clock_moved(again.fleet.settings["SIYU_DATABASE_URL"], _HOUR):
            await again.fleet.have(*STANDARD)
            await again.office.patch(f"bots/{crowd.bot_id}", json={"bulk_rate": FAST})
            await until(lambda: again.alerts("safe_mode", "deployment"), lambda number: number == 1)
            old, new = (Campaign(again.office, item.id, item.mark) for item in (running, later))
            silent = stage.telegram.count(crowd.telegram_id) - sent
            await old.do("cancel")
            confirmed = await again.fleet.siyu("resume-sending")
            assert confirmed.status == 0, confirmed.err
            await new.until("finished", within=WITHIN)
        before, after = await again.evidence(crowd, old), await again.evidence(crowd, new)
    row.saw(f"{silent} sends before the confirmation; old: {before}; due: {after}")
    assert silent == 0
    assert (before.copies, before.states["queued"]) == (0, 0)
    assert before.is_counted_right
    assert (after.lost, after.copies, after.states["sent"]) == (0, 0, crowd.size)
    assert after.is_counted_right

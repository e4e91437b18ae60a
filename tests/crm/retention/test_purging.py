"""What is old goes by whole months; what is not stays; operators say how long, within bounds."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit import service as audit
from crm.db import clock, partitions
from crm.db.base import Base
from crm.db.session import Sessions
from crm.kit.discovery import modules_named
from crm.retention import jobs, service
from crm.retention.errors import InvalidRetentionError, RetentionNotFoundError
from crm.retention.types import Purged
from tests.conftest import At

_INSERT = text(
    "INSERT INTO inbound_updates (id, received_at, bot_id, chat_key, update_key, payload)"
    " VALUES (gen_random_uuid(), :at, 1, 'chat', :key, 'x')"
)
_DEAD = text(
    "INSERT INTO inbound_dead_letters (update_id, received_at, bot_id, chat_key, died_at, attempts, reason)"
    " VALUES (gen_random_uuid(), :at, 1, 'chat', :at, 5, :key)"
)


async def _come_in(session: AsyncSession, *moments: str) -> None:
    for moment in moments:
        values = {"at": datetime.fromisoformat(moment), "key": moment}
        await session.execute(_INSERT, values)
        await session.execute(_DEAD, values)


async def _kept(session: AsyncSession) -> list[str]:
    rows = await session.scalars(text("SELECT update_key FROM inbound_updates ORDER BY received_at"))
    return [str(row)[:10] for row in rows]


async def _parts(session: AsyncSession, parent: str) -> set[str]:
    found = await session.scalars(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:parent)"),
        {"parent": parent},
    )
    return set(found.all())


async def test_a_month_goes_when_all_of_it_is_old(session: AsyncSession, at: At) -> None:
    await at(session, "2031-01-10T00:00+00:00")
    await service.purge(session, "updates")
    await partitions.keep_ahead(session, (await clock.now(session)).date())
    await _come_in(session, "2031-01-11T00:00+00:00", "2031-01-31T23:59+00:00", "2031-02-01T00:00+00:00")
    await at(session, "2031-03-02T12:00+00:00")
    assert await service.purge(session, "updates") == Purged("updates", 0, 1), "one dead letter is old enough"
    assert "inbound_updates_203101" in await _parts(session, "inbound_updates")
    await at(session, "2031-03-03T12:00+00:00")
    gone = await service.purge(session, "updates")
    assert gone.partitions == 1
    assert await _kept(session) == ["2031-02-01"]
    assert "inbound_updates_203101" not in await _parts(session, "inbound_updates")
    assert await service.purge(session, "updates") == Purged("updates", 0, 0)


async def test_what_came_to_the_default_partition_goes_by_rows(session: AsyncSession, at: At) -> None:
    await at(session, "2041-05-01T00:00+00:00")
    await _come_in(session, "2041-01-11T00:00+00:00", "2041-01-12T00:00+00:00", "2041-04-30T00:00+00:00")
    assert (await service.purge(session, "updates", rows=1)).rows == 2, "one of each table"
    assert (await service.purge(session, "updates")).rows == 2
    assert await _kept(session) == ["2041-04-30"]


async def test_operators_say_how_long_within_bounds(session: AsyncSession, at: At) -> None:
    shipped = {rule.key: rule.days for rule in await service.rules(session)}
    assert shipped == {"updates": 30, "deliveries": 396, "transcripts": 731, "webchat": 731, "webhooks": 93}
    now = await at(session, "2031-03-03T12:00+00:00")
    rule = await service.change(session, "updates", 60)
    assert (rule.days, rule.default_days, rule.changed_at) == (60, 30, now)
    assert (await service.change(session, "updates", 8)).days == 8
    for days in (7, 0, -1, service.MOST_DAYS + 1):
        with pytest.raises(InvalidRetentionError, match="8 to 3660 days"):
            await service.change(session, "updates", days)
    with pytest.raises(RetentionNotFoundError):
        await service.change(session, "everything", 30)


async def test_the_tick_purges_every_class_and_says_so(sessions: Sessions, at: At) -> None:
    async with sessions.begin() as session:
        now = await clock.now(session)
        await _come_in(session, (now - timedelta(days=400)).isoformat(), now.isoformat())
    assert await jobs.purge.run(sessions) == 0
    async with sessions.begin() as session:
        assert len(await _kept(session)) == 1
        entry = (await audit.latest(session, limit=1))[0].entry
    assert (entry.actor, entry.action, entry.subject) == ("system", "retention.purge", "retention:updates")
    assert entry.after == {"partitions": 0, "rows": 2}


async def test_every_class_can_be_purged_as_it_is_declared(session: AsyncSession, at: At) -> None:
    await at(session, "2061-01-01T00:00+00:00")
    for key in service.registry():
        assert (await service.purge(session, key)).partitions > 0
    list(modules_named("crm", "models"))
    for item in service.registry().values():
        for table in item.partitioned:
            assert Base.metadata.tables[table].dialect_options["postgresql"]["partition_by"]
        for table, field in item.rows:
            assert field in Base.metadata.tables[table].c

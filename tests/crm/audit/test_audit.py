"""The log takes what comes, keeps it in one chain, and shows when somebody changed it."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit import service
from crm.audit.types import AuditEntry
from crm.db.session import Sessions

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def _entry(**more: Any) -> AuditEntry:
    return AuditEntry(**{"actor": "operator:1", "action": "segment.create", "subject": "segment:1", **more})


async def test_entries_are_read_back_newest_first(session: AsyncSession) -> None:
    entry = _entry(before={"name": "Tea"}, after={"name": "茶\x00", "at": datetime(2026, 3, 1, tzinfo=UTC)}, ip="::1")
    first = await service.record(session, entry)
    second = await service.record(session, _entry(request_id="abc", after={"ids": (1, 2), "sum": Decimal("1.50")}))
    newest, oldest = await service.latest(session)
    assert (newest.id, oldest.id) == (second, first)
    assert oldest.entry.after == {"name": "茶", "at": "2026-03-01 00:00:00+00:00"}
    assert (oldest.entry.before, oldest.entry.ip) == ({"name": "Tea"}, "::1")
    assert newest.entry.after == {"ids": [1, 2], "sum": "1.50"}
    assert [one.id for one in await service.latest(session, before_id=second)] == [first]
    assert (await service.verify(session)).is_clean
    assert await service.count(session) == (await service.verify(session)).entries == 2


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(after=st.dictionaries(st.text(), VALUES, max_size=3))
async def test_whatever_is_noted_the_chain_stays_clean(session: AsyncSession, after: dict[str, Any]) -> None:
    await service.record(session, _entry(after=after))
    session.expunge_all()
    assert (await service.verify(session)).is_clean


@pytest.mark.parametrize(
    "value", [1e22, -0.0, 1.0, 0.1, 1e-7, 1e300, 10**400, float("nan"), float("-inf"), UUID(int=7)]
)
async def test_numbers_that_are_written_in_many_ways_hash_alike(session: AsyncSession, value: object) -> None:
    await service.record(session, _entry(after={"value": value}))
    session.expunge_all()
    assert (await service.verify(session)).is_clean


async def test_the_log_cannot_be_changed_or_shortened(session: AsyncSession) -> None:
    await service.record(session, _entry())
    for statement in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(DBAPIError, match="never changed"):
            async with session.begin_nested():
                await session.execute(text(statement))
    assert (await service.verify(session)).is_clean


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_log SET actor = 'operator:2' WHERE id = :id",
        "UPDATE audit_log SET subject = subject || '0' WHERE id = :id",
        "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE id = :id",
        "UPDATE audit_log SET content = jsonb_set(content, '{after}', '{\"name\": \"x\"}') WHERE id = :id",
        "DELETE FROM audit_log WHERE id = :id",
        "UPDATE audit_log SET hash = sha256(hash) WHERE id = :id",
        """INSERT INTO audit_log (at, actor, action, subject, content, hash)
        SELECT at, actor, action, subject, content, hash FROM audit_log WHERE id = :id""",
    ],
)
async def test_tampering_is_seen(session: AsyncSession, tampering: str) -> None:
    ids = [await service.record(session, _entry(after={"number": number})) for number in range(3)]
    await session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only"))
    await session.execute(text(tampering), {"id": ids[1]})
    session.expunge_all()
    report = await service.verify(session)
    assert not report.is_clean
    assert report.first_bad_id is not None
    assert report.first_bad_id >= ids[1]


async def test_writers_side_by_side_make_one_chain(committed_sessions: Sessions) -> None:
    async def write(number: int) -> None:
        async with committed_sessions.begin() as session:
            await service.record(session, _entry(subject=f"segment:{number}"))

    await asyncio.gather(*(write(number) for number in range(20)))
    async with committed_sessions.begin() as session:
        report = await service.verify(session)
    assert (report.entries, report.is_clean) == (20, True)


async def test_an_act_that_is_rolled_back_is_not_noted(session: AsyncSession) -> None:
    savepoint = await session.begin_nested()
    await service.record(session, _entry())
    await savepoint.rollback()
    assert await service.count(session) == 0

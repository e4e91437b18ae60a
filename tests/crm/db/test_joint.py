"""Writes of several capabilities in one statement, in order, and what is undone with a savepoint."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import joint
from crm.db.joint import Part, write_last_together
from crm.db.savepoint import SavepointsNeeded, savepoint, without_savepoints

_WISH = Part(
    [("wished", "INSERT INTO event_wishes (subscriber, kind) VALUES (:subscriber, :kind) RETURNING kind")],
    [("kind", "(SELECT kind FROM wished)")],
)
_GONE = Part(
    [("gone", "DELETE FROM event_wishes WHERE kind = :kind RETURNING 1")], [("removed", "(SELECT count(*) FROM gone)")]
)


def _wish(subscriber: str) -> Mapping[str, Any]:
    return {"subscriber": subscriber, "kind": "joint"}


async def _subscribers(session: AsyncSession) -> list[str]:
    query = text("SELECT subscriber FROM event_wishes WHERE kind = 'joint' ORDER BY subscriber")
    return list(await session.scalars(query))


async def _refuse(session: AsyncSession) -> None:
    async with savepoint(session):
        await joint.last(session, _WISH, _wish("refused"))
        raise LookupError


async def test_what_is_last_is_written_at_once_unless_it_may_wait(session: AsyncSession) -> None:
    assert (await joint.last(session, _WISH, _wish("one")))["kind"] == "joint"
    assert await _subscribers(session) == ["one"]
    write_last_together(session)
    assert await joint.last(session, _WISH, _wish("two")) is None
    assert await _subscribers(session) == ["one"]
    row = await joint.run(session, _GONE, {"kind": "other"})
    assert dict(row) == {"removed": 0}
    assert await _subscribers(session) == ["one", "two"]
    assert (await joint.last(session, _WISH, _wish("three")))["kind"] == "joint"


async def test_a_part_twice_is_written_in_order(session: AsyncSession) -> None:
    write_last_together(session)
    for name in ("one", "two", "three"):
        await joint.last(session, _WISH, _wish(name))
    await joint.run(session, _GONE, {"kind": "other"})
    assert await _subscribers(session) == ["one", "three", "two"]


async def test_what_was_noted_is_undone_with_its_step(session: AsyncSession) -> None:
    write_last_together(session)
    await joint.last(session, _WISH, _wish("kept"))
    with pytest.raises(LookupError):
        await _refuse(session)
    await joint.run(session, _GONE, {"kind": "other"})
    assert await _subscribers(session) == ["kept"]


async def test_without_savepoints_all_has_to_be_done_again(session: AsyncSession) -> None:
    without_savepoints(session)
    with pytest.raises(SavepointsNeeded):
        await _refuse(session)


async def test_errors_are_those_of_a_session(session: AsyncSession) -> None:
    await joint.now(session, _WISH, _wish("one"))
    with pytest.raises(IntegrityError):
        await joint.now(session, _WISH, _wish("one"))

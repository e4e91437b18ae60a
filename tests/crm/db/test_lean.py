"""Transactions by the driver alone, joined by the ORM, ended well and badly."""

import asyncio
import contextlib

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crm.conversations.models import KeywordRow
from crm.db.away import is_away
from crm.db.prepared import Prepared, driver_of
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions

_ADD = Prepared(text("INSERT INTO event_wishes (subscriber, kind) VALUES (:subscriber, 'lean')"))
_COUNT = Prepared(text("SELECT count(*) FROM event_wishes WHERE kind = 'lean'"))


async def _count(sessions: Sessions) -> int:
    async with sessions.begin() as session:
        return int((await _COUNT.first(session))[0])


async def _write(sessions: Sessions, *subscribers: str, error: type[Exception] | None = None) -> None:
    async with sessions.begin() as session:
        for name in subscribers:
            await _ADD.fetch(session, subscriber=name)
        if error is not None:
            raise error


async def _write_both_ways(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await _ADD.fetch(session, subscriber="three")
        await session.execute(text("UPDATE event_wishes SET kind = 'gone'"))
        raise LookupError


async def _sleep(sessions: Sessions) -> None:
    async with asyncio.timeout(0.001), sessions.begin() as session:
        await Prepared(text("SELECT pg_sleep(30)")).fetch(session)


async def _lose(sessions: Sessions, *, is_noticed: bool) -> None:
    async with sessions.begin() as session:
        await _ADD.fetch(session, subscriber="one")
        (await driver_of(session)).terminate()
        if is_noticed:
            await _COUNT.fetch(session)


async def test_what_the_driver_wrote_is_committed_or_undone(committed_sessions: Sessions) -> None:
    await _write(committed_sessions, "one")
    with pytest.raises(LookupError):
        await _write(committed_sessions, "two", error=LookupError)
    assert await _count(committed_sessions) == 1


@pytest.mark.parametrize("is_driver_first", [True, False])
async def test_the_orm_shares_the_transaction(committed_sessions: Sessions, is_driver_first: bool) -> None:
    async with committed_sessions.begin() as session:
        if is_driver_first:
            await _ADD.fetch(session, subscriber="one")
        own = await session.scalar(select(func.txid_current()))
        assert (await Prepared(select(func.txid_current())).first(session))[0] == own
        session.add(KeywordRow(name="lean", words=["lean"]))
        await _ADD.fetch(session, subscriber="two")
    async with committed_sessions() as session:
        assert await session.scalar(select(func.count()).select_from(KeywordRow).where(KeywordRow.name == "lean")) == 1
    with pytest.raises(LookupError):
        await _write_both_ways(committed_sessions)
    assert await _count(committed_sessions) == 1 + is_driver_first


async def test_what_is_only_added_is_written(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        session.add(KeywordRow(name="lean", words=["lean"]))
    async with committed_sessions() as session:
        assert await session.scalar(select(func.count()).select_from(KeywordRow)) == 1


async def test_failed_statements_and_cancelled_tasks_leave_usable_connections(
    committed_sessions: Sessions, committed_engine: AsyncEngine
) -> None:
    for _ in range(30):
        with pytest.raises(IntegrityError):
            await _write(committed_sessions, "one", "one")
        with pytest.raises(TimeoutError):
            await _sleep(committed_sessions)
    assert await _count(committed_sessions) == 0
    assert committed_engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of every pool with a queue


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_a_lost_connection_is_not_used_again(committed_sessions: Sessions, is_noticed: bool) -> None:
    with pytest.raises(DBAPIError):
        await _lose(committed_sessions, is_noticed=is_noticed)
    assert await _count(committed_sessions) == 0


async def test_a_closed_connection_is_told_of_as_usual(committed_url: str, surroundings: Surroundings) -> None:
    engine = make_engine(committed_url, pool_size=1)
    sessions = make_sessions(engine, surroundings)
    async with sessions.begin() as session:
        rested = await driver_of(session)
    rested.terminate()
    with pytest.raises(DBAPIError) as caught:
        await _count(sessions)
    assert is_away(caught.value)
    assert await _count(sessions) == 0
    await engine.dispose()


async def _swallow(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await _ADD.fetch(session, subscriber="one")
        with contextlib.suppress(IntegrityError):
            await _ADD.fetch(session, subscriber="one")


async def test_a_commit_that_rolls_back_is_an_error(committed_sessions: Sessions) -> None:
    with pytest.raises(DBAPIError, match="rolled back"):
        await _swallow(committed_sessions)
    assert await _count(committed_sessions) == 0


async def _give_up_inside(sessions: Sessions, seconds: float) -> None:
    async with sessions.begin() as session:
        async with asyncio.timeout(seconds):
            await _ADD.fetch(session, subscriber="cut")
            await Prepared(text("SELECT pg_sleep(30)")).fetch(session)


@pytest.mark.parametrize("seconds", [0, 0.0005, 0.001, 0.002, 0.02])
async def test_what_ran_into_a_limit_leaves_no_open_transaction(
    committed_url: str, surroundings: Surroundings, seconds: float
) -> None:
    engine = make_engine(committed_url, pool_size=1)
    sessions = make_sessions(engine, surroundings)
    for turn in range(5):
        with pytest.raises(TimeoutError):
            await _give_up_inside(sessions, seconds)
        async with sessions.begin() as session:
            await _ADD.fetch(session, subscriber=f"{turn}")
    assert await _count(sessions) == 5
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM event_wishes WHERE kind = 'lean'"))
    await engine.dispose()


async def test_a_connection_that_was_left_in_a_transaction_is_not_given_on(
    committed_url: str, surroundings: Surroundings
) -> None:
    engine = make_engine(committed_url, pool_size=1)
    sessions = make_sessions(engine, surroundings)
    with pytest.raises(LookupError):
        await _begin_unheard(sessions)
    await _write(sessions, "one")
    assert await _count(sessions) == 1
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM event_wishes WHERE kind = 'lean'"))
    await engine.dispose()


async def _begin_unheard(sessions: Sessions) -> None:
    """As when a limit ran out between the server's BEGIN and its answer: the dialect knows of no transaction."""
    async with sessions.begin() as session:
        await driver_of(session)
        pooled = await (await session.connection()).get_raw_connection()
        await session.rollback()
        assert pooled.driver_connection is not None
        await pooled.driver_connection.execute("BEGIN")
        raise LookupError


async def _refuse_inside(session: AsyncSession, name: str) -> None:
    async with session.begin_nested():
        await _ADD.fetch(session, subscriber=name)
        raise LookupError


@pytest.mark.parametrize("is_driver_first", [True, False])
async def test_a_savepoint_of_the_session_holds_for_the_driver(
    committed_sessions: Sessions, is_driver_first: bool
) -> None:
    async with committed_sessions.begin() as session:
        if is_driver_first:
            await _ADD.fetch(session, subscriber="one")
        with pytest.raises(LookupError):
            await _refuse_inside(session, "undone")
        async with session.begin_nested():
            await _ADD.fetch(session, subscriber="kept")
    assert await _count(committed_sessions) == 1 + is_driver_first

"""A lost database is told from a mistake of ours."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from crm.db.away import is_away
from crm.db.session import make_engine

AWAY = (
    ConnectionRefusedError(),
    TimeoutError(),
    PoolTimeoutError(),
    asyncpg.CannotConnectNowError("starting up"),
    asyncpg.AdminShutdownError("terminating connection"),
    asyncpg.ConnectionDoesNotExistError("closed in the middle"),
    asyncpg.InterfaceError("connection is closed"),
    DBAPIError("SELECT 1", None, Exception("lost"), connection_invalidated=True),
    ExceptionGroup("two loops", [ConnectionResetError(), asyncpg.TooManyConnectionsError("full")]),
)
MISTAKES = (
    ValueError("x"),
    asyncpg.UniqueViolationError("twice"),
    ProgrammingError("SELEC", None, Exception("syntax")),
    ExceptionGroup("one of two", [ConnectionResetError(), KeyError("x")]),
)


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_lost_database(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize("error", MISTAKES, ids=lambda error: type(error).__name__)
def test_a_mistake(error: Exception) -> None:
    assert not is_away(error)


async def test_as_the_driver_says_it(rolled_back_url: str) -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OSError) as refused:  # noqa: PT011 - whatever it says, it is judged
        await engine.connect()
    assert is_away(refused.value)
    await engine.dispose()
    engine = make_engine(rolled_back_url)
    with pytest.raises(DBAPIError) as cut:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_away(cut.value)
    with pytest.raises(DBAPIError) as wrong:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT nothing"))
    assert not is_away(wrong.value)
    await engine.dispose()

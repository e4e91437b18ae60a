"""Transactions of several callers kept as one: the same effects, one commit, and each alone when anything fails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import KeywordRow
from crm.db import clock, joint
from crm.db.company import Company
from crm.db.joint import Part, write_last_together
from crm.db.prepared import Prepared
from crm.db.savepoint import SavepointsNeeded, savepoint
from crm.db.seats import Apart
from crm.db.session import Sessions

_ADD = Prepared(
    text("INSERT INTO event_wishes (subscriber, kind) VALUES (:name, 'company') ON CONFLICT DO NOTHING RETURNING *"),
    one_by={"subscriber": "name"},
)
_ALONE = Prepared(text("INSERT INTO event_wishes (subscriber, kind) VALUES (:name, 'company')"))
_TRANSACTION = Prepared(select(func.txid_current()), is_shared=True)
_NAMES = text("SELECT subscriber FROM event_wishes WHERE kind = 'company' ORDER BY subscriber")
_WISH = Part(
    [("wished", "INSERT INTO event_wishes (subscriber, kind) VALUES (:name, 'company') RETURNING subscriber")],
    [("name", "(SELECT subscriber FROM wished)")],
)
_WHO: ContextVar[int] = ContextVar("who")
Work = Callable[[AsyncSession], Awaitable[Any]]


async def _names(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(_NAMES))


async def _all(company: Company, *works: Work) -> list[Any]:
    return await asyncio.gather(*(company.run(work) for work in works), return_exceptions=True)


def _adds(name: str, error: type[Exception] | None = None) -> Work:
    async def work(session: AsyncSession) -> int:
        rows = await _ADD.fetch(session, name=name)
        assert [row["subscriber"] for row in rows] in ([name], [])
        if error is not None:
            raise error
        return int((await _TRANSACTION.first(session))[0])

    return work


async def test_who_comes_together_shares_a_transaction(committed_sessions: Sessions) -> None:
    company = Company(committed_sessions, at_once=1)
    found = await _all(company, *(_adds(f"{number:02}") for number in range(20)))
    assert len(set(found)) == 2  # sixteen, and the four that found no room
    assert await _names(committed_sessions) == [f"{number:02}" for number in range(20)]


async def test_rows_go_to_those_who_asked(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await _ALONE.fetch(session, name="b")

    async def work(session: AsyncSession, name: str) -> bool:
        return await _ADD.first(session, name=name) is not None

    names = ["a", "b", "c", "c", "d"]
    found = await _all(Company(committed_sessions), *(lambda session, name=name: work(session, name) for name in names))
    assert found == [True, False, True, False, True]


async def test_each_alone_when_one_fails(committed_sessions: Sessions) -> None:
    company = Company(committed_sessions)
    found = await _all(company, _adds("one"), _adds("two", LookupError), _adds("three"))
    assert all(isinstance(item, Apart) for item in found)
    assert await _names(committed_sessions) == []
    with pytest.raises(LookupError):
        await company.run(_adds("two", LookupError))
    await company.run(_adds("one"))
    assert await _names(committed_sessions) == ["one"]


async def test_a_refused_statement_breaks_the_company(committed_sessions: Sessions) -> None:
    async def twice(session: AsyncSession) -> None:
        await _ALONE.fetch(session, name="one")
        await _ALONE.fetch(session, name="one")

    found = await _all(Company(committed_sessions), _adds("two"), twice, _adds("three"))
    assert all(isinstance(item, Apart) for item in found)
    assert await _names(committed_sessions) == []


async def test_an_error_that_somebody_ignores_is_not_committed(committed_sessions: Sessions) -> None:
    async def careless(session: AsyncSession) -> None:
        await _ALONE.fetch(session, name="one")
        await asyncio.gather(_ALONE.fetch(session, name="one"), return_exceptions=True)

    found = await _all(Company(committed_sessions), _adds("two"), careless)
    assert all(isinstance(item, Apart) for item in found)
    assert await _names(committed_sessions) == []


async def test_whoever_gives_up_takes_nobody_along(committed_sessions: Sessions) -> None:
    never = asyncio.Event()

    async def hangs(session: AsyncSession) -> None:
        await _ADD.fetch(session, name="hangs")
        await never.wait()

    company = Company(committed_sessions)
    slow = asyncio.create_task(company.run(hangs))
    quick = asyncio.create_task(company.run(_adds("quick")))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.2, slow.cancel)
    with pytest.raises(Apart):
        await quick
    with pytest.raises(asyncio.CancelledError):
        await slow
    await company.run(_adds("quick"))
    assert await _names(committed_sessions) == ["quick"]


async def test_a_slow_one_does_not_hold_up_others(committed_sessions: Sessions) -> None:
    begun, free = asyncio.Event(), asyncio.Event()

    async def waits(session: AsyncSession) -> None:
        await _ADD.fetch(session, name="waits")
        begun.set()
        await free.wait()

    company = Company(committed_sessions, at_once=1)
    slow = asyncio.create_task(company.run(waits))
    await begun.wait()
    async with asyncio.timeout(30):
        await company.run(_adds("quick"))
    assert await _names(committed_sessions) == ["quick"]
    free.set()
    await slow
    assert await _names(committed_sessions) == ["quick", "waits"]


async def test_the_orm_writes_into_the_same_transaction(committed_sessions: Sessions) -> None:
    def keeps(name: str) -> Work:
        async def work(session: AsyncSession) -> int:
            session.add(KeywordRow(name=name, words=[name]))
            own = await session.scalar(select(func.txid_current()))
            await _ADD.fetch(session, name=name)
            assert (await _TRANSACTION.first(session))[0] == own
            assert own is not None
            return int(own)

        return work

    company = Company(committed_sessions)
    found = await _all(company, keeps("one"), keeps("two"), _adds("three"))
    assert len(set(found)) == 1
    async with committed_sessions() as session:
        kept = await session.scalars(select(KeywordRow.name).where(KeywordRow.name.in_(["one", "two"])))
        assert sorted(kept) == ["one", "two"]
    assert await _names(committed_sessions) == ["one", "three", "two"]


@pytest.mark.parametrize("by_the_orm", [True, False])
async def test_savepoints_are_for_those_who_are_alone(committed_sessions: Sessions, by_the_orm: bool) -> None:
    async def refused(session: AsyncSession) -> None:
        if by_the_orm:
            async with session.begin_nested():
                await _ADD.fetch(session, name="two")
        else:
            async with savepoint(session):
                raise LookupError

    company = Company(committed_sessions)
    found = await _all(company, _adds("one"), refused)
    assert all(isinstance(item, Apart) for item in found)
    assert await _names(committed_sessions) == []
    if not by_the_orm:
        with pytest.raises(SavepointsNeeded):
            await company.run(refused)


async def test_last_writes_of_several_go_together(committed_sessions: Sessions) -> None:
    def writes(name: str) -> Work:
        async def work(session: AsyncSession) -> str:
            write_last_together(session)
            return str((await joint.run(session, _WISH, {"name": name}))["name"])

        return work

    assert await _all(Company(committed_sessions), *map(writes, "abc")) == ["a", "b", "c"]
    assert await _names(committed_sessions) == ["a", "b", "c"]


async def test_all_have_one_time_and_the_context_of_their_caller(committed_sessions: Sessions) -> None:
    async def work(session: AsyncSession) -> tuple[Any, int]:
        return await clock.now(session), _WHO.get()

    company = Company(committed_sessions)

    async def one(number: int) -> Any:
        _WHO.set(number)
        return await company.run(work)

    found = await asyncio.gather(*(one(number) for number in range(5)))
    assert [who for _, who in found] == list(range(5))
    assert len({time for time, _ in found}) == 1


async def test_sessions_on_one_connection_are_served_as_well(sessions: Sessions) -> None:
    company = Company(sessions, at_once=1)
    assert len(await _all(company, _adds("one"), _adds("two"))) == 2
    assert await _names(sessions) == ["one", "two"]

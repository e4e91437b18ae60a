"""Several transactions kept as one: callers that come at the same time share BEGIN, COMMIT and what lies between.

An exchange with the server costs the two processes more than the statement in it, and a commit waits for the disk.
Work that comes while other work is in progress is gathered; all of it runs side by side in one transaction, each in a
session of its own, and statements that several want are sent in one exchange. When anything fails, all is undone and
each is told to go on alone, so a company is only ever a faster way to the same end. Two companies work at a time, so
that one is prepared while the server is busy with the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.lean import LeanSessions, LeanTransaction
from crm.db.prepared import seat_at
from crm.db.savepoint import without_savepoints
from crm.db.seats import Apart, Seat, Table
from crm.db.session import Sessions

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[Any]]
MOST = 16
AT_ONCE = 2
MOST_AT_ONCE = 6
PATIENCE = 0.05
"""Seconds that somebody waits before one more company is opened: those before may wait for a lock."""
LIMIT = 5.0
"""Seconds that a company takes at most: the slow one goes on alone, and so do the others."""


@dataclass(eq=False)
class _Guest:
    """Work that waits, in the context of its caller."""

    work: Work
    order: tuple[Any, ...]
    done: asyncio.Future[Any]
    context: Context


class Company:
    """Runs work in shared transactions."""

    def __init__(self, sessions: Sessions, *, most: int = MOST, at_once: int = AT_ONCE) -> None:
        self._sessions = sessions
        self._most = most if isinstance(sessions, LeanSessions) else 1
        self._room = self._most
        """How many are seated now: halved after a failure, for what fails once fails again, and slowly regained."""
        self._at_once = at_once
        self._waiting: list[_Guest] = []
        self._hosts: set[asyncio.Task[None]] = set()

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]], *, order: tuple[Any, ...] = ()) -> T:
        """`work(session)` in a transaction without savepoints, committed when this returns.

        Locks are taken in `order`, so that companies of several processes do not wait for one another in a ring.
        Raises what `work` raises; Apart when the company broke: nothing was kept, and the caller does it alone. Work
        has to find out by itself that it was done: when the connection is lost in COMMIT, nobody knows.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        guest = _Guest(work, order, done, copy_context())
        self._waiting.append(guest)
        if len(self._hosts) < self._at_once:
            self._open()
        else:
            asyncio.get_running_loop().call_later(PATIENCE, self._hurry, guest)
        return await done

    def _hurry(self, guest: _Guest) -> None:
        if guest in self._waiting and len(self._hosts) < MOST_AT_ONCE:
            self._open()

    def _open(self) -> None:
        host = asyncio.create_task(self._host(), name="company")
        self._hosts.add(host)
        host.add_done_callback(self._hosts.discard)

    async def _host(self) -> None:
        while self._waiting:
            guests = [guest for guest in self._waiting[: self._room] if not guest.done.done()]
            del self._waiting[: self._room]
            if len(guests) == 1:
                await self._alone(guests[0])
            elif guests:
                await self._together(sorted(guests, key=lambda guest: guest.order))

    async def _alone(self, guest: _Guest) -> None:
        async def work() -> Any:
            async with self._sessions.begin() as session:
                without_savepoints(session)
                return await guest.work(session)

        task = asyncio.create_task(work(), context=guest.context)
        _end_with(task, guest.done)
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            self._room = min(self._most, self._room + 1)
        _pass_on(task, guest.done)

    async def _together(self, guests: list[_Guest]) -> None:
        tasks: list[asyncio.Task[Any]] = []
        try:
            transaction = self._sessions.begin()
            assert isinstance(transaction, LeanTransaction)
            async with asyncio.timeout(LIMIT), transaction:
                await self._seat(transaction, guests, tasks)
        except Exception:  # noqa: BLE001 - each meets the error again when it goes on alone, if it was its own
            self._room = max(1, self._room // 2)
            for guest in guests:
                if not guest.done.done():
                    guest.done.set_exception(Apart())
        else:
            self._room = min(self._most, self._room + 1)
            for guest, task in zip(guests, tasks, strict=True):
                if not guest.done.done():
                    guest.done.set_result(task.result())
        finally:
            for guest in guests:
                guest.done.cancel()  # only when the process ends while they wait

    async def _seat(self, transaction: LeanTransaction, guests: list[_Guest], tasks: list[asyncio.Task[Any]]) -> None:
        driver = await transaction.open()
        connection = await transaction.shared()
        event.listen(connection, "savepoint", _refuse)
        table = Table(driver, len(guests))
        tasks += [asyncio.create_task(self._sit(table, connection, guest), context=guest.context) for guest in guests]
        for guest, task in zip(guests, tasks, strict=True):
            _end_with(task, guest.done)
        serving = asyncio.create_task(table.serve())
        try:
            await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_EXCEPTION)
        finally:
            table.give_up()
            for task in (serving, *tasks):
                task.cancel()
            await asyncio.gather(serving, *tasks, return_exceptions=True)
        for task in (*tasks, serving):
            if task.cancelled():
                raise Apart
            task.result()

    async def _sit(self, table: Table, connection: Connection, guest: _Guest) -> Any:
        session = self._sessions(bind=None)
        session.sync_session.bind = connection
        session.sync_session.join_transaction_mode = "rollback_only"
        without_savepoints(session)
        clock.share(session, table)
        seat_at(session, Seat(table))
        try:
            result = await guest.work(session)
            if session.in_transaction():
                await session.commit()  # writes what is left to write; the transaction is the company's
            return result
        finally:
            table.leave()
            if session.in_transaction():
                await session.close()


def _refuse(*_: Any) -> None:
    raise Apart


def _end_with(task: asyncio.Task[Any], done: asyncio.Future[Any]) -> None:
    """Whoever waits no longer has the work stopped."""
    done.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)


def _pass_on(task: asyncio.Task[Any], done: asyncio.Future[Any]) -> None:
    if done.done():
        return
    if task.cancelled():
        done.cancel()
    elif (error := task.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())

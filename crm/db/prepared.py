"""Statements compiled once and run by the driver alone, for what every update or every few hundred rows repeat.

Going through a session's `execute` costs four to five times what the statement costs the driver: a greenlet, a cache
key of the whole tree, a result object. On the path of an inbound update that was two thirds of all processor time.
Both ways share the session's connection and transaction, and raise the same errors.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, event, make_url
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from crm.db.lean import begin, lean_of
from crm.db.plural import Rows, encoded
from crm.db.seats import Call, Seat, Take, at_most_one, exactly
from crm.db.told import DRIVER_ERRORS, as_usual

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()
_DRIVER = "siyu_driver"


def seat_at(session: AsyncSession, seat: Seat) -> None:
    """Let the session ask through `seat` from now on, in a transaction that is not its own."""
    session.info[_DRIVER] = seat


async def driver_of(session: AsyncSession) -> Any:
    """The asyncpg connection of a session, inside its transaction, with what the session had still to write.

    In a company (`crm.db.company`) it is the session's seat, which knows the few methods that are used here.
    """
    if session.in_transaction():
        if session.new or session.deleted or session.dirty:
            await session.flush()
        if session.in_nested_transaction():
            await session.connection()  # a session sets its savepoint only when it needs the connection itself
    driver = session.info.get(_DRIVER)
    if driver is None:
        lean = lean_of(session)
        if lean is not None:
            driver = await lean.open()
        else:
            connection = await session.connection()
            driver = await begin(await connection.get_raw_connection())
        session.info[_DRIVER] = driver
    return driver


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: object) -> None:
    if getattr(transaction, "parent", None) is None:
        session.info.pop(_DRIVER, None)


class Prepared:
    """A statement with named parameters, whose large tree is walked once instead of each time.

    Lists are compared with `any_` of one array, as `in_` writes one parameter per value. JSON is given as text
    and answered decoded. What a company sends in one exchange must be told apart again: `one_by` maps columns
    of the one row that is answered, if any, to the parameters that they hold, enough to know whose row it is; a
    statement that only reads and answers everybody alike `is_shared`. `time_in` names a column with `siyu_now()`.
    """

    def __init__(
        self,
        statement: ClauseElement,
        *,
        one_by: Mapping[str, str] | None = None,
        is_shared: bool = False,
        time_in: str | None = None,
    ) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self._text = str(compiled)
        assert "POSTCOMPILE" not in self._text, "use any_ of an array"
        self._names: Sequence[str] = compiled.positiontup or ()
        self._fixed = compiled.params
        self._one_by = one_by
        self._is_shared = is_shared
        self._time_in = time_in

    async def fetch(self, session: AsyncSession, **values: Any) -> list[Any]:
        """The rows, inside the session's transaction. Raises what a session's `execute` raises."""
        driver = await driver_of(session)
        given = {**self._fixed, **values}
        arguments = [given[name] for name in self._names]
        try:
            if isinstance(driver, Seat):
                return await driver.ask(Call(self._text, arguments, self._take(given), self._time_in, self._is_shared))
            found: list[Any] = await driver.fetch(self._text, *arguments)
        except DRIVER_ERRORS as error:
            raise as_usual(self._text, error) from error
        return found

    def _take(self, given: Mapping[str, Any]) -> Take | None:
        if self._one_by is None:
            return None
        return at_most_one(*((column, given[name]) for column, name in self._one_by.items()))

    async def each(self, session: AsyncSession, rows: Rows) -> list[Any]:
        """Of a statement whose only parameter is `rows`, and which answers a row for each of them, in order."""
        driver = await driver_of(session)
        try:
            if isinstance(driver, Seat):
                return await driver.ask(Call(self._text, [rows], exactly(len(rows)), joins=True))
            found: list[Any] = await driver.fetch(self._text, *encoded([rows]))
        except DRIVER_ERRORS as error:
            raise as_usual(self._text, error) from error
        return found

    async def first(self, session: AsyncSession, **values: Any) -> Any:
        """The first row or None; see `fetch`."""
        rows = await self.fetch(session, **values)
        return rows[0] if rows else None


async def command(session: AsyncSession, words: str) -> None:
    """Run fixed SQL without parameters or rows, such as SAVEPOINT; see `Prepared.fetch`."""
    driver = await driver_of(session)
    try:
        await driver.execute(words)
    except DRIVER_ERRORS as error:
        raise as_usual(words, error) from error

"""Several pieces of work at one table: what each asks of the database waits until all have asked, then runs together.

Equal statements go out in one exchange, as `crm.db.company` says. A seat stands where a driver's connection stands.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.db.plural import encoded, one_after_another

Take = Callable[[Sequence[Any], int], int]
"""Of the rows of all calls and the place where this call's begin: where they end."""


class Apart(Exception):
    """What was begun together has to be done by each alone: nothing of it was kept."""


@dataclass(frozen=True)
class Call:
    """One statement of one piece of work."""

    text: str
    arguments: Sequence[Any]
    take: Take | None
    """None: it runs by itself."""
    time_in: str | None = None
    """Column with the server's time, if the statement brings it along."""
    is_shared: bool = False
    """Whether equal arguments have one answer for everybody."""
    joins: bool = False
    """Whether the arguments are lists for one statement over the rows of all.

    With `take` its rows are divided, else its one row and the caller's place are answered.
    """


def exactly(number: int) -> Take:
    """Each call answers so many rows."""
    return lambda _, start: start + number


def at_most_one(*columns: tuple[str, Any]) -> Take:
    """Each call answers one row, whose columns then have these values, or none."""

    def take(rows: Sequence[Any], start: int) -> int:
        is_own = start < len(rows) and all(rows[start][column] == value for column, value in columns)
        return start + is_own

    return take


class Table:
    """Where all who are present ask, and are answered at the same time."""

    def __init__(self, driver: Any, present: int) -> None:
        self._driver = driver
        self._present = present
        self._asked: list[tuple[Call, asyncio.Future[list[Any]]]] = []
        self._is_turn = asyncio.Event()
        self._is_broken = False
        self.time: datetime | None = None
        """The latest that a round brought along which was the first to do so: after the locks of all who asked."""

    async def ask(self, call: Call) -> list[Any]:
        """The rows of `call`. Raises what the driver raises, Apart when the error was somebody else's."""
        if self._is_broken:
            raise Apart
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append((call, future))
        self._look()
        return await future

    def leave(self) -> None:
        """One who was present asks no more."""
        self._present -= 1
        self._look()

    def give_up(self) -> None:
        """Answer nobody any more."""
        self._is_broken = True
        for _, future in self._asked:
            if not future.done():
                future.set_exception(Apart())
        self._asked.clear()

    async def serve(self) -> None:
        """Answer in rounds until all have left. Raises what the driver raises."""
        while True:
            await self._is_turn.wait()
            self._is_turn.clear()
            if not self._asked:
                return
            asked, self._asked = self._asked, []
            try:
                await self._round(asked)
            except BaseException:
                self._asked = asked
                raise

    def _look(self) -> None:
        if len(self._asked) >= self._present:
            self._is_turn.set()

    async def _round(self, asked: Sequence[tuple[Call, asyncio.Future[list[Any]]]]) -> None:
        groups: dict[str, list[tuple[Call, asyncio.Future[list[Any]]]]] = {}
        for item in asked:
            groups.setdefault(item[0].text, []).append(item)
        answers: list[tuple[asyncio.Future[list[Any]], list[Any]]] = []
        for group in groups.values():
            found = await self._answer([call for call, _ in group])
            self._look_at_the_clock(group[0][0].time_in, found)
            answers += zip((future for _, future in group), found, strict=True)
        for future, rows in answers:
            if not future.done():
                future.set_result(rows)

    def _look_at_the_clock(self, column: str | None, found: Sequence[Sequence[Any]]) -> None:
        if column is not None and self.time is None:
            self.time = max((row[column] for rows in found for row in rows), default=None)

    async def _answer(self, calls: Sequence[Call]) -> list[list[Any]]:
        first = calls[0]
        rows: list[Any]
        if first.joins:
            arguments = encoded(one_after_another([call.arguments for call in calls]))
            rows = await self._driver.fetch(first.text, *arguments)
            return _divided(calls, rows) if first.take else [[rows[0], place] for place in range(len(calls))]
        if len(calls) == 1 or (first.is_shared and all(call.arguments == first.arguments for call in calls)):
            rows = await self._driver.fetch(first.text, *first.arguments)
            return [rows] * len(calls)
        if any(call.take is None for call in calls):
            return [await self._driver.fetch(call.text, *call.arguments) for call in calls]
        return _divided(calls, await self._driver.fetchmany(first.text, [call.arguments for call in calls]))


def _divided(calls: Sequence[Call], rows: Sequence[Any]) -> list[list[Any]]:
    found: list[list[Any]] = []
    start = 0
    for call in calls:
        assert call.take is not None
        end = call.take(rows, start)
        found.append(list(rows[start:end]))
        start = end
    if start != len(rows):
        raise Apart
    return found


class Seat:
    """One's place at the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def ask(self, call: Call) -> list[Any]:
        """See `Table.ask`."""
        return await self._table.ask(call)

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        """As the driver's own, by itself."""
        return await self._table.ask(Call(text, arguments, None))

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        """Of a statement that answers exactly one row."""
        return (await self._table.ask(Call(text, arguments, exactly(1))))[0]

    async def execute(self, words: str) -> None:
        """Savepoints of several would undo one another's work. Raises Apart."""
        del words
        raise Apart

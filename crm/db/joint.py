"""Several writes in one statement: what a transaction writes last needs one exchange with the server, not one each.

A part is written once, as common table expressions, and runs alone or joined with others. Once `write_last_together`
was said, parts that are `last` wait for the final one. An exchange costs as much processor time as the work itself.
What several in a company (`crm.db.company`) write with the same plural parts is one statement over all their rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.plural import encoded
from crm.db.prepared import driver_of
from crm.db.seats import Call, Seat, exactly
from crm.db.told import DRIVER_ERRORS, as_usual

_WAITING = "siyu_joint"
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)\b")


@dataclass(frozen=True, eq=False)
class Part:
    """Named expressions with `:parameters`, and what is answered of them; names are unique among all parts.

    Each is made once and compared by identity: hashing its words took longer than sending them.
    """

    expressions: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str]] = field(default=())
    """Columns of the one row that is answered when the part is the only or the final one."""
    is_plural: bool = False
    """Whether all parameters are lists or `Rows`, so that those of several callers may follow one another."""
    answers_each: bool = False
    """Whether the answers are arrays with one item for each caller; the caller gets the item."""


Given = tuple[Part, Mapping[str, Any]]


def write_last_together(session: AsyncSession) -> None:
    """From now on `last` only notes what is to be written; the caller ends with `run`."""
    session.info[_WAITING] = []


async def last(session: AsyncSession, part: Part, values: Mapping[str, Any]) -> Any:
    """Write what nothing in this transaction reads any more; None when it waits, else the row of answers."""
    waiting: list[Given] | None = session.info.get(_WAITING)
    if waiting is None:
        return await now(session, part, values)
    waiting.append((part, values))
    return None


async def now(session: AsyncSession, part: Part, values: Mapping[str, Any]) -> Any:
    """Write it at once and alone; the row of its answers."""
    return await _run(session, [(part, values)])


async def run(session: AsyncSession, part: Part, values: Mapping[str, Any]) -> Any:
    """Write it after all that waits, in one statement with it; the row of its own answers."""
    joined: list[Given] = []
    for given in [*session.info.pop(_WAITING, []), (part, values)]:
        if any(given[0] is other for other, _ in joined):
            await _run(session, joined)
            joined = []
        joined.append(given)
    return await _run(session, joined)


def noted(session: AsyncSession) -> int:
    """How many writes wait."""
    return len(session.info.get(_WAITING) or ())


def forget(session: AsyncSession, since: int) -> None:
    """Do not write what was noted after `since` waited: what it belongs to is undone."""
    del (session.info.get(_WAITING) or [])[since:]


async def _run(session: AsyncSession, joined: Sequence[Given]) -> Any:
    parts = tuple(part for part, _ in joined)
    words, names = _statement(parts)
    values = [joined[place][1][name] for place, name in names]
    driver = await driver_of(session)
    place = 0
    try:
        if isinstance(driver, Seat) and _is_plural(parts):
            row, place = await driver.ask(Call(words, values, None, joins=True))
        elif isinstance(driver, Seat):
            row = (await driver.ask(Call(words, encoded(values), exactly(1))))[0]
        else:
            row = await driver.fetchrow(words, *encoded(values))
    except DRIVER_ERRORS as error:
        raise as_usual(words, error) from error
    return {name: row[name][place] for name, _ in parts[-1].answers} if parts[-1].answers_each else row


@cache
def _is_plural(parts: tuple[Part, ...]) -> bool:
    """Whether those of several callers can be joined, and the answers told apart."""
    return all(part.is_plural for part in parts) and (parts[-1].answers_each or not parts[-1].answers)


@cache
def _statement(parts: tuple[Part, ...]) -> tuple[str, Sequence[tuple[int, str]]]:
    """The joined words, and of each `$` parameter the part and the name that it has there."""
    names: dict[tuple[int, str], int] = {}

    def numbered(place: int, words: str) -> str:
        return _PARAMETER.sub(lambda found: f"${names.setdefault((place, found[1]), len(names) + 1)}", words)

    made = [
        f"{name} AS ({numbered(place, words)})" for place, part in enumerate(parts) for name, words in part.expressions
    ]
    told = [f"{numbered(len(parts) - 1, words)} AS {name}" for name, words in parts[-1].answers]
    return f"WITH {', '.join(made)} SELECT {', '.join(told) or '1'}", list(names)

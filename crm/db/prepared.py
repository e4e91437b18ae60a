"""Statements compiled once and run by the driver alone, for reads that are repeated for every few hundred rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ClauseElement, make_url
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()


async def driver_of(session: AsyncSession) -> Any:
    """The asyncpg connection of a session. Its transaction must have begun: some statement was executed already."""
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection


class Prepared:
    """A statement with named parameters, whose large tree is walked once instead of each time.

    Lists are compared with `any_` of one array, as `in_` writes one parameter per value.
    """

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self._text = str(compiled)
        assert "POSTCOMPILE" not in self._text, "use any_ of an array"
        self._names: Sequence[str] = compiled.positiontup or ()
        self._fixed = compiled.params

    async def fetch(self, session: AsyncSession, **values: Any) -> list[Any]:
        """The rows, inside the session's transaction; see `driver_of`. Raises what the driver raises."""
        driver = await driver_of(session)
        given = {**self._fixed, **values}
        return list(await driver.fetch(self._text, *[given[name] for name in self._names]))

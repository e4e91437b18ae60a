"""Which columns are sealed, and the blind indexes beside them: each capability declares its own in `sealed.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any

from sqlalchemy import Column, Table

from crm.db.base import Base
from crm.kit.discovery import instances, modules_named


def whole(value: str) -> str:
    """The value itself, for an index over all of it."""
    return value


@dataclass(frozen=True)
class BlindIndex:
    """A column by which the sealed value is found."""

    column: str
    purpose: str
    part: Callable[[str], str] = whole
    """What of the value is indexed."""


@dataclass(frozen=True)
class Sealed:
    """One sealed column of a table."""

    row: type[Base]
    column: str
    place: str
    """What its values are bound to, with the row's columns in braces: `members.phone:{id}`; bytes stand in hex."""
    indexes: tuple[BlindIndex, ...] = ()

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.table.name}.{self.column}"

    @property
    def table(self) -> Table:
        """The table."""
        found = self.row.__table__
        assert isinstance(found, Table)
        return found

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The columns that tell rows apart."""
        return tuple(self.table.primary_key.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that the place is made of."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.place) if name)


@cache
def registry() -> tuple[Sealed, ...]:
    """What all capabilities declared, by capability."""
    return tuple(item for module in modules_named("crm", "sealed") for item in instances(module, Sealed))

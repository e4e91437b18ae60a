"""Moving a member's rows to another member, and back: what joining two profiles does with most tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

Keys = list[list[Any]]
"""Primary keys of moved rows, as JSON values."""
Counts = list[list[int]]
"""Pairs of what is counted and how often."""


async def move(session: AsyncSession, table: Table, drop_id: int, keep_id: int) -> Keys:
    """Give all rows of one member to the other; answers which, for `move_back`."""
    moving = update(table).where(table.c.member_id == drop_id).values(member_id=keep_id)
    rows = await session.execute(moving.returning(*table.primary_key.columns))
    return [[_plain(value) for value in row] for row in rows]


async def move_back(session: AsyncSession, table: Table, keys: Keys, keep_id: int, drop_id: int) -> None:
    """Give the same rows back, as far as they are still there."""
    columns = list(table.primary_key.columns)
    kinds = [column.type.python_type for column in columns]
    wanted = [tuple(_value(kind, value) for kind, value in zip(kinds, key, strict=True)) for key in keys]
    if wanted:
        own = (tuple_(*columns).in_(wanted), table.c.member_id == keep_id)
        await session.execute(update(table).where(*own).values(member_id=drop_id))


async def take_counts(session: AsyncSession, table: Table, member_id: int) -> Counts:
    """Remove the member's counters, keyed by member and one other column; answers what they held."""
    counted, number = _columns(table)
    own = table.c.member_id == member_id
    rows = (await session.execute(select(table.c[counted], table.c[number]).where(own))).all()
    await session.execute(delete(table).where(own))
    return [list(row) for row in rows]


async def add_counts(session: AsyncSession, table: Table, member_id: int, counts: Counts, sign: int = 1) -> None:
    """Add `counts` to the member's counters, or take them off with `sign` -1."""
    counted, number = _columns(table)
    for what, many in counts:
        adding = upsert(table).values({counted: what, "member_id": member_id, number: sign * many})
        both = {number: table.c[number] + sign * many}
        await session.execute(adding.on_conflict_do_update(index_elements=[counted, "member_id"], set_=both))


def _columns(table: Table) -> tuple[str, str]:
    """Names of what is counted and of the number."""
    counted = next(column.name for column in table.primary_key.columns if column.name != "member_id")
    number = next(column.name for column in table.columns if not column.primary_key)
    return counted, number


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value


def _value(kind: type, value: Any) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value)
    return UUID(value) if kind is UUID else value

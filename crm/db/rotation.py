"""Sealing anew, under the newest secret, what older ones sealed; with the indexes beside it.

A value names the key that it was sealed with, so what is done is skipped: an interrupted rotation is begun again.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, RowMapping, bindparam, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.sealed import Sealed
from crm.db.session import Sessions, vault
from crm.kit.crypto import KEY_ID_BYTES, SealBrokenError, Vault

BATCH = 500


@dataclass(frozen=True)
class Rotated:
    """How it went with one column."""

    name: str
    resealed: int
    broken: tuple[str, ...]
    """Places whose values open with none of the keys in use; they were left as they are."""


async def rotate(sessions: Sessions, item: Sealed, *, batch: int = BATCH) -> Rotated:
    """Seal every value of the column that another key sealed, `batch` rows to a transaction."""
    after: tuple[Any, ...] | None = None
    resealed, broken = 0, list[str]()
    while True:
        async with sessions.begin() as session:
            rows = await _take(session, item, after, batch)
            done, wrong = _resealed(vault(session), item, rows)
            if done:
                await session.execute(_change(item), done)
        resealed, broken = resealed + len(done), broken + wrong
        if len(rows) < batch:
            return Rotated(item.name, resealed, tuple(broken))
        after = tuple(rows[-1][column.name] for column in item.key)


async def count_left(session: AsyncSession, item: Sealed) -> int:
    """How many values of the column are sealed with another key than the newest."""
    query = select(func.count()).select_from(item.table).where(_is_older(session, item))
    return (await session.execute(query)).scalar_one()


def _is_older(session: AsyncSession, item: Sealed) -> ColumnElement[bool]:
    key_id = func.substring(item.table.c[item.column], 1, KEY_ID_BYTES, type_=LargeBinary)
    return key_id != vault(session).key_id


async def _take(session: AsyncSession, item: Sealed, after: tuple[Any, ...] | None, limit: int) -> list[RowMapping]:
    wanted = {column.name for column in item.key} | {item.column, *item.needed}
    query = select(*(item.table.c[name] for name in sorted(wanted))).where(_is_older(session, item))
    if after is not None:
        last = (literal(value, column.type) for value, column in zip(after, item.key, strict=True))
        query = query.where(tuple_(*item.key) > tuple_(*last))
    return list((await session.execute(query.order_by(*item.key).limit(limit).with_for_update())).mappings())


def _resealed(safe: Vault, item: Sealed, rows: list[RowMapping]) -> tuple[list[dict[str, Any]], list[str]]:
    """(parameters of the change, broken places) of some rows."""
    done: list[dict[str, Any]] = []
    broken: list[str] = []
    for row in rows:
        facts = {name: row[name].hex() if isinstance(row[name], bytes) else row[name] for name in item.needed}
        place = item.place.format_map(facts)
        try:
            plain = safe.open_bytes(row[item.column], place)
        except SealBrokenError:
            broken.append(place)
            continue
        indexes = {one.column: safe.blind_index(one.part(plain.decode()), one.purpose) for one in item.indexes}
        own = {f"own_{column.name}": row[column.name] for column in item.key}
        done.append({**own, **indexes, item.column: safe.seal(plain, place)})
    return done, broken


def _change(item: Sealed) -> Any:
    own = [column == bindparam(f"own_{column.name}") for column in item.key]
    names = [item.column, *(one.column for one in item.indexes)]
    return update(item.table).where(*own).values({name: bindparam(name) for name in names})

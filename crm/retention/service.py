"""Use cases of retention: what is kept for how long, changing that, and forgetting what is older."""

from datetime import timedelta
from functools import cache

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.discovery import instances, modules_named
from crm.retention.errors import InvalidRetentionError, RetentionNotFoundError
from crm.retention.models import RetentionRow
from crm.retention.types import Purged, Retained, Rule

MOST_DAYS = 3660
ROWS_AT_ONCE = 5000
_DROP = text("SELECT siyu_drop_partitions(:parent, CAST(:before AS date))")
_REMOVE = text("SELECT siyu_remove_rows(:name, :field, CAST(:before AS timestamptz), :rows)")


@cache
def registry() -> dict[str, Retained]:
    """What all capabilities declared, by key."""
    found = (item for module in modules_named("crm", "retention") for item in instances(module, Retained))
    return {item.key: item for item in found}


async def rules(session: AsyncSession) -> list[Rule]:
    """How long each class is kept."""
    changed = {row.key: row for row in await session.scalars(select(RetentionRow))}
    return [_rule(item, changed.get(item.key)) for item in registry().values()]


async def rule(session: AsyncSession, key: str) -> Rule:
    """How long one class is kept. Raises RetentionNotFoundError."""
    return _rule(_declared(key), await session.get(RetentionRow, key, populate_existing=True))


async def change(session: AsyncSession, key: str, days: int) -> Rule:
    """Keep a class for so many days from now on. Raises RetentionNotFoundError, InvalidRetentionError."""
    item = _declared(key)
    if not item.least_days <= days <= MOST_DAYS:
        raise InvalidRetentionError(f"Keep this for {item.least_days} to {MOST_DAYS} days.")
    values = {"days": days, "changed_at": await clock.now(session)}
    statement = insert(RetentionRow).values(key=key, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    return await rule(session, key)


async def purge(session: AsyncSession, key: str, *, rows: int = ROWS_AT_ONCE) -> Purged:
    """Forget what is older than the class is kept: whole months, and at most `rows` rows of each small table.

    A month that is in use for longer than two seconds is left to the next time.
    """
    item = _declared(key)
    before = await clock.now(session) - timedelta(days=(await rule(session, key)).days)
    await session.execute(text("SET LOCAL lock_timeout = '2s'"))
    dropped = removed = 0
    for parent in item.partitioned:
        dropped += (await session.execute(_DROP, {"parent": parent, "before": before.date()})).scalar_one()
        field = await _partition_field(session, parent)
        removed += await _remove(session, f"{parent}_default", field, before, rows)
    for name, field in item.rows:
        removed += await _remove(session, name, field, before, rows)
    return Purged(key, dropped, removed)


async def _partition_field(session: AsyncSession, parent: str) -> str:
    found = await session.execute(
        text(
            "SELECT a.attname FROM pg_partitioned_table p"
            " JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
            " WHERE p.partrelid = to_regclass(:parent)"
        ),
        {"parent": parent},
    )
    return str(found.scalar_one())


async def _remove(session: AsyncSession, name: str, field: str, before: object, rows: int) -> int:
    values = {"name": name, "field": field, "before": before, "rows": rows}
    return int((await session.execute(_REMOVE, values)).scalar_one())


def _declared(key: str) -> Retained:
    found = registry().get(key)
    if found is None:
        raise RetentionNotFoundError
    return found


def _rule(item: Retained, row: RetentionRow | None) -> Rule:
    return Rule(
        key=item.key,
        label=item.label,
        days=item.days if row is None else max(row.days, item.least_days),
        default_days=item.days,
        least_days=item.least_days,
        changed_at=None if row is None else row.changed_at,
    )

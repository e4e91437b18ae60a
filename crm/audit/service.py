"""Writing to the audit log, reading it, and checking that nobody changed it."""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit.models import AuditRow
from crm.audit.policy import plain
from crm.audit.types import AuditEntry, AuditReport, RecordedEntry
from crm.db import clock

_START = b"\x00" * 32
_LOCK = 0x5159_0001
_BATCH = 1000


async def record(session: AsyncSession, entry: AuditEntry) -> int:
    """Append `entry` in the caller's transaction; answers its id. Entries are chained one after another."""
    at = await clock.now(session)
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = await session.execute(select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1))
    values = {
        "at": at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "content": plain(_content(entry)),
        "hash": _hash(last.scalar_one_or_none() or _START, at, entry),
    }
    made = await session.execute(insert(AuditRow).values(values).returning(AuditRow.id))
    return made.scalar_one()


async def latest(session: AsyncSession, *, before_id: int | None = None, limit: int = 50) -> list[RecordedEntry]:
    """Entries, newest first."""
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditRow.id < before_id)
    return [RecordedEntry(row.id, row.at, _entry(row)) for row in await session.scalars(query)]


async def verify(session: AsyncSession) -> AuditReport:
    """Recompute the chain from the first entry on."""
    previous, after, count = _START, 0, 0
    while True:
        query = select(AuditRow).where(AuditRow.id > after).order_by(AuditRow.id).limit(_BATCH)
        rows = (await session.scalars(query)).all()
        for row in rows:
            previous = _hash(previous, row.at, _entry(row))
            count += 1
            if previous != row.hash:
                return AuditReport(count, row.id)
            after = row.id
            session.expunge(row)
        if len(rows) < _BATCH:
            return AuditReport(count, None)


async def head(session: AsyncSession) -> str:
    """The newest entry's id and hash, in hex: it stands for the whole log."""
    query = select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
    found = (await session.execute(query)).one_or_none()
    return "empty" if found is None else f"{found.id}:{found.hash.hex()}"


async def count(session: AsyncSession) -> int:
    """How many entries there are."""
    return (await session.execute(select(func.count()).select_from(AuditRow))).scalar_one()


def _content(entry: AuditEntry) -> dict[str, object]:
    return {
        "before": entry.before,
        "after": entry.after,
        "ip": entry.ip,
        "request_id": entry.request_id,
    }


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(actor=row.actor, action=row.action, subject=row.subject, **row.content)


def _hash(previous: bytes, at: datetime, entry: AuditEntry) -> bytes:
    body = [at.astimezone(UTC).isoformat(), entry.actor, entry.action, entry.subject, plain(_content(entry))]
    return hashlib.sha256(previous + json.dumps(body, sort_keys=True).encode()).digest()

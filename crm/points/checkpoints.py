"""Signed checkpoints over the heads of all chains: who rewrites history must also forge these.

A checkpoint seals the heads that moved since the one before, and its digest covers the earlier digest.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.points.errors import CheckpointsBroken
from crm.points.models import CheckpointHeadRow, CheckpointRow
from crm.points.types import Checkpoint, LedgerProblem

PURPOSE = "siyu ledger checkpoint"
MOST_ACCOUNTS = 20_000
_BATCH = 2000
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('siyu ledger checkpoint'))")
_MOVED = text(
    "WITH moved AS (SELECT member_id FROM point_accounts WHERE last_sequence > sealed_sequence"
    " AND member_id NOT IN (SELECT id FROM members WHERE is_demo)"  # demo data is removable, seals are not
    " ORDER BY member_id LIMIT :most FOR UPDATE SKIP LOCKED)"
    " UPDATE point_accounts a SET sealed_sequence = last_sequence FROM moved WHERE a.member_id = moved.member_id"
    " RETURNING a.member_id, a.last_sequence, a.last_hash"
)
_HEADS = text(
    "SELECT h.checkpoint_id, h.member_id, h.sequence, h.hash, e.hash AS found FROM ledger_checkpoint_heads h"
    " LEFT JOIN ledger_entries e"
    " ON e.account = 'member' AND e.member_id = h.member_id AND e.sequence = h.sequence"
    " ORDER BY h.checkpoint_id, h.member_id"
)


def start_digest(number: int, at: datetime, previous: bytes) -> "hashlib._Hash":
    """The running digest of checkpoint `number`, before its heads."""
    return hashlib.sha256(b"%d|%s|" % (number, at.isoformat().encode()) + previous)


def add_head(digest: "hashlib._Hash", member_id: int, sequence: int, chain_hash: bytes) -> None:
    """Cover one head; heads go in by ascending member id."""
    digest.update(b"|%d|%d|" % (member_id, sequence) + chain_hash)


async def seal(session: AsyncSession, *, even_if_unmoved: bool) -> Checkpoint | None:
    """See `crm.points.service.checkpoint`. At most 20,000 accounts at once; busy ones wait for the next."""
    await session.execute(_LOCK)
    moved = sorted((await session.execute(_MOVED, {"most": MOST_ACCOUNTS})).all(), key=lambda row: row.member_id)
    if not moved and not even_if_unmoved:
        return None
    last = (await session.scalars(select(CheckpointRow).order_by(CheckpointRow.id.desc()).limit(1))).one_or_none()
    number, previous = (1, b"") if last is None else (last.id + 1, last.digest)
    at = await clock.now(session)
    digest = start_digest(number, at, previous)
    for row in moved:
        add_head(digest, row.member_id, row.last_sequence, row.last_hash)
    await _write_heads(session, number, at, moved)
    sealed = digest.digest()
    values = {"id": number, "at": at, "accounts": len(moved), "digest": sealed}
    await session.execute(insert(CheckpointRow).values(**values, signature=vault(session).sign(sealed, PURPOSE)))
    return Checkpoint(number, at, len(moved), sealed.hex())


async def _write_heads(session: AsyncSession, number: int, at: datetime, moved: list[Any]) -> None:
    heads = [
        {
            "checkpoint_id": number,
            "member_id": row.member_id,
            "at": at,
            "sequence": row.last_sequence,
            "hash": row.last_hash,
        }
        for row in moved
    ]
    for start in range(0, len(heads), _BATCH):
        await session.execute(insert(CheckpointHeadRow), heads[start : start + _BATCH])


async def check(session: AsyncSession) -> tuple[int, list[LedgerProblem]]:
    """Recompute every checkpoint; answers how many there are and the first problem, if any."""
    sealed = (await session.execute(select(*CheckpointRow.__table__.c).order_by(CheckpointRow.id))).all()
    digests: dict[int, hashlib._Hash] = {}
    previous = b""
    for expected, row in enumerate(sealed, start=1):
        if row.id != expected:
            return len(sealed), [LedgerProblem("checkpoints", f"checkpoint {expected}", "is missing")]
        digests[row.id] = start_digest(row.id, row.at, previous)
        previous = row.digest
    async for head in await session.stream(_HEADS):
        digest = digests.get(head.checkpoint_id)
        if digest is None:
            continue  # sealed after the list was read
        if head.found != head.hash:
            subject = f"member {head.member_id}, entry {head.sequence}"
            return len(sealed), [LedgerProblem("checkpoints", subject, f"differs from checkpoint {head.checkpoint_id}")]
        add_head(digest, head.member_id, head.sequence, head.hash)
    return len(sealed), list(_unsigned(session, sealed, digests))[:1]


async def sign_again(session: AsyncSession) -> bool:
    """See `crm.points.service.sign_checkpoints`."""
    query = select(CheckpointRow).order_by(CheckpointRow.id.desc()).limit(1)
    last = (await session.scalars(query)).one_or_none()
    if last is None or vault(session).is_newly_signed(last.digest, PURPOSE, last.signature):
        return False
    _, problems = await check(session)
    if problems:
        raise CheckpointsBroken(problem=problems[0].subject)
    return await seal(session, even_if_unmoved=True) is not None


def _unsigned(session: AsyncSession, sealed: Sequence[Any], digests: dict[int, Any]) -> Iterable[LedgerProblem]:
    """A digest covers all before it, so a checkpoint may rest on a later one's signature: its own key may be gone."""
    signed = [row.id for row in sealed if vault(session).is_signed(row.digest, PURPOSE, row.signature)]
    last_signed = max(signed, default=0)
    for row in sealed:
        if digests[row.id].digest() != row.digest:
            yield LedgerProblem("checkpoints", f"checkpoint {row.id}", "does not match the heads that it lists")
        elif row.id > last_signed:
            yield LedgerProblem("checkpoints", f"checkpoint {row.id}", "is not signed with a key in use")

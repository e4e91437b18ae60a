"""Statements of the ledger. Every movement of points goes through the database function `siyu_post_points`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, TextClause, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.points.models import AccountRow, EntryRow, LotRow, TransactionRow
from crm.points.types import Account, Entry, EntryKind, Expiring

POST: TextClause = text(
    "SELECT p.outcome, p.transaction_id, p.points, p.balance, p.debt, p.member_id"
    " FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (member_id bigint, kind text, key text, points bigint,"
    " contra text, reason text, occurred_at timestamptz, actor text, expires_at timestamptz, rule_id bigint,"
    " event_id uuid, reverses_id uuid, restores_id uuid, restores_at timestamptz, lot_id bigint, may_owe boolean),"
    " LATERAL siyu_post_points(l.member_id, l.kind, l.key, l.points, l.contra, l.reason, l.occurred_at, l.actor,"
    " l.expires_at, l.rule_id, l.event_id, l.reverses_id, l.restores_id, l.restores_at, l.lot_id, l.may_owe) AS p"
)
_POST = Prepared(POST)
_DUE = text(
    "WITH due AS (SELECT id, member_id, expires_at FROM point_lots WHERE remaining > 0 AND expires_at <= siyu_now()"
    " AND (CAST(:member_id AS bigint) IS NULL OR member_id = :member_id) ORDER BY expires_at, id LIMIT :most),"
    " held AS (SELECT member_id FROM point_accounts WHERE member_id IN (SELECT member_id FROM due)"
    " ORDER BY member_id FOR UPDATE SKIP LOCKED)"
    " SELECT due.id, due.member_id, due.expires_at FROM due JOIN held USING (member_id) ORDER BY due.expires_at, due.id"
)


_TIMED = 7
"""Version of the ids that start with a time."""
_LAST_YEAR = 253_370_764_800_000
"""1 January 9999 in milliseconds; nothing can have happened later."""
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One transaction to post: signed `points` of the member against the account `contra`."""

    member_id: int
    kind: EntryKind
    key: str
    points: int
    contra: Account
    reason: str
    occurred_at: datetime
    actor: str = "system"
    expires_at: datetime | None = None
    rule_id: int | None = None
    event_id: UUID | None = None
    reverses_id: UUID | None = None
    restores_id: UUID | None = None
    """Transaction whose used lots come back with their own expiry."""
    restores_at: datetime | None = None
    lot_id: int | None = None
    """Expiry: take what is left of this lot, however much that is."""
    may_owe: bool = False
    """Take what is there and book the rest as debt."""


class Posted(NamedTuple):
    """What became of a line: `outcome` is posted, replayed, reversed or insufficient."""

    outcome: str
    transaction_id: UUID
    points: int
    balance: int
    debt: int
    member_id: int


async def post(session: AsyncSession, lines: Sequence[Line]) -> Sequence[Posted]:
    """Post the lines in order, in one statement; a row per line.

    After insufficient nothing was written and `balance` is what could have been spent.
    """
    data = json.dumps([vars(line) for line in lines], default=str)
    return [Posted(*row) for row in await _POST.fetch(session, lines=data)]


async def due_lots(session: AsyncSession, *, most: int, member_id: int | None = None) -> Sequence[AnyRow]:
    """Lots that have run out (id, member_id, expires_at), their accounts locked; locked ones are left to others."""
    return (await session.execute(_DUE, {"most": most, "member_id": member_id})).all()


async def account(session: AsyncSession, member_id: int) -> tuple[int, int]:
    """(balance, debt) of the member, zeros when nothing was ever posted."""
    query = select(AccountRow.balance, AccountRow.debt).where(AccountRow.member_id == member_id)
    row = (await session.execute(query)).one_or_none()
    return (0, 0) if row is None else (row.balance, row.debt)


async def expiring(session: AsyncSession, member_id: int, *, after: datetime, until: datetime) -> list[Expiring]:
    """What runs out between the two times, soonest first."""
    query = (
        select(func.sum(LotRow.remaining).label("points"), LotRow.expires_at)
        .where(LotRow.member_id == member_id, LotRow.remaining > 0)
        .where(LotRow.expires_at > after, LotRow.expires_at <= until)
        .group_by(LotRow.expires_at)
        .order_by(LotRow.expires_at)
    )
    return [Expiring(int(row.points), row.expires_at) for row in await session.execute(query)]


def _entries() -> Select[*tuple[Any, ...]]:
    same = and_(TransactionRow.id == EntryRow.transaction_id, TransactionRow.occurred_at == EntryRow.occurred_at)
    columns = (TransactionRow.kind, TransactionRow.reason, EntryRow.occurred_at, EntryRow.amount)
    return (
        select(*columns, EntryRow.balance_after, EntryRow.sequence, EntryRow.transaction_id)
        .join(TransactionRow, same)
        .where(EntryRow.account == Account.MEMBER)
    )


async def entries(session: AsyncSession, member_id: int, *, before: int | None, limit: int) -> list[Entry]:
    """The member's entries, newest first, from below sequence `before`."""
    query = _entries().where(EntryRow.member_id == member_id)
    if before is not None:
        query = query.where(EntryRow.sequence < before)
    rows = await session.execute(query.order_by(EntryRow.sequence.desc()).limit(limit))
    return [
        Entry(
            row.occurred_at,
            EntryKind(row.kind),
            row.amount,
            row.reason,
            row.balance_after,
            row.sequence,
            row.transaction_id,
        )
        for row in rows
    ]


async def transaction(session: AsyncSession, transaction_id: UUID) -> AnyRow | None:
    """One transaction with the member and the whole amount that it moved (of balance and debt together).

    The time in the id tells the partition; None when there is no such transaction.
    """
    milliseconds = transaction_id.int >> 80
    if transaction_id.version != _TIMED or milliseconds >= _LAST_YEAR:
        return None
    at = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    near = (at - timedelta(milliseconds=1), at + timedelta(milliseconds=2))
    query = (
        select(
            TransactionRow.id,
            TransactionRow.occurred_at,
            TransactionRow.kind,
            func.max(EntryRow.member_id).label("member_id"),
            func.sum(EntryRow.amount).label("amount"),
        )
        .join(
            EntryRow,
            and_(EntryRow.transaction_id == TransactionRow.id, EntryRow.occurred_at == TransactionRow.occurred_at),
        )
        .where(TransactionRow.id == transaction_id, TransactionRow.occurred_at.between(*near))
        .where(EntryRow.account.in_((Account.MEMBER, Account.DEBT)))
        .group_by(TransactionRow.id, TransactionRow.occurred_at, TransactionRow.kind)
    )
    return (await session.execute(query)).one_or_none()

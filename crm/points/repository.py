"""Statements of the ledger. Every movement of points goes through the database function `siyu_post_points`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, TextClause, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.plural import Rows
from crm.db.prepared import Prepared
from crm.points.models import AccountRow, EntryRow, LedgerKeyRow, LotRow, TransactionRow
from crm.points.types import Account, Entry, EntryKind, Expiring

POST: TextClause = text(
    "SELECT outcome, transaction_id, points, balance, debt, member_id FROM siyu_post_lines("
    "ARRAY(SELECT line FROM jsonb_populate_recordset(CAST(NULL AS siyu_posting), CAST(:rows AS jsonb)) AS line))"
)
_POST = Prepared(POST)
_SHIFT = Prepared(
    text(
        "SELECT outcome, transaction_id, points, balance, debt, member_id FROM siyu_shift_points(:member_id, :kind,"
        " :key, :points, :side, :contra, :reason, :at, :actor, :rule_id, :event_id, :reverses_id)"
    )
)
_LOCK = text("SELECT member_id FROM siyu_lock_account(:member_id)")


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
    may_owe: bool = False
    """Take what is there and book the rest as debt."""
    write_off: bool = False
    """With `may_owe`: the programme bears the rest, as an adjustment, instead of a debt."""


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
    rows = Rows(vars(line) for line in lines)
    return [Posted(*row) for row in await _POST.each(session, rows)]


async def shift(session: AsyncSession, side: Account, line: Line) -> Posted:
    """Post signed points of the member's pending or held account `side`; what can be spent stays as it is."""
    row = await _SHIFT.first(
        session,
        member_id=line.member_id,
        kind=line.kind,
        key=line.key,
        points=line.points,
        side=side,
        contra=line.contra,
        reason=line.reason,
        at=line.occurred_at,
        actor=line.actor,
        rule_id=line.rule_id,
        event_id=line.event_id,
        reverses_id=line.reverses_id,
    )
    return Posted(*row)


async def lock(session: AsyncSession, member_id: int) -> int:
    """Lock the member's account; answers whose it is, after merges."""
    return int((await session.execute(_LOCK, {"member_id": member_id})).scalar_one())


async def posted_before(session: AsyncSession, key: str) -> tuple[UUID, datetime, int] | None:
    """(transaction, its time, points) of the posting with this key, if there is one."""
    query = select(LedgerKeyRow.transaction_id, LedgerKeyRow.occurred_at, LedgerKeyRow.amount)
    row = (await session.execute(query.where(LedgerKeyRow.key == key))).one_or_none()
    return None if row is None else (row.transaction_id, row.occurred_at, row.amount)


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
    told = (TransactionRow.kind, TransactionRow.reason, TransactionRow.rule_id, TransactionRow.rule_version)
    columns = (EntryRow.occurred_at, EntryRow.amount, EntryRow.balance_after, EntryRow.sequence)
    return (
        select(*told, *columns, EntryRow.transaction_id)
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
            row.rule_id,
            row.rule_version,
        )
        for row in rows
    ]


async def transaction(session: AsyncSession, transaction_id: UUID) -> AnyRow | None:
    """One transaction with the member and the whole amount that it moved (of balance, debt and held together).

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
            TransactionRow.key,
            func.max(EntryRow.member_id).label("member_id"),
            func.sum(EntryRow.amount).label("amount"),
        )
        .join(
            EntryRow,
            and_(EntryRow.transaction_id == TransactionRow.id, EntryRow.occurred_at == TransactionRow.occurred_at),
        )
        .where(TransactionRow.id == transaction_id, TransactionRow.occurred_at.between(*near))
        .where(EntryRow.account.in_((Account.MEMBER, Account.DEBT, Account.HELD, Account.PENDING)))
        .group_by(TransactionRow.id, TransactionRow.occurred_at, TransactionRow.kind, TransactionRow.key)
    )
    return (await session.execute(query)).one_or_none()

"""Re-deriving the ledger: every check names its first bad row.

Each check is one statement, so that live traffic cannot make a sound ledger look broken.
"""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Uuid, cast, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.views import events as logged
from crm.points import checkpoints
from crm.points.chain import GENESIS, Link, link_hash
from crm.points.lot_checks import LOT_CHECKS
from crm.points.models import CheckpointRow, TransactionRow
from crm.points.types import LedgerProblem, LedgerReport

CHECKS: dict[str, str] = {
    "transactions sum to zero": """
        SELECT 'transaction ' || transaction_id AS subject,
               'its ' || count(*) || ' entries sum to ' || sum(amount) AS detail
        FROM ledger_entries GROUP BY transaction_id, occurred_at HAVING sum(amount) <> 0 OR count(*) < 2
    """,
    "transactions and entries belong together": """
        SELECT 'transaction ' || coalesce(t.id, e.transaction_id) AS subject,
               CASE WHEN t.id IS NULL THEN 'has entries only' ELSE 'has no entries' END AS detail
        FROM ledger_transactions t
        FULL JOIN (SELECT DISTINCT transaction_id, occurred_at FROM ledger_entries) e
            ON e.transaction_id = t.id AND e.occurred_at = t.occurred_at
        WHERE t.id IS NULL OR e.transaction_id IS NULL
    """,
    "keys and transactions belong together": """
        SELECT 'key ' || coalesce(k.key, t.key) AS subject,
               CASE WHEN t.id IS NULL THEN 'names no transaction' WHEN k.key IS NULL THEN 'is missing'
                    ELSE 'differs from its transaction' END AS detail
        FROM ledger_keys k FULL JOIN ledger_transactions t
            ON t.id = k.transaction_id AND t.occurred_at = k.occurred_at
        WHERE t.id IS NULL OR k.key IS NULL OR k.key <> t.key
           OR (k.reverses_id IS DISTINCT FROM t.reverses_id AND t.kind NOT IN ('claw_back', 'cancel'))
    """,
    "balances equal entries": """
        SELECT 'member ' || coalesce(a.member_id, e.member_id) AS subject,
               'balance ' || coalesce(a.balance, 0) || ', entries ' || coalesce(e.held, 0)
               || '; debt ' || coalesce(a.debt, 0) || ', entries ' || coalesce(e.owed, 0)
               || '; pending ' || coalesce(a.pending, 0) || ', entries ' || coalesce(e.pending, 0)
               || '; held ' || coalesce(a.held, 0) || ', entries ' || coalesce(e.aside, 0) AS detail
        FROM point_accounts a
        FULL JOIN (
            SELECT member_id, coalesce(sum(amount) FILTER (WHERE account = 'member'), 0) AS held,
                   coalesce(-sum(amount) FILTER (WHERE account = 'debt'), 0) AS owed,
                   coalesce(sum(amount) FILTER (WHERE account = 'pending'), 0) AS pending,
                   coalesce(sum(amount) FILTER (WHERE account = 'held'), 0) AS aside
            FROM ledger_entries WHERE account IN ('member', 'debt', 'pending', 'held') GROUP BY member_id
        ) e ON e.member_id = a.member_id
        WHERE coalesce(a.balance, 0) <> coalesce(e.held, 0) OR coalesce(a.debt, 0) <> coalesce(e.owed, 0)
           OR coalesce(a.pending, 0) <> coalesce(e.pending, 0) OR coalesce(a.held, 0) <> coalesce(e.aside, 0)
    """,
    "balances equal lots": """
        SELECT 'member ' || coalesce(a.member_id, l.member_id) AS subject,
               'balance ' || coalesce(a.balance, 0) || ', lots ' || coalesce(l.remaining, 0) AS detail
        FROM point_accounts a
        FULL JOIN (SELECT member_id, sum(remaining) AS remaining FROM point_lots GROUP BY member_id) l
            ON l.member_id = a.member_id
        WHERE coalesce(a.balance, 0) <> coalesce(l.remaining, 0)
    """,
    "what is pending and held equals accounts": """
        SELECT 'member ' || coalesce(a.member_id, r.member_id) AS subject,
               'pending ' || coalesce(a.pending, 0) || ', rows ' || coalesce(r.pending, 0)
               || '; held ' || coalesce(a.held, 0) || ', rows ' || coalesce(r.held, 0) AS detail
        FROM point_accounts a
        FULL JOIN (
            SELECT member_id, sum(pending) AS pending, sum(held) AS held FROM (
                SELECT member_id, points AS pending, 0 AS held FROM pending_points
                UNION ALL SELECT member_id, 0, points FROM point_holds
            ) both_kinds GROUP BY member_id
        ) r ON r.member_id = a.member_id
        WHERE coalesce(a.pending, 0) <> coalesce(r.pending, 0) OR coalesce(a.held, 0) <> coalesce(r.held, 0)
    """,
    "holds and pending points are resolved once": """
        SELECT 'key ' || a.key AS subject, 'was resolved in two ways' AS detail
        FROM ledger_keys a JOIN ledger_keys b ON b.key = 'void:' || substr(a.key, 7) WHERE a.key LIKE 'spend:%'
        UNION ALL
        SELECT 'key ' || a.key, 'was resolved in two ways'
        FROM ledger_keys a JOIN ledger_keys b ON b.key = 'cancel:' || substr(a.key, 10) WHERE a.key LIKE 'activate:%'
    """,
    "lots equal their uses": """
        SELECT 'lot ' || coalesce(l.id, u.lot_id) AS subject,
               'of ' || l.points || ' points ' || l.remaining || ' remain, ' || coalesce(u.used, 0) || ' were used'
               AS detail
        FROM point_lots l
        FULL JOIN (SELECT lot_id, sum(amount) AS used FROM lot_uses GROUP BY lot_id) u ON u.lot_id = l.id
        WHERE l.id IS NULL OR l.points - coalesce(u.used, 0) <> l.remaining
    """,
    "uses equal entries": """
        SELECT 'transaction ' || coalesce(e.transaction_id, u.transaction_id) AS subject,
               'took ' || coalesce(-e.amount, 0) || ' points, ' || coalesce(u.used, 0) || ' of them from lots' AS detail
        FROM (SELECT transaction_id, occurred_at, amount FROM ledger_entries
              WHERE account = 'member' AND amount < 0) e
        FULL JOIN (SELECT transaction_id, occurred_at, sum(amount) AS used FROM lot_uses
                   GROUP BY transaction_id, occurred_at) u
            ON u.transaction_id = e.transaction_id AND u.occurred_at = e.occurred_at
        WHERE coalesce(-e.amount, 0) <> coalesce(u.used, 0)
    """,
    "reversals are of one transaction each": """
        SELECT 'transaction ' || r.id AS subject, 'reverses what is not there or something of another size' AS detail
        FROM ledger_transactions r
        JOIN ledger_keys rk ON rk.transaction_id = r.id
        LEFT JOIN ledger_keys k ON k.transaction_id = r.reverses_id
        WHERE r.reverses_id IS NOT NULL AND r.kind NOT IN ('claw_back', 'cancel')
          AND (k.key IS NULL OR rk.amount <> -k.amount OR r.kind <> 'reverse')
    """,
    "no more is taken back than was earned": """
        SELECT 'transaction ' || c.reverses_id AS subject,
               'gave ' || coalesce(max(k.amount), 0) || ' points, ' || -sum(ck.amount) || ' were taken back' AS detail
        FROM ledger_transactions c
        JOIN ledger_keys ck ON ck.key = c.key
        LEFT JOIN ledger_keys k ON k.transaction_id = c.reverses_id
        WHERE c.kind IN ('claw_back', 'cancel', 'reverse') AND c.reverses_id IS NOT NULL AND ck.amount < 0
        GROUP BY c.reverses_id HAVING -sum(ck.amount) > coalesce(max(k.amount), 0)
    """,
    "profiles show the balance": """
        SELECT 'member ' || p.member_id AS subject,
               'profile ' || p.points_balance || ', account ' || coalesce(a.balance, 0) AS detail
        FROM profiles p LEFT JOIN point_accounts a ON a.member_id = p.member_id
        WHERE p.points_balance <> coalesce(a.balance, 0)
    """,
}
_COUNTS = text(
    "SELECT (SELECT count(*) FROM point_accounts) AS members,"
    " (SELECT count(*) FROM ledger_transactions) AS transactions,"
    " (SELECT count(*) FROM ledger_entries) AS entries"
)
# The link is spelled out here and in `chain`: a check by the function that wrote the hashes would trust that function.
_BROKEN = text("""
    WITH linked AS (
        SELECT e.member_id, e.sequence, e.amount, e.balance_after, e.hash, t.kind,
               lag(e.hash, 1, ''::bytea) OVER own AS previous,
               lag(e.sequence, 1, 0::bigint) OVER own AS sequence_before,
               lag(e.balance_after, 1, 0::bigint) OVER own AS balance_before,
               convert_to(concat_ws('|', e.member_id, e.sequence, e.amount, e.balance_after, t.id,
                   (extract(epoch FROM t.occurred_at) * 1000000)::bigint, t.kind, coalesce(t.rule_id::text, '-'),
                   coalesce(t.event_id::text, '-'), coalesce(t.reverses_id::text, '-'), length(t.key), t.key,
                   length(t.reason), t.reason, t.actor), 'UTF8') AS link
        FROM ledger_entries e
        LEFT JOIN ledger_transactions t ON t.id = e.transaction_id AND t.occurred_at = e.occurred_at
        WHERE e.account = 'member'
        WINDOW own AS (PARTITION BY e.member_id ORDER BY e.sequence)
    ), judged AS (
        SELECT member_id, sequence, hash,
               kind IS NULL OR sequence <> sequence_before + 1 OR balance_after <> balance_before + amount
               OR hash <> sha256(previous || link) AS is_wrong
        FROM linked
    ), ends AS (
        SELECT member_id, max(sequence) AS sequence, (array_agg(hash ORDER BY sequence DESC))[1] AS hash,
               bool_or(is_wrong) AS is_wrong
        FROM judged GROUP BY member_id
    )
    SELECT min(coalesce(a.member_id, e.member_id)) FROM ends e FULL JOIN point_accounts a ON a.member_id = e.member_id
    WHERE e.is_wrong OR coalesce(a.last_sequence, 0) <> coalesce(e.sequence, 0)
       OR coalesce(a.last_hash, '') <> coalesce(e.hash, '') OR a.sealed_sequence > a.last_sequence
""")
_CHAIN = text(
    "SELECT m.member_id, coalesce(a.last_sequence, 0) AS last_sequence, coalesce(a.last_hash, '') AS last_hash,"
    " coalesce(a.sealed_sequence, 0) AS sealed_sequence, e.sequence, e.amount, e.balance_after, e.hash,"
    " e.transaction_id, e.occurred_at, t.kind, t.key, t.reason, t.actor, t.rule_id, t.event_id, t.reverses_id"
    " FROM (SELECT CAST(:member_id AS bigint) AS member_id) m"
    " LEFT JOIN point_accounts a ON a.member_id = m.member_id"
    " LEFT JOIN ledger_entries e ON e.member_id = m.member_id AND e.account = 'member'"
    " LEFT JOIN ledger_transactions t ON t.id = e.transaction_id AND t.occurred_at = e.occurred_at"
    " ORDER BY e.sequence"
)
_SINCE = timedelta(hours=2)
"""How long before the last checkpoint events are asked for their transactions: what they name was not sealed yet."""
_TOLD = ("points_earned", "points_redeemed", "points_expired", "points_adjusted", "points_pending")


async def verify(session: AsyncSession) -> LedgerReport:
    """See `crm.points.service.verify`."""
    problems = []
    # Each looks at all rows: row by row it would take hours, which the planner may choose soon after very many came.
    await session.execute(text("SET LOCAL enable_nestloop = off"))
    for check, query in (CHECKS | LOT_CHECKS).items():
        row = (await session.execute(text(query + " ORDER BY 1 LIMIT 1"))).one_or_none()
        if row is not None:
            problems.append(LedgerProblem(check, row.subject, row.detail or ""))
    await session.execute(text("SET LOCAL enable_nestloop = DEFAULT"))
    problems += await _check_chains(session)
    problems += await _check_events(session)
    sealed, unsealed = await checkpoints.check(session)
    counts = (await session.execute(_COUNTS)).one()
    return LedgerReport(counts.members, counts.transactions, counts.entries, sealed, problems + unsealed)


class _Chain:
    """One member's chain while its entries stream by."""

    def __init__(self, first: Any) -> None:
        self.member_id: int = first.member_id
        self.expected = (first.last_sequence, first.last_hash)
        self.sealed: int = first.sealed_sequence
        self.sequence = 0
        self.balance = 0
        self.hash = GENESIS

    def add(self, row: Any) -> str | None:
        """Follow one entry; what is wrong with it, if anything."""
        if row.sequence != self.sequence + 1:
            return f"entry {self.sequence + 1} is missing"
        self.sequence, self.balance = row.sequence, self.balance + row.amount
        if row.balance_after != self.balance:
            return f"entry {row.sequence} says balance {row.balance_after}, it is {self.balance}"
        if row.kind is None:
            return f"entry {row.sequence} has no transaction"
        self.hash = link_hash(self.hash, Link(**{item.name: getattr(row, item.name) for item in fields(Link)}))
        return None if self.hash == row.hash else f"entry {row.sequence} was changed: its hash does not match"

    def end(self) -> str | None:
        """What is wrong with the head, if anything."""
        if self.sealed > self.sequence:
            return f"entry {self.sealed} was sealed by a checkpoint and is missing"
        if self.expected == (self.sequence, self.hash):
            return None
        return f"the account ends at entry {self.expected[0]}, its chain at {self.sequence}"


async def _check_chains(session: AsyncSession) -> list[LedgerProblem]:
    """All chains as one set; the first member whose chain is broken is followed to the first bad entry."""
    await session.execute(text("SET LOCAL work_mem = '128MB'"))
    member_id = (await session.execute(_BROKEN)).scalar_one()
    if member_id is None:
        return []
    chain: _Chain | None = None
    for row in (await session.execute(_CHAIN, {"member_id": member_id})).all():
        chain = chain or _Chain(row)
        wrong = chain.add(row) if row.sequence is not None else None
        if wrong:
            return [_broken(chain, wrong)]
    assert chain is not None
    return [_broken(chain, chain.end() or "the chain does not match the account")]


async def _check_events(session: AsyncSession) -> list[LedgerProblem]:
    """Newest transactions that somebody removed with all their traces in the ledger still stand in the event log."""
    at = (await session.execute(select(func.max(CheckpointRow.at)))).scalar_one()
    told: list[ColumnElement[bool]] = [logged.c.kind.in_(_TOLD)]
    if at is not None:
        told.append(logged.c.occurred_at > at - _SINCE)
    named = cast(logged.c.data["transaction_id"].astext, Uuid)
    gone = select(logged.c.member_id, named.label("named")).where(*told, ~exists().where(TransactionRow.id == named))
    row = (await session.execute(gone.order_by(logged.c.occurred_at).limit(1))).one_or_none()
    if row is None:
        return []
    detail = f"was told to member {row.member_id} and is missing"
    return [LedgerProblem("events name what is there", f"transaction {row.named}", detail)]


def _broken(chain: _Chain, detail: str) -> LedgerProblem:
    return LedgerProblem("chains", f"member {chain.member_id}", detail)


# By thousands of members first: one text of all heads could outgrow what PostgreSQL keeps in one value.
_DIGEST = text("""
SELECT encode(sha256(coalesce(string_agg(part, ''::bytea ORDER BY number), ''::bytea)), 'hex') FROM (
    SELECT member_id / 1000 AS number, sha256(convert_to(string_agg(
        member_id || ':' || balance || ':' || debt || ':' || last_sequence || ':' || encode(last_hash, 'hex'), ','
        ORDER BY member_id), 'UTF8')) AS part
    FROM point_accounts GROUP BY 1
) parts
""")


async def chain_digest(session: AsyncSession) -> str:
    """See `service.chain_digest`."""
    return str((await session.execute(_DIGEST)).scalar_one())

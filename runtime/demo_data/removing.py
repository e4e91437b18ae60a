"""`siyu demo-data remove`: the demo brand's bot, its members and everything that hangs on them.

Rows that are otherwise never removed (the ledger's, the log's) go too; their protection is lifted for this one
transaction, which only the owner of the tables can do. Checkpoints never cover demo members, so they stay valid.
"""

from collections.abc import Iterator

from rich.console import Console
from sqlalchemy import ColumnElement, Table, delete, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db.base import Base
from crm.db.session import Sessions
from runtime.demo_data.clearing import keys_of_vouchers, remove_shelf
from runtime.demo_data.filling import SOURCE
from runtime.demo_data.unwinding import LOGS, loyalty_of_members, remove_programmes
from runtime.opened import opened

_OUT = Console(highlight=False)
_PROTECTED = (
    "events",
    "consents",
    "ledger_transactions",
    "ledger_entries",
    "ledger_keys",
    "lot_uses",
    "delivery_results",
    "delivery_sent_groups",
    "voucher_log",
    "draws",
    "draw_plays",
)
_BY_TRANSACTION = {"ledger_transactions": "id", "ledger_keys": "transaction_id", "lot_uses": "transaction_id"}


async def run() -> int:
    """Remove the demo data; says how many members went."""
    async with opened("demo-data remove") as container:
        count = await remove(container.sessions)
    _OUT.print(f"{count} demo members were removed." if count else "There is no demo data.")
    return 0


async def remove(sessions: Sessions) -> int:
    """Everything in one transaction; answers how many members there were."""
    members, bots = _table("members"), _table("bots")
    async with sessions.begin() as session:
        count = await session.scalar(select(func.count()).select_from(members).where(members.c.is_demo)) or 0
        has_bot = await session.scalar(select(func.count()).select_from(bots).where(bots.c.is_demo))
        if not count and not has_bot:
            return 0
        await _protect(session, "DISABLE")
        for table, condition in (*keys_of_vouchers(), *loyalty_of_members(), *_doomed()):
            await session.execute(delete(table).where(condition))
        await remove_programmes(session)
        await remove_shelf(session)
        await _protect(session, "ENABLE")
        entry = AuditEntry(actor="cli", action="demo_data.remove", subject="demo", after={"members": count})
        await audit.record(session, entry)
    return count


def _doomed() -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Children first: what belongs to demo members, their identities, their bot, or their ledger transactions."""
    entries = _table("ledger_entries")
    transactions = select(entries.c.transaction_id).where(entries.c.member_id.in_(_ids("members")))
    for name, column in _BY_TRANSACTION.items():
        yield _table(name), _table(name).c[column].in_(transactions)
    counter = entries.alias()
    paired = select(counter.c.transaction_id).where(counter.c.member_id.in_(_ids("members")))
    yield entries, entries.c.transaction_id.in_(paired)
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in {"members", "bots", "identities", "ledger_entries", *_BY_TRANSACTION, *LOGS}:
            condition = _belongs(table)
            if condition is not None:
                yield table, condition
    for name in ("identities", "members", "bots"):
        yield _table(name), _table(name).c.id.in_(_ids(name))


def _belongs(table: Table) -> ColumnElement[bool] | None:
    conditions: list[ColumnElement[bool]] = [
        table.c[column].in_(_ids(owner))
        for column, owner in (("member_id", "members"), ("identity_id", "identities"), ("bot_id", "bots"))
        if column in table.c
    ]
    if table.name == "order_keys":
        conditions = [table.c.source == SOURCE]
    if table.name == "member_merges":
        conditions = [table.c.keep_id.in_(_ids("members"))]
    if "identity_ids" in table.c:
        mine = select(func.array_agg(_table("identities").c.id)).where(
            _table("identities").c.bot_id.in_(select(_table("bots").c.id).where(_table("bots").c.is_demo))
        )
        conditions.append(table.c.identity_ids.op("&&")(mine.scalar_subquery()))
    if "conversation_id" in table.c:
        conversations = _table("conversations")
        mine = select(conversations.c.id).where(conversations.c.identity_id.in_(_ids("identities")))
        conditions.append(table.c.conversation_id.in_(mine))
    return or_(false(), *conditions) if conditions else None


def _ids(name: str) -> "ColumnElement[int]":
    table = _table(name)
    if name == "identities":
        return select(table.c.id).where(table.c.bot_id.in_(_ids("bots"))).scalar_subquery()
    return select(table.c.id).where(table.c.is_demo).scalar_subquery()


async def _protect(session: AsyncSession, word: str) -> None:
    for name in _PROTECTED:
        await session.execute(text(f"ALTER TABLE {name} {word} TRIGGER USER"))


def _table(name: str) -> Table:
    return Base.metadata.tables[name]

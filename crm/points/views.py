"""What set-based SQL of other capabilities may read of points."""

from sqlalchemy import select

from crm.points.models import AccountRow, EntryRow, TransactionRow

balances = select(AccountRow.member_id, AccountRow.balance, AccountRow.debt).subquery("point_balances_view")
"""member_id, balance, debt; members without a posting have no row."""
movements = (
    select(
        EntryRow.member_id,
        EntryRow.amount,
        EntryRow.occurred_at,
        EntryRow.transaction_id,
        TransactionRow.kind,
        TransactionRow.reason,
        TransactionRow.rule_id,
    )
    .join(
        TransactionRow,
        (TransactionRow.id == EntryRow.transaction_id) & (TransactionRow.occurred_at == EntryRow.occurred_at),
    )
    .where(EntryRow.account == "member")
    .subquery("point_movements_view")
)
"""Every movement of member accounts: member_id, amount, occurred_at, transaction_id, kind, reason, rule_id."""

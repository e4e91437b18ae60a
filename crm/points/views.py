"""What set-based SQL of other capabilities may read of points."""

from sqlalchemy import select, union_all
from sqlalchemy.orm import aliased

from crm.points.models import AccountRow, EntryRow, TransactionRow

balances = select(AccountRow.member_id, AccountRow.balance, AccountRow.debt).subquery("point_balances_view")
"""member_id, balance, debt; members without a posting have no row."""
_EARNED, _TAKEN = ("earn", "activate"), ("reverse", "claw_back")
_UNDONE = aliased(TransactionRow)
_OF_ENTRY = (TransactionRow.id == EntryRow.transaction_id) & (TransactionRow.occurred_at == EntryRow.occurred_at)
earnings = union_all(
    select(EntryRow.member_id, EntryRow.amount, EntryRow.occurred_at)
    .join(TransactionRow, _OF_ENTRY)
    .where(EntryRow.account == "member", TransactionRow.kind.in_(_EARNED)),
    select(EntryRow.member_id, EntryRow.amount, _UNDONE.occurred_at)
    .join(TransactionRow, _OF_ENTRY)
    .join(_UNDONE, _UNDONE.id == TransactionRow.reverses_id)
    .where(EntryRow.account == "member", TransactionRow.kind.in_(_TAKEN), _UNDONE.kind.in_((*_EARNED, "pending"))),
).subquery("point_earnings_view")
"""What members earned, and as negative amounts at the same time what was taken back of it: member_id, amount,
occurred_at. Points that went into settling a debt are not among them: they were counted when they were first earned.
"""

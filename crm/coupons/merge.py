"""Joining two members' vouchers: they go over, and what each was issued is counted together."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.models import MemberCountRow, VoucherRow
from crm.db import moving

_VOUCHERS = VoucherRow.metadata.tables[VoucherRow.__tablename__]
_COUNTS = VoucherRow.metadata.tables[MemberCountRow.__tablename__]


class CouponsMerge:
    """Moves vouchers and counts."""

    name = "coupons"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of the vouchers that moved and the counts that were added."""
        moved = await moving.move(session, _VOUCHERS, drop_id, keep_id)
        counts = await moving.take_counts(session, _COUNTS, drop_id)
        await moving.add_counts(session, _COUNTS, keep_id, counts)
        return {"moved": moved, "counts": counts}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same vouchers and counts back."""
        await moving.move_back(session, _VOUCHERS, record["moved"], keep_id, drop_id)
        await moving.add_counts(session, _COUNTS, keep_id, record["counts"], -1)
        await moving.add_counts(session, _COUNTS, drop_id, record["counts"])


coupons_merge = CouponsMerge()

"""Condition: whether a member holds, used or let run out a voucher."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.types import VoucherStatus
from crm.coupons.views import vouchers
from crm.kit.rules import Parameters, Scope

Held = tuple[int, str, datetime | None]
"""Coupon, status and end of one voucher."""


class VoucherParameters(Parameters):
    """Vouchers of one coupon or of any, in one state."""

    status: VoucherStatus = Field(default=VoucherStatus.ISSUED, title="State")
    coupon_id: int | None = Field(default=None, ge=1, le=2**62, title="Coupon", description="Number; empty: any.")


class VoucherCondition:
    """Members by their vouchers; one that has run out is no longer held, whether or not that was noted yet."""

    name = "voucher"
    label = "Vouchers"
    group = "Loyalty"
    parameters = VoucherParameters

    def predicate(self, parameters: VoucherParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with vouchers."""
        has_run_out = sa.and_(vouchers.c.status == VoucherStatus.ISSUED, vouchers.c.expires_at <= scope.now)
        status: ColumnElement[Any] = sa.case((has_run_out, VoucherStatus.EXPIRED.value), else_=vouchers.c.status)
        query = sa.select(vouchers.c.member_id).where(status == parameters.status.value)
        if parameters.coupon_id is not None:
            query = query.where(vouchers.c.coupon_id == parameters.coupon_id)
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[Held]]:
        """Every voucher of each member."""
        found: dict[int, list[Held]] = defaultdict(list)
        columns = (vouchers.c.member_id, vouchers.c.coupon_id, vouchers.c.status, vouchers.c.expires_at)
        for row in await session.execute(sa.select(*columns).where(vouchers.c.member_id.in_(member_ids))):
            found[row.member_id].append((row.coupon_id, row.status, row.expires_at))
        return found

    def matches(self, parameters: VoucherParameters, fact: list[Held] | None, now: datetime) -> bool:
        """The same in plain Python."""
        return any(
            parameters.coupon_id in {None, coupon_id} and _status(status, ends, now) == parameters.status
            for coupon_id, status, ends in fact or []
        )


def _status(status: str, ends: datetime | None, now: datetime) -> str:
    has_run_out = status == VoucherStatus.ISSUED and ends is not None and ends <= now
    return VoucherStatus.EXPIRED if has_run_out else status


voucher = VoucherCondition()

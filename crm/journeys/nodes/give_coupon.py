"""Give a voucher of a coupon, once for each time that a member comes by."""

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import CouponNotFound
from crm.coupons.service import definitions, issuing
from crm.journeys.nodes import gifts
from crm.journeys.nodes.contract import Batch, Begun, Verdict
from crm.kit.rules import Parameters


class GiveCouponParameters(Parameters):
    """Which coupon."""

    coupon_id: int = Field(ge=1, le=2**63 - 1)


class GiveCoupon:
    """Two exits: `next`, and `refused` when the coupon is gone, over, or the member has had it often enough."""

    kind = "give_coupon"
    label = "Give a coupon"
    parameters = GiveCouponParameters
    exits = gifts.EXITS

    async def check(
        self, session: AsyncSession, parameters: GiveCouponParameters, begun: Begun
    ) -> list[tuple[str, str]]:
        """The coupon must exist and be switched on."""
        del begun
        try:
            coupon = await definitions.get(session, parameters.coupon_id)
        except CouponNotFound as error:
            return [("coupon_id", error.detail)]
        return (
            [] if coupon.is_active else [("coupon_id", "The coupon is switched off; switch it on, or choose another.")]
        )

    async def run(self, session: AsyncSession, parameters: GiveCouponParameters, batch: Batch) -> Verdict:
        """One voucher each."""

        async def give(member_id: int, key: str) -> object:
            return await issuing.issue(session, member_id, parameters.coupon_id, key=key, source="journey")

        return await gifts.each(session, batch, give)


GIVE_COUPON = GiveCoupon()

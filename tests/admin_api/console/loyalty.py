"""A member with points, a coupon with a voucher, rewards and redemptions, for pages to show."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.types import CodeSource, Coupon, Voucher
from crm.members.types import Member
from crm.rewards.service import redeeming
from crm.rewards.types import Redemption, Reward
from tests.factories.bots import make_bot
from tests.factories.loyalty import issue, make_coupon, make_reward
from tests.factories.members import make_contact
from tests.factories.points import give

ADDRESS = "Li Hua, 1 West Lake Road, Hangzhou"


@dataclass(frozen=True)
class Loyalty:
    """What was made."""

    member: Member
    coupon: Coupon
    pool: Coupon
    voucher: Voucher
    reward: Reward
    goods: Reward
    redemption: Redemption
    """Of the goods."""

    @property
    def pages(self) -> list[str]:
        """Every page that shows some of it."""
        return [
            "/console/coupons",
            "/console/coupons/new",
            f"/console/coupons/{self.coupon.id}",
            f"/console/coupons/{self.coupon.id}?status=used",
            f"/console/coupons/{self.pool.id}",
            f"/console/vouchers/{self.voucher.id}",
            "/console/rewards",
            "/console/rewards/new",
            f"/console/rewards/{self.reward.id}",
            f"/console/rewards/{self.goods.id}",
            "/console/redemptions",
            "/console/redemptions?status=pending",
            f"/console/redemptions/{self.redemption.id}",
            "/console/counter",
            f"/console/members/{self.member.id}/vouchers",
        ]


async def make_loyalty(session: AsyncSession, name: str = "林小满") -> Loyalty:
    """Two coupons, a voucher, two rewards, and goods on the way to an address."""
    contact = await make_contact(session, bot=await make_bot(session), display_name=name)
    member_id = contact.member.id
    await give(session, member_id, 1000)
    coupon = await make_coupon(session, value="10", valid_days=30)
    pool = await make_coupon(session, code_source=CodeSource.POOL)
    voucher = await issue(session, member_id, coupon)
    reward = await make_reward(session, points=120, coupon=coupon, stock=3)
    goods = await make_reward(session, points=50, needs_address=True)
    redemption = await redeeming.redeem(session, member_id, goods.id, key="made", address=ADDRESS)
    return Loyalty(contact.member, coupon, pool, voucher, reward, goods, redemption)


def picture(colour: str = "teal") -> bytes:
    """A small PNG."""
    target = BytesIO()
    Image.new("RGB", (32, 24), colour).save(target, format="PNG")
    return target.getvalue()

"""What texts about invitations are filled with."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.members import service as members
from crm.referrals.errors import NoAddress
from crm.referrals.service import links, posters, standing
from crm.referrals.types import Gift


@dataclass(frozen=True)
class Prize:
    """What somebody gets: points, and the name of a coupon by locale."""

    points: int
    coupon: dict[str, str] | None


@dataclass(frozen=True)
class NextLevel:
    """What comes next, and how many friends are missing."""

    missing: int
    prize: Prize


@dataclass(frozen=True)
class Invitations:
    """A member's invitations as the chat shows them."""

    url: str | None
    """None when nobody can be invited just now."""
    headline: dict[str, str]
    act: str
    minimum: Decimal | None
    """What a friend's order has to come to, where an order is asked for."""
    mine: Prize
    theirs: Prize
    joined: int
    qualified: int
    pending: int
    next_level: NextLevel | None
    points: int
    vouchers: int


async def prize(session: AsyncSession, gift: Gift) -> Prize:
    """The gift with the coupon's name."""
    name = None if gift.coupon_id is None else (await coupons.get(session, gift.coupon_id)).name
    return Prize(gift.points, name)


async def friend_prize(session: AsyncSession, member_id: int, points: int, coupon_id: int | None) -> Prize:
    """What the friend is told to expect."""
    del member_id
    return await prize(session, Gift(points, coupon_id))


async def invitations(session: AsyncSession, member_id: int, identity_id: int) -> Invitations:
    """How they stand, with the link for the bot that the member talks with."""
    now = await standing.of_member(session, member_id)
    programme, level = now.programme, now.next_level
    nothing = Prize(0, None)
    return Invitations(
        url=await _url(session, member_id, identity_id) if programme else None,
        headline=programme.headline if programme else {},
        act=programme.terms.act if programme else "",
        minimum=programme.terms.minimum_order if programme else None,
        mine=await prize(session, programme.terms.referrer) if programme else nothing,
        theirs=await prize(session, programme.terms.friend) if programme else nothing,
        joined=now.joined,
        qualified=now.qualified,
        pending=now.pending,
        next_level=None if level is None else NextLevel(now.missing, await prize(session, level.gift)),
        points=now.points,
        vouchers=now.vouchers,
    )


async def poster(session: AsyncSession, member_id: int, identity_id: int) -> UUID:
    """The picture of the member's poster for the bot that they talk with. Raises NoAddress, PosterUnavailable."""
    return await posters.poster_of(session, member_id, bot_id=(await members.identity(session, identity_id)).bot_id)


async def _url(session: AsyncSession, member_id: int, identity_id: int) -> str | None:
    try:
        return await links.link(session, member_id, bot_id=(await members.identity(session, identity_id)).bot_id)
    except NoAddress:
        return None

"""What the demo shop gives for points: coupons, rewards with pictures, and who took what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import counter, definitions, holding
from crm.coupons.types import Coupon, CouponKind, NewCoupon, Stacking, Terms
from crm.media import service as media
from crm.points import service as points
from crm.rewards.service import catalogue, fulfilment, redeeming
from crm.rewards.types import Access, NewReward, Price, Redemption, RedemptionStatus, Reward, RewardKind
from runtime.demo_data.dice import Dice
from runtime.demo_data.moving import set_clock
from runtime.demo_data.people import Person
from runtime.demo_data.pictures import Colour, picture

BY = "demo"
_JADE, _AMBER, _SEAL, _SKY, _PLUM = (20, 112, 90), (176, 108, 26), (173, 50, 38), (39, 90, 138), (106, 71, 136)
_ADDRESS = "{name}, 1 West Lake Road, {city}"
_USES, _CANCELS, _RESTS = 0.6, 0.08, 0.25
_CLAIM_CODE = "TEATIME"


@dataclass(frozen=True)
class Shelf:
    """The catalogue as it was put up."""

    rewards: list[Reward]


async def put_up(session: AsyncSession) -> Shelf:
    """Make the coupons and rewards."""
    ten = Terms(CouponKind.FIXED, Decimal(10), minimum_spend=Decimal(50), valid_days=90)
    eighth = Terms(CouponKind.PERCENT, Decimal(12), most=Decimal(40), valid_days=30, limit_per_member=1)
    cup = Terms(CouponKind.GIFT, valid_days=60, stacking=Stacking.ANY)
    shipping = Terms(CouponKind.SHIPPING, stacking=Stacking.OTHER_KINDS, valid_days=180)
    tea = await _coupon(session, "¥10 off from ¥50", "满 50 减 10", ten, pattern="TEA-****-****")
    await _coupon(session, "12% off", "88 折", eighth, shared_code=_CLAIM_CODE)
    free_cup = await _coupon(session, "A free cup of tea", "免费茶饮一杯", cup)
    free_shipping = await _coupon(session, "Free shipping", "免运费", shipping)
    offered = [
        _voucher("A free cup of tea", "免费茶饮一杯", 60, free_cup),
        _voucher("¥10 off", "10 元券", 100, tea),
        _voucher("Free shipping", "免运费券", 80, free_shipping),
        _goods("Tin of Longjing, 50 g", "龙井罐装 50 克", Price(160), stock=40, needs_address=True),
        _goods("Porcelain gaiwan", "青瓷盖碗", Price(200, Decimal("19.90")), stock=12, limit=1),
    ]
    drawn: list[tuple[str, Colour]] = [
        ("cup", _JADE),
        ("ticket", _SEAL),
        ("ticket", _SKY),
        ("tin", _AMBER),
        ("gaiwan", _PLUM),
    ]
    rewards = []
    for position, (new, (shape, colour)) in enumerate(zip(offered, drawn, strict=True)):
        made = await catalogue.create(session, new, is_demo=True)
        stored = await media.store_image(session, picture(shape, colour))
        rewards.append(await catalogue.change(session, made.id, photo_media_id=stored.id, position=position))
    return Shelf(rewards)


async def visit(session: AsyncSession, shelf: Shelf, person: Person, member_id: int, today: datetime) -> None:
    """Let a person take one reward at the end of their months, if they have the points, and show it later.

    Each touches one reward and its coupon alone, and both in this order, so that many may come at once.
    """
    dice = Dice(f"shelf {person.number}")
    last = today - timedelta(days=max(person.stopped_days_ago, 0)) - timedelta(hours=dice.whole(1, 9))
    reward, chance = dice.pick(shelf.rewards), dice.chance()
    await set_clock(session, last)
    if chance < _RESTS or await points.balance(session, member_id) < reward.price.points:
        return
    where = _ADDRESS.format(name=person.name, city=person.city)
    taken = await redeeming.redeem(
        session, member_id, reward.id, key=f"demo:{person.number}", address=where if reward.needs_address else None
    )
    later = min(last + timedelta(days=dice.whole(1, 6)), today)
    await set_clock(session, later)
    if taken.voucher_id is None:
        await _hand_over(session, taken, dice)
    else:
        await _show(session, taken, dice, later)


async def _show(session: AsyncSession, taken: Redemption, dice: Dice, at: datetime) -> None:
    """Most use the voucher, a few change their mind, the others keep it."""
    assert taken.voucher_id is not None
    voucher, fate = await holding.get(session, taken.voucher_id), dice.chance()
    if fate < _CANCELS:
        await redeeming.cancel(session, taken.id, reason="Changed their mind", by=BY)
    elif fate < _USES and (voucher.expires_at is None or voucher.expires_at > at):
        bill = Decimal(dice.whole(60, 300))
        reference = f"R-{taken.id.hex[-6:].upper()}"
        await counter.use(session, [voucher.code], key=f"demo:{taken.id}", by=BY, amount=bill, reference=reference)


async def _hand_over(session: AsyncSession, taken: Redemption, dice: Dice) -> None:
    """Goods are at different points of their way."""
    steps = (RedemptionStatus.PREPARED, RedemptionStatus.SHIPPED, RedemptionStatus.DELIVERED)
    for status in steps[: dice.whole(0, len(steps))]:
        tracking = f"SF{taken.id.int % 10**10:010d}" if status is RedemptionStatus.SHIPPED else None
        await fulfilment.advance(session, taken.id, status, by=BY, tracking=tracking)


async def _coupon(
    session: AsyncSession,
    english: str,
    chinese: str,
    terms: Terms,
    *,
    pattern: str | None = None,
    shared_code: str | None = None,
) -> Coupon:
    new = NewCoupon({"en": english, "zh-CN": chinese}, terms, pattern=pattern, shared_code=shared_code)
    return await definitions.create(session, new, is_demo=True)


def _voucher(english: str, chinese: str, price: int, coupon: Coupon) -> NewReward:
    return NewReward({"en": english, "zh-CN": chinese}, RewardKind.VOUCHER, Price(price), coupon_id=coupon.id)


def _goods(
    english: str, chinese: str, price: Price, *, stock: int, needs_address: bool = False, limit: int | None = None
) -> NewReward:
    return NewReward(
        {"en": english, "zh-CN": chinese},
        RewardKind.GOODS,
        price,
        stock=stock,
        access=Access(limit_per_member=limit),
        needs_address=needs_address,
    )

"""Removing the demo shelf: what stands beside vouchers and redemptions, then coupons, rewards and their pictures.

What a real member took of the demo shelf stays theirs: such a coupon or reward is kept and switched off.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.base import Base


def keys_of_vouchers() -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Tables that know vouchers and redemptions of demo members by their ids alone."""
    members, vouchers, redemptions = _table("members"), _table("vouchers"), _table("redemptions")
    demo = select(members.c.id).where(members.c.is_demo).scalar_subquery()
    own = select(vouchers.c.id).where(vouchers.c.member_id.in_(demo)).scalar_subquery()
    for name in ("voucher_codes", "voucher_keys", "voucher_log"):
        yield _table(name), _table(name).c.voucher_id.in_(own)
    taken = select(redemptions.c.id).where(redemptions.c.member_id.in_(demo)).scalar_subquery()
    yield _table("redemption_keys"), _table("redemption_keys").c.redemption_id.in_(taken)
    used = select(vouchers.c.used_key).where(vouchers.c.member_id.in_(demo), vouchers.c.used_key.is_not(None))
    yield _table("voucher_use_keys"), _table("voucher_use_keys").c.key.in_(used.scalar_subquery())


async def remove_shelf(session: AsyncSession) -> None:
    """Coupons and rewards of the demo brand, once nothing of demo members is left."""
    rewards, coupons, media = _table("rewards"), _table("coupons"), _table("media")
    pictures = list(
        await session.scalars(
            select(rewards.c.photo_media_id).where(rewards.c.is_demo, rewards.c.photo_media_id.is_not(None))
        )
    )
    taken = exists().where(_table("redemptions").c.reward_id == rewards.c.id)
    await session.execute(delete(rewards).where(rewards.c.is_demo, ~taken))
    held = exists().where(_table("vouchers").c.coupon_id == coupons.c.id)
    given = exists().where(rewards.c.coupon_id == coupons.c.id)
    promised = exists().where(_table("check_in_milestones").c.coupon_id == coupons.c.id)
    await session.execute(delete(coupons).where(coupons.c.is_demo, ~held, ~given, ~promised))
    for table in (rewards, coupons):
        off = {"is_active": False} | ({"shared_code": None} if table is coupons else {})
        await session.execute(update(table).where(table.c.is_demo).values(off))
    still = exists().where(rewards.c.photo_media_id == media.c.id)
    await session.execute(delete(media).where(media.c.id.in_(pictures), ~still))


def _table(name: str) -> Table:
    return Base.metadata.tables[name]

"""Reading rows of rewards and redemptions as values."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.rewards.errors import RedemptionNotFound, RewardNotFound
from crm.rewards.models import RedemptionRow, RewardCountRow, RewardRow
from crm.rewards.types import Access, Price, Redemption, RedemptionStatus, Reward, RewardKind

_SHOWN = [column for column in RedemptionRow.__table__.c if column.name != "address"]
REDEMPTIONS: Select[*tuple[Any, ...]] = select(*_SHOWN, RewardRow.name).join(
    RewardRow, RewardRow.id == RedemptionRow.reward_id
)


async def reward(session: AsyncSession, reward_id: int) -> Reward:
    """One reward. Raises RewardNotFound."""
    row = await session.get(RewardRow, reward_id, populate_existing=True)
    if row is None:
        raise RewardNotFound(reward_id=reward_id)
    return as_reward(row)


async def rewards(session: AsyncSession, query: Select[RewardRow]) -> list[Reward]:
    """What `query` finds."""
    return [as_reward(row) for row in await session.scalars(query.execution_options(populate_existing=True))]


async def had(session: AsyncSession, member_id: int) -> dict[int, int]:
    """How many of which reward the member has had."""
    query = select(RewardCountRow.reward_id, RewardCountRow.redeemed).where(RewardCountRow.member_id == member_id)
    return {row.reward_id: row.redeemed for row in await session.execute(query)}


async def redemption(session: AsyncSession, redemption_id: UUID) -> Redemption:
    """One redemption. Raises RedemptionNotFound."""
    row = (await session.execute(REDEMPTIONS.where(RedemptionRow.id == redemption_id))).one_or_none()
    if row is None:
        raise RedemptionNotFound
    return as_redemption(row)


def as_reward(row: RewardRow) -> Reward:
    """The value of a row."""
    return Reward(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        kind=RewardKind(row.kind),
        price=Price(row.points, row.amount),
        coupon_id=row.coupon_id,
        photo_media_id=row.photo_media_id,
        stock=row.stock,
        access=Access(row.limit_per_member, list(row.tiers), dict(row.tier_limits), row.starts_at, row.ends_at),
        needs_address=row.needs_address,
        position=row.position,
        is_active=row.is_active,
        redeemed=row.redeemed,
        created_at=row.created_at,
    )


def as_redemption(row: Row[*tuple[Any, ...]]) -> Redemption:
    """The value of a row of REDEMPTIONS."""
    return Redemption(
        id=row.id,
        at=row.at,
        reward_id=row.reward_id,
        name=dict(row.name),
        member_id=row.member_id,
        price=Price(row.points, row.amount),
        status=RedemptionStatus(row.status),
        transaction_id=row.transaction_id,
        voucher_id=row.voucher_id,
        tracking=row.tracking,
    )

"""Badges: what there is, who has which."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import BadgeEarned
from crm.media import service as media
from crm.members import service as members
from crm.missions import policy, repository
from crm.missions.errors import BadgeHeld
from crm.missions.models import BadgeRow, HeldBadgeRow
from crm.missions.types import Badge, HeldBadge


async def create(
    session: AsyncSession,
    name: dict[str, str],
    *,
    emoji: str,
    description: dict[str, str] | None = None,
    photo_media_id: UUID | None = None,
    is_demo: bool = False,
) -> Badge:
    """A new badge. Raises InvalidMission for its texts, InvalidBadge, MediaNotFoundError."""
    if photo_media_id is not None:
        await media.get(session, photo_media_id)
    values = {
        "name": policy.check_name(name),
        "description": policy.check_description(description or {}),
        "emoji": policy.check_emoji(emoji),
        "photo_media_id": photo_media_id,
        "is_demo": is_demo,
    }
    made = await session.execute(insert(BadgeRow).values(values).returning(BadgeRow.id))
    return await repository.badge(session, made.scalar_one())


async def change(
    session: AsyncSession,
    badge_id: int,
    *,
    name: dict[str, str] | None = None,
    description: dict[str, str] | None = None,
    emoji: str | None = None,
    photo_media_id: UUID | None = None,
    is_active: bool | None = None,
) -> Badge:
    """Change what is given. Raises BadgeNotFound, InvalidMission, InvalidBadge, MediaNotFoundError."""
    if photo_media_id is not None:
        await media.get(session, photo_media_id)
    values: dict[str, Any] = {"photo_media_id": photo_media_id, "is_active": is_active}
    values["name"] = None if name is None else policy.check_name(name)
    values["description"] = None if description is None else policy.check_description(description)
    values["emoji"] = None if emoji is None else policy.check_emoji(emoji)
    values = {key: value for key, value in values.items() if value is not None}
    if values:
        await session.execute(update(BadgeRow).where(BadgeRow.id == badge_id).values(values))
    return await repository.badge(session, badge_id)


async def give(session: AsyncSession, member_id: int, badge_id: int, *, given_for: str) -> bool:
    """Give the badge, once; answers whether it is new. Raises BadgeNotFound."""
    member_id = await members.enter(session, member_id)
    await repository.badge(session, badge_id)
    row = upsert(HeldBadgeRow).values(
        badge_id=badge_id, member_id=member_id, earned_at=await clock.now(session), given_for=given_for
    )
    if await session.scalar(row.on_conflict_do_nothing().returning(HeldBadgeRow.badge_id)) is None:
        return False
    await events.publish(session, BadgeEarned(member_id=member_id, badge_id=badge_id, given_for=given_for))
    return True


async def give_by_hand(session: AsyncSession, member_id: int, badge_id: int, *, by: str) -> Badge:
    """An operator gives it. Raises BadgeNotFound, BadgeHeld, MemberNotFound."""
    await members.get(session, member_id)
    if not await give(session, member_id, badge_id, given_for=by):
        raise BadgeHeld
    return await repository.badge(session, badge_id)


async def get(session: AsyncSession, badge_id: int) -> Badge:
    """One badge. Raises BadgeNotFound."""
    return await repository.badge(session, badge_id)


async def listing(session: AsyncSession) -> list[Badge]:
    """All badges."""
    return [repository.as_badge(row) for row in await session.execute(repository.BADGES.order_by(BadgeRow.id))]


async def of_member(session: AsyncSession, member_id: int) -> list[HeldBadge]:
    """What the member has, newest first."""
    query = select(HeldBadgeRow).where(HeldBadgeRow.member_id == member_id).order_by(HeldBadgeRow.earned_at.desc())
    held = list(await session.scalars(query.execution_options(populate_existing=True)))
    known = {badge.id: badge for badge in await listing(session)} if held else {}
    return [HeldBadge(known[row.badge_id], row.earned_at, row.given_for) for row in held]

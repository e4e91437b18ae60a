"""Draws as members see them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.draws import policy, repository
from crm.draws.models import DrawRow, PlayRow
from crm.draws.service import chances, definitions
from crm.draws.types import Draw, DrawStatus, OfferedDraw
from crm.profiles import service as profiles

_HIDDEN = frozenset({"draw_access", "draw_ended", "draw_not_open"})
_MOST = 12


async def offered(session: AsyncSession, member_id: int) -> list[OfferedDraw]:
    """Open draws that the member may play now or soon."""
    found = [await _offer(session, member_id, draw) for draw in await definitions.listing(session, [DrawStatus.OPEN])]
    return [offer for offer in found if offer.why_not not in _HIDDEN][:_MOST]


async def one(session: AsyncSession, member_id: int, draw_id: int) -> OfferedDraw:
    """One draw as the member sees it. Raises DrawNotFound."""
    return await _offer(session, member_id, await repository.draw(session, draw_id))


async def played(session: AsyncSession, member_id: int) -> list[Draw]:
    """The last draws that the member played, newest first."""
    own = select(PlayRow.draw_id).where(PlayRow.member_id == member_id)
    query = select(DrawRow).where(DrawRow.id.in_(own)).order_by(DrawRow.id.desc()).limit(_MOST)
    return await repository.draws(session, query)


async def _offer(session: AsyncSession, member_id: int, draw: Draw) -> OfferedDraw:
    obstacle = policy.obstacle(draw, await profiles.get(session, member_id), await clock.now(session))
    left = await chances.of_member(session, member_id, draw.id)
    return OfferedDraw(draw, left, None if obstacle is None else obstacle.code())

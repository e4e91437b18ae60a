"""Chances: free ones of the day, bought ones, and those that events and missions give."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.draws import policy, repository
from crm.draws.errors import ChancesNotSold, InvalidDraw, NoChances
from crm.draws.models import ChanceKeyRow, DrawRow, PlayerRow
from crm.draws.policy import Used
from crm.draws.types import Chances, Draw, DrawStatus
from crm.events.types import RecordedEvent
from crm.members import service as members
from crm.points import service as points
from crm.profiles import service as profiles


async def of_member(session: AsyncSession, member_id: int, draw_id: int) -> Chances:
    """What the member may use now. Raises DrawNotFound."""
    draw = await repository.draw(session, draw_id)
    used, _ = await _used(session, draw_id, member_id)
    return policy.chances(draw.terms, used)


async def grant(session: AsyncSession, member_id: int, draw_id: int, count: int, *, key: str) -> bool:
    """Give `count` chances (1 to 1000), once by `key`; answers whether they are new.

    Raises DrawNotFound, InvalidDraw.
    """
    if not 1 <= count <= policy.MAX_CHANCES:
        raise InvalidDraw(f"between 1 and {policy.MAX_CHANCES} chances can be given at once")
    member_id = await members.enter(session, member_id)
    await repository.draw(session, draw_id, locked=True)
    if not await _is_first(session, draw_id, key):
        return False
    used, attempts = await _used(session, draw_id, member_id)
    await _keep(session, draw_id, member_id, replace(used, extra=used.extra + count), attempts)
    return True


async def buy(session: AsyncSession, member_id: int, draw_id: int, *, key: str) -> Chances:
    """One more chance for points, once by `key`.

    Raises DrawNotFound, what keeps the member from playing, ChancesNotSold, InsufficientPoints.
    """
    member_id = await members.enter(session, member_id)
    draw = await repository.draw(session, draw_id, locked=True)
    used, attempts = await _used(session, draw_id, member_id)
    if not await _is_first(session, draw_id, key):
        return policy.chances(draw.terms, used)
    obstacle = policy.obstacle(draw, await profiles.get(session, member_id), await clock.now(session))
    if obstacle is not None:
        raise obstacle
    if draw.terms.price is None or policy.chances(draw.terms, used).for_sale == 0:
        raise ChancesNotSold(limit=draw.terms.bought_per_day)
    await points.redeem(session, member_id, draw.terms.price, reason=title(draw), key=f"draw_chance:{key}")
    used = replace(used, extra=used.extra + 1, bought=used.bought + 1)
    await _keep(session, draw_id, member_id, used, attempts)
    return policy.chances(draw.terms, used)


async def take(session: AsyncSession, member_id: int, draw: Draw) -> int:
    """Use one chance, free ones first; answers the how manieth attempt it is. The draw's row must be held.

    Raises NoChances.
    """
    used, attempts = await _used(session, draw.id, member_id)
    now_left = policy.chances(draw.terms, used)
    if now_left.free:
        used = replace(used, free=used.free + 1)
    elif now_left.extra:
        used = replace(used, extra=used.extra - 1)
    else:
        raise NoChances(for_sale=now_left.for_sale, price=now_left.price)
    await _keep(session, draw.id, member_id, used, attempts + 1)
    return attempts + 1


async def earn(session: AsyncSession, event: RecordedEvent) -> None:
    """Give what open draws promise for the event; once by its id."""
    if event.member_id is None:
        return
    for draw_id, count in await _promised(session, event.kind):
        await grant(session, event.member_id, draw_id, count, key=f"event:{draw_id}:{event.id}")


def title(draw: Draw) -> str:
    """The draw's name as statements of points show it."""
    return draw.name.get("zh-CN") or next(iter(draw.name.values()))


async def _promised(session: AsyncSession, kind: str) -> list[tuple[int, int]]:
    query = select(DrawRow).where(DrawRow.status == DrawStatus.OPEN)
    found = await repository.draws(session, query.order_by(DrawRow.id))
    return [(draw.id, draw.terms.earned_by[kind]) for draw in found if draw.terms.earned_by.get(kind)]


async def _used(session: AsyncSession, draw_id: int, member_id: int) -> tuple[Used, int]:
    """What counts today, and how many attempts there were."""
    today = await _today(session, member_id)
    query = select(PlayerRow).where(PlayerRow.draw_id == draw_id, PlayerRow.member_id == member_id)
    row = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        return Used(today), 0
    return policy.on_day(Used(row.day, row.free, row.bought, row.extra), today), row.attempts


async def _keep(session: AsyncSession, draw_id: int, member_id: int, used: Used, attempts: int) -> None:
    values = {**vars(used), "attempts": attempts}
    kept = upsert(PlayerRow).values(draw_id=draw_id, member_id=member_id, **values)
    await session.execute(kept.on_conflict_do_update(index_elements=["draw_id", "member_id"], set_=values))


async def _is_first(session: AsyncSession, draw_id: int, key: str) -> bool:
    row = upsert(ChanceKeyRow).values(key=key, draw_id=draw_id, at=await clock.now(session))
    return await session.scalar(row.on_conflict_do_nothing().returning(ChanceKeyRow.key)) is not None


async def _today(session: AsyncSession, member_id: int) -> date:
    return (await clock.now(session)).astimezone(await members.zone(session, member_id)).date()

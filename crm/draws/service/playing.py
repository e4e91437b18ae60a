"""Playing: chance, result, stock and prize in one transaction, once by key, in the order of the log."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import issuing
from crm.db import clock
from crm.draws import fairness, policy, repository
from crm.draws.errors import DrawNotOpen, PrizeSettled
from crm.draws.models import DrawRow, PlayKeyRow, PlayRow
from crm.draws.service import chances, definitions
from crm.draws.types import Draw, Outcome, Play, PlayStatus, PrizeKind
from crm.events import service as events
from crm.events.loyalty import DrawPlayed
from crm.kit.errors import DomainError
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.members import service as members
from crm.points import service as points
from crm.profiles import service as profiles

_NO_PRIZE = "packet"


async def play(session: AsyncSession, member_id: int, draw_id: int, *, key: str) -> Play:
    """Use one chance and give what it brings; the same `key` answers what was done the first time.

    Raises DrawNotFound, DrawNotOpen, DrawNotYet, DrawEnded, DrawAccess, DrawEmpty, NoChances.
    """
    member_id = await members.enter(session, member_id)
    now = await clock.now(session)
    claim = upsert(PlayKeyRow).values(key=key, draw_id=draw_id, at=now).on_conflict_do_nothing()
    if await session.scalar(claim.returning(PlayKeyRow.key)) is None:
        return await _played(session, key)
    # From here to the commit no other play of this draw goes on: the log has an order, and stock one owner.
    draw = await repository.draw(session, draw_id, locked=True)
    obstacle = policy.obstacle(draw, await profiles.get(session, member_id), now)
    if obstacle is not None:
        raise obstacle
    attempt = await chances.take(session, member_id, draw)
    seed = bytes.fromhex(await definitions.seed_of(session, draw_id))
    drawn = fairness.digest(seed, draw_id, member_id, attempt)
    outcome, stand = fairness.step(draw.rules, draw.stand, drawn)
    position = draw.plays + 1
    after = {"plays": position, "stand": vars(stand)}
    await session.execute(update(DrawRow).where(DrawRow.id == draw_id).values(after))
    await session.execute(update(PlayKeyRow).where(PlayKeyRow.key == key).values(position=position))
    status, voucher_id = await _give(session, member_id, draw, outcome, position)
    values: dict[str, Any] = {"draw_id": draw_id, "position": position, "at": now, "member_id": member_id}
    values |= {"number": member_id, "attempt": attempt, "status": status, "voucher_id": voucher_id, **vars(outcome)}
    await session.execute(insert(PlayRow).values(values))
    kind = _NO_PRIZE if outcome.prize is None else draw.rules.prizes[outcome.prize].kind.value
    fact = DrawPlayed(
        member_id=member_id,
        draw_id=draw_id,
        position=position,
        prize_kind=kind,
        prize=outcome.prize,
        points=outcome.points,
    )
    await events.publish(session, fact)
    return replace(await repository.play(session, draw_id, position), is_new=True)


async def hand_over(session: AsyncSession, draw_id: int, position: int) -> Play:
    """The shop gives a prize that is pending: goods go over the counter, a voucher is issued now.

    Raises PlayNotFound, PrizeSettled, and what issuing the voucher raises.
    """
    await repository.draw(session, draw_id, locked=True)
    found = await repository.play(session, draw_id, position)
    if found.status is not PlayStatus.PENDING:
        raise PrizeSettled
    values: dict[str, Any] = {"status": PlayStatus.GIVEN}
    if found.prize is not None and found.prize.coupon_id is not None:
        values["voucher_id"] = await _voucher(session, found.member_id, draw_id, found.prize.coupon_id, position)
    here = (PlayRow.draw_id == draw_id, PlayRow.position == position)
    await session.execute(update(PlayRow).where(*here).values(values))
    return await repository.play(session, draw_id, position)


async def log(
    session: AsyncSession,
    draw_id: int,
    *,
    status: PlayStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Play]:
    """The log from its first line on. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    query = repository.PLAYS.where(PlayRow.draw_id == draw_id).order_by(PlayRow.position).limit(limit + 1)
    if status is not None:
        query = query.where(PlayRow.status == status)
    if cursor is not None:
        query = query.where(PlayRow.position > decode_cursor(cursor, int)[0])
    rows = (await session.execute(query)).all()
    return page_of(rows, limit, repository.as_play, lambda row: (row.position,))


async def _played(session: AsyncSession, key: str) -> Play:
    known = (await session.execute(select(PlayKeyRow.draw_id, PlayKeyRow.position).where(PlayKeyRow.key == key))).one()
    if known.position is None:
        raise DrawNotOpen
    return await repository.play(session, known.draw_id, known.position)


async def _give(
    session: AsyncSession, member_id: int, draw: Draw, outcome: Outcome, position: int
) -> tuple[PlayStatus, UUID | None]:
    if outcome.points:
        key = f"draw:{draw.id}:{position}"
        await points.earn(session, member_id, outcome.points, rule=chances.title(draw), key=key)
    prize = None if outcome.prize is None else draw.rules.prizes[outcome.prize]
    if prize is None or prize.kind in {PrizeKind.POINTS, PrizeKind.NOTHING}:
        return PlayStatus.GIVEN, None
    if prize.coupon_id is None:
        return PlayStatus.PENDING, None
    try:
        async with session.begin_nested():
            return PlayStatus.GIVEN, await _voucher(session, member_id, draw.id, prize.coupon_id, position)
    except DomainError:
        # The result stands whatever became of the coupon; otherwise the log could not be recomputed.
        return PlayStatus.PENDING, None


async def _voucher(session: AsyncSession, member_id: int, draw_id: int, coupon_id: int, position: int) -> UUID:
    key = f"draw:{draw_id}:{position}"
    return (await issuing.issue(session, member_id, coupon_id, key=key, source=f"draw:{draw_id}")).id

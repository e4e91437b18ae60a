"""Make-up cards: what members hold, and how cards come and go, once per key."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import policy, programmes, repository
from crm.check_ins.errors import CardsNotSold, InvalidCards, NoCards, TooManyCards
from crm.check_ins.models import CardMoveRow, CardsRow
from crm.check_ins.types import CardCause, CardMove, Programme
from crm.db import clock
from crm.events.types import RecordedEvent
from crm.kit.text import clean_text
from crm.members import service as members
from crm.points import service as points

MAX_REASON, _SHOWN = 200, 20


async def held(session: AsyncSession, member_id: int) -> int:
    """How many cards the member holds."""
    return await session.scalar(select(CardsRow.cards).where(CardsRow.member_id == member_id)) or 0


async def moves(session: AsyncSession, member_id: int) -> list[CardMove]:
    """Why the member's last cards came and went, newest first."""
    query = select(CardMoveRow).where(CardMoveRow.member_id == member_id)
    rows = await session.scalars(query.order_by(CardMoveRow.at.desc(), CardMoveRow.key.desc()).limit(_SHOWN))
    return [CardMove(row.at, row.change, CardCause(row.cause), row.by, row.reason) for row in rows]


async def buy(session: AsyncSession, member_id: int, *, key: str) -> int:
    """One card for points, once by `key`; answers how many the member holds then.

    Raises CardsNotSold, TooManyCards, InsufficientPoints, MemberNotFound.
    """
    member_id = await members.enter(session, member_id)
    programme = await programmes.current(session)
    await repository.standing(session, member_id, is_locked=True)
    have = await _lock(session, member_id)
    move = f"bought:{member_id}:{key}"
    if await _is_known(session, move):
        return have
    if programme.card_price is None or await left_to_buy(session, member_id, programme) == 0:
        raise CardsNotSold(limit=programme.bought_per_month)
    if have >= programme.most_cards:
        raise TooManyCards(limit=programme.most_cards)
    await points.redeem(session, member_id, programme.card_price, reason="make_up_card", key=f"check_in_card:{move}")
    await _move(session, member_id, 1, move, CardCause.BOUGHT, by="member")
    return have + 1


async def left_to_buy(session: AsyncSession, member_id: int, programme: Programme) -> int | None:
    """How many cards the member may still buy this month of theirs; None: no limit."""
    if programme.bought_per_month is None:
        return None
    now, zone = await clock.now(session), await members.zone(session, member_id)
    since = policy.start_of_day(now.astimezone(zone).date().replace(day=1), zone)
    own = (CardMoveRow.member_id == member_id, CardMoveRow.cause == CardCause.BOUGHT, CardMoveRow.at >= since)
    bought = await session.scalar(select(func.coalesce(func.sum(CardMoveRow.change), 0)).where(*own)) or 0
    return max(0, programme.bought_per_month - int(bought))


async def give_by_hand(session: AsyncSession, member_id: int, count: int, *, reason: str, key: str, by: str) -> int:
    """An operator gives 1 to 100 cards, once by `key`; answers how many the member holds then.

    Raises InvalidCards, TooManyCards, MemberNotFound.
    """
    reason = clean_text(reason).strip()
    if not 1 <= count <= programmes.MAX_CARDS or not 1 <= len(reason) <= MAX_REASON:
        raise InvalidCards
    member_id = await members.enter(session, member_id)
    have, move = await _lock(session, member_id), f"operator:{member_id}:{key}"
    if await _is_known(session, move):
        return have
    most = (await programmes.current(session)).most_cards
    if have + count > most:
        raise TooManyCards(f"a member holds at most {most} cards, and this one has {have}", limit=most)
    await _move(session, member_id, count, move, CardCause.OPERATOR, by=by, reason=reason)
    return have + count


async def give(session: AsyncSession, member_id: int, count: int, *, key: str, cause: CardCause) -> int:
    """Give up to `count` cards, once by `key`, as far as the member may hold more; answers how many came."""
    have = await _lock(session, member_id)
    room = (await programmes.current(session)).most_cards - have
    coming = min(count, max(0, room))
    if coming == 0 or await _is_known(session, key):
        return 0
    await _move(session, member_id, coming, key, cause)
    return coming


async def use(session: AsyncSession, member_id: int, count: int, *, key: str, cause: CardCause) -> int:
    """Take `count` cards; answers how many are left. Raises NoCards."""
    have = await _lock(session, member_id)
    if have < count:
        raise NoCards
    await _move(session, member_id, -count, key, cause)
    return have - count


async def earn(session: AsyncSession, event: RecordedEvent) -> None:
    """Give the cards that the programme promises for the event, once by its id."""
    count = (await programmes.current(session)).cards_for.get(event.kind)
    if event.member_id is not None and count:
        member_id = await members.enter(session, event.member_id)
        await give(session, member_id, count, key=f"event:{event.id}", cause=CardCause.EVENT)


async def _lock(session: AsyncSession, member_id: int) -> int:
    """Hold the member's cards until the commit; answers how many there are."""
    await session.execute(upsert(CardsRow).values(member_id=member_id, cards=0).on_conflict_do_nothing())
    query = select(CardsRow.cards).where(CardsRow.member_id == member_id).with_for_update()
    return (await session.execute(query)).scalar_one()


async def _is_known(session: AsyncSession, key: str) -> bool:
    return await session.scalar(select(CardMoveRow.key).where(CardMoveRow.key == key)) is not None


async def _move(
    session: AsyncSession,
    member_id: int,
    change: int,
    key: str,
    cause: CardCause,
    *,
    by: str = "system",
    reason: str = "",
) -> None:
    values = {"key": key, "member_id": member_id, "at": await clock.now(session), "change": change}
    await session.execute(upsert(CardMoveRow).values(**values, cause=cause.value, by=by, reason=reason))
    own = update(CardsRow).where(CardsRow.member_id == member_id)
    await session.execute(own.values(cards=CardsRow.cards + change))

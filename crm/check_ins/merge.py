"""Joining two members' check-ins: days that only the dropped one has go over, with gifts, cards and the board."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import filling, repository
from crm.check_ins.models import CardMoveRow, CardsRow, CheckInRow, GiftRow, LeaderRow
from crm.db import moving

_MOVES: Table = CheckInRow.metadata.tables[CardMoveRow.__tablename__]


class CheckInsMerge:
    """Moves days, gifts and cards, and works out both streaks anew; the kept member's own place on the board stays."""

    name = "check_ins"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Move the days that the kept member lacks; answers what moved."""
        kept = {day.on for day in await repository.all_days(session, keep_id)}
        moved = [day.on for day in await repository.all_days(session, drop_id) if day.on not in kept]
        await _move_days(session, drop_id, keep_id, moved)
        return {
            "moved": [day.isoformat() for day in moved],
            "gifts": await _move_gifts(session, drop_id, keep_id),
            "card_moves": await moving.move(session, _MOVES, drop_id, keep_id),
            "cards": await _move_cards(session, drop_id, keep_id),
            "leader": await _move_leader(session, drop_id, keep_id),
        }

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move back what is still there."""
        kept = {day.on for day in await repository.all_days(session, keep_id)}
        there = kept - {day.on for day in await repository.all_days(session, drop_id)}
        moved = there & {date.fromisoformat(day) for day in record["moved"]}
        await _move_days(session, keep_id, drop_id, sorted(moved))
        for milestone_id, day in record.get("gifts", []):
            own = (GiftRow.milestone_id == milestone_id, GiftRow.reached_on == date.fromisoformat(day))
            await session.execute(update(GiftRow).where(GiftRow.member_id == keep_id, *own).values(member_id=drop_id))
        await moving.move_back(session, _MOVES, record.get("card_moves", []), keep_id, drop_id)
        await _move_cards(session, keep_id, drop_id, at_most=record.get("cards", 0))
        leader = record.get("leader")
        if leader is not None:
            await _leader_back(session, keep_id, drop_id, leader)


async def _move_days(session: AsyncSession, from_id: int, to_id: int, days: list[date]) -> None:
    if days:
        await repository.move(session, from_id, to_id, days)
        for member_id in (from_id, to_id):
            await filling.recount(session, member_id, await repository.all_days(session, member_id))


async def _move_gifts(session: AsyncSession, from_id: int, to_id: int) -> list[list[Any]]:
    """Gifts that the other one has not got for the same day; those stay, as what each was given stays given."""
    mine = select(GiftRow.milestone_id, GiftRow.reached_on)
    kept = {tuple(row) for row in await session.execute(mine.where(GiftRow.member_id == to_id))}
    rows = [row for row in await session.execute(mine.where(GiftRow.member_id == from_id)) if tuple(row) not in kept]
    for milestone_id, day in rows:
        own = (GiftRow.member_id == from_id, GiftRow.milestone_id == milestone_id, GiftRow.reached_on == day)
        await session.execute(update(GiftRow).where(*own).values(member_id=to_id))
    return [[milestone_id, day.isoformat()] for milestone_id, day in rows]


async def _move_cards(session: AsyncSession, from_id: int, to_id: int, *, at_most: int | None = None) -> int:
    """Cards of one to the other; answers how many. They may be more than may be held: nobody loses any."""
    query = select(CardsRow.cards).where(CardsRow.member_id == from_id).with_for_update()
    have = await session.scalar(query) or 0
    count = have if at_most is None else min(have, at_most)
    if count:
        taken = update(CardsRow).where(CardsRow.member_id == from_id)
        await session.execute(taken.values(cards=CardsRow.cards - count))
        given = upsert(CardsRow).values(member_id=to_id, cards=count)
        more = {"cards": CardsRow.cards + count}
        await session.execute(given.on_conflict_do_update(index_elements=["member_id"], set_=more))
    return count


async def _move_leader(session: AsyncSession, from_id: int, to_id: int) -> dict[str, Any] | None:
    """The place on the board; the kept member's own one stays, and who was on none is put on none."""
    gone = delete(LeaderRow).where(LeaderRow.member_id == from_id).returning(LeaderRow.alias, LeaderRow.joined_at)
    row = (await session.execute(gone)).one_or_none()
    if row is None:
        return None
    made = upsert(LeaderRow).values(member_id=to_id, alias=row.alias, joined_at=row.joined_at)
    is_moved = await session.scalar(made.on_conflict_do_nothing().returning(LeaderRow.member_id)) is not None
    return {"alias": row.alias, "joined_at": row.joined_at.isoformat(), "is_moved": is_moved}


async def _leader_back(session: AsyncSession, keep_id: int, drop_id: int, leader: dict[str, Any]) -> None:
    """Who left the board since the merge stays away from it."""
    if leader["is_moved"]:
        gone = delete(LeaderRow).where(LeaderRow.member_id == keep_id).returning(LeaderRow.member_id)
        if await session.scalar(gone) is None:
            return
    joined_at = datetime.fromisoformat(leader["joined_at"])
    row = upsert(LeaderRow).values(member_id=drop_id, alias=leader["alias"], joined_at=joined_at)
    await session.execute(row.on_conflict_do_nothing())


check_ins_merge = CheckInsMerge()

"""Expiry as a set does what single postings would do: same entries, chains and lots."""

import asyncio
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.events import service as events
from crm.points import expiry, repository, service
from crm.points.models import LotRow
from crm.points.repository import Line
from crm.points.types import Account, Entry, EntryKind
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

LOTS = [(7, 3), (11, 1), (13, 3), (17, 2), (19, None), (23, 900)]
"""Points and hours until they run out; None never."""


async def _owner(session: AsyncSession) -> int:
    member = await make_member(session)
    now = await clock.now(session)
    for points, hours in LOTS:
        ends = None if hours is None else now + timedelta(hours=hours)
        await give(session, member.id, points, expires_at=ends)
    await service.redeem(session, member.id, 4, reason="tea", key=f"spend:{member.id}")
    return member.id


async def _one_by_one(session: AsyncSession, member_id: int) -> None:
    due = select(LotRow).where(LotRow.member_id == member_id, LotRow.remaining > 0)
    due = due.where(LotRow.expires_at <= await clock.now(session)).order_by(LotRow.expires_at, LotRow.id)
    for lot in list(await session.scalars(due)):
        line = Line(
            member_id=member_id,
            kind=EntryKind.EXPIRE,
            key=f"expire:{lot.id}",
            points=-lot.remaining,
            contra=Account.EXPIRY,
            reason="expired",
            occurred_at=lot.expires_at or await clock.now(session),
            may_owe=True,
        )
        await repository.post(session, [line])


def _told(entries: list[Entry]) -> list[tuple[object, ...]]:
    return [(item.at, item.kind, item.points, item.reason, item.balance, item.sequence) for item in entries]


async def test_a_set_posts_what_single_postings_would(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    by_set, by_one = await _owner(session), await _owner(session)
    await at(session, "2026-03-02T08:00+08:00")
    assert await expiry.expire(session, member_id=by_set) == 4
    await _one_by_one(session, by_one)
    statements = [(await service.statement(session, owner)).items for owner in (by_set, by_one)]
    assert _told(statements[0]) == _told(statements[1])
    remaining = [
        list(await session.scalars(select(LotRow.remaining).where(LotRow.member_id == owner).order_by(LotRow.id)))
        for owner in (by_set, by_one)
    ]
    assert remaining[0] == remaining[1] == [0, 0, 0, 0, 19, 23]
    facts = await events.timeline(session, by_set, kinds=["points_expired"])
    assert sorted(fact.data["balance"] for fact in facts) == [42, 55, 62, 79]
    await assert_sound(session)


async def test_a_batch_takes_the_oldest_of_all_members(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    owners = [await _owner(session) for _ in range(3)]
    await at(session, "2026-03-02T08:00+08:00")
    assert [await expiry.expire(session, 5) for _ in range(4)] == [5, 5, 2, 0]
    assert [await service.balance(session, owner) for owner in owners] == [42, 42, 42]
    await assert_sound(session)


async def test_expiry_beside_spending_takes_nothing_twice(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        now = await clock.now(session)
        owners = [(await make_member(session)).id for _ in range(4)]
        for owner in owners:
            for _ in range(5):
                await give(session, owner, 10, expires_at=now + timedelta(milliseconds=1))
            await give(session, owner, 50)

    async def spend(owner: int, number: int) -> None:
        async with committed_sessions.begin() as session:
            await service.redeem(session, owner, 5, reason="tea", key=f"{owner}:{number}")

    async def expire() -> int:
        async with committed_sessions.begin() as session:
            return await expiry.expire(session, 3)

    work = [spend(owner, number) for owner in owners for number in range(4)]
    await asyncio.gather(*work, *(expire() for _ in range(8)))
    async with committed_sessions.begin() as session:
        await expiry.expire(session)
        assert [await service.balance(session, owner) for owner in owners] == [30, 30, 30, 30]
        await assert_sound(session)

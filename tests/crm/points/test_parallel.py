"""Parallel postings of one member wait in line."""

import asyncio
from uuid import UUID

from crm.db.session import Sessions
from crm.points import service
from crm.points.errors import AlreadyReversed, InsufficientPoints
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

TRIES = 100


async def test_the_last_points_are_spent_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        await give(session, member.id, 100)
    room = asyncio.Semaphore(40)

    async def spend(number: int) -> bool:
        try:
            async with room, committed_sessions.begin() as session:
                await service.redeem(session, member.id, 100, reason="tea", key=f"spend:{number}")
        except InsufficientPoints:
            return False
        return True

    assert sum(await asyncio.gather(*(spend(number) for number in range(TRIES)))) == 1
    async with committed_sessions() as session:
        assert await service.balance(session, member.id) == 0
        await assert_sound(session)


async def test_one_key_posts_once_however_many_try(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
    room = asyncio.Semaphore(40)

    async def earn() -> tuple[UUID, bool]:
        async with room, committed_sessions.begin() as session:
            posting = await service.earn(session, member.id, 7, rule="gift", key="same")
            return posting.transaction_id, posting.is_new

    found = await asyncio.gather(*(earn() for _ in range(TRIES)))
    assert len({transaction_id for transaction_id, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1
    async with committed_sessions() as session:
        assert await service.balance(session, member.id) == 7
        await assert_sound(session)


async def test_a_posting_is_reversed_once_however_many_try(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        earned = await give(session, member.id, 50)

    async def reverse(number: int) -> bool:
        try:
            async with committed_sessions.begin() as session:
                await service.reverse(session, earned.transaction_id, reason="mistake", key=f"reverse:{number}")
        except AlreadyReversed:
            return False
        return True

    assert sum(await asyncio.gather(*(reverse(number) for number in range(20)))) == 1
    async with committed_sessions() as session:
        await assert_sound(session)


async def test_a_verification_beside_traffic_stays_clean(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        members = [(await make_member(session)).id for _ in range(4)]

    async def traffic(member_id: int) -> None:
        for _ in range(25):
            async with committed_sessions.begin() as session:
                await give(session, member_id, 3)
                await service.redeem(session, member_id, 2, reason="tea", key=f"{member_id}:{_}")
            async with committed_sessions.begin() as session:
                await service.checkpoint(session)

    async def watch() -> None:
        for _ in range(10):
            async with committed_sessions() as session:
                await assert_sound(session)

    await asyncio.gather(watch(), *(traffic(member_id) for member_id in members))
    async with committed_sessions() as session:
        assert (await assert_sound(session)).transactions == 200

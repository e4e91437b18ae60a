"""A hundred taps at once."""

import asyncio

from crm.check_ins import service
from crm.check_ins.types import CheckInResult
from crm.db.session import Sessions
from crm.points import service as points
from tests.factories.members import make_member
from tests.factories.points import assert_sound

TAPS = 100


async def test_a_hundred_parallel_taps_give_one_award(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await points.ensure_defaults(session)
        member = await make_member(session)
    room = asyncio.Semaphore(40)

    async def tap() -> CheckInResult:
        async with room, committed_sessions.begin() as session:
            return await service.check_in(session, member.id, channel="telegram")

    results = await asyncio.gather(*(tap() for _ in range(TAPS)))
    assert sum(found.is_new for found in results) == 1
    assert sum(found.points for found in results) == 5
    assert {found.streak for found in results} == {1}
    async with committed_sessions() as session:
        assert await points.balance(session, member.id) == 5
        report = await assert_sound(session)
    assert report.transactions == 1

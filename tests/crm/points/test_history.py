"""The balance at a moment of the past, from the entries."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import history, holds, pending, service
from crm.points.errors import MomentAhead
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

HOUR = timedelta(hours=1)


async def test_every_moment_shows_what_the_account_showed(session: AsyncSession, at: At) -> None:
    start = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    seen = []

    async def look() -> None:
        seen.append(await history.balance_at(session, member.id))

    await look()
    earned = await give(session, member.id, 100, expires_at=start + 5 * HOUR)
    await look()
    await at(session, "2026-03-01T09:00+08:00")
    await service.redeem(session, member.id, 60, reason="tea", key="k")
    await pending.earn(session, member.id, 9, rule="gift", key="p")
    await look()
    await at(session, "2026-03-01T10:00+08:00")
    await holds.hold(session, member.id, 10, reason="order", key="h", until=start + 9 * HOUR)
    await look()
    await at(session, "2026-03-01T11:00+08:00")
    await service.reverse(session, earned.transaction_id, reason="mistake", key="back")
    await look()
    await at(session, "2026-03-01T12:00+08:00")
    await holds.void(session, "h")
    await pending.activate(session, "p")
    await look()
    told = [(item.balance, item.debt, item.pending, item.held) for item in seen]
    assert told == [(0, 0, 0, 0), (100, 0, 0, 0), (40, 0, 9, 0), (30, 0, 9, 10), (0, 70, 9, 10), (0, 51, 0, 0)]
    for then in seen[1:]:
        assert await history.balance_at(session, member.id, then.at) == then
    before = await history.balance_at(session, member.id, start - timedelta(microseconds=1))
    assert (before.balance, before.debt) == (0, 0)
    await assert_sound(session)


async def test_the_future_and_times_without_an_offset_are_refused(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    for moment in (now + HOUR, now.astimezone(UTC).replace(tzinfo=None)):
        with pytest.raises(MomentAhead):
            await history.balance_at(session, member.id, moment)
    assert (await history.balance_at(session, member.id, datetime(1, 1, 2, tzinfo=UTC))).balance == 0

"""Broadcasts on one bot take turns."""

from datetime import UTC, datetime

import pytest

from crm.db.session import Sessions
from crm.deliveries import launching, leases, service
from crm.deliveries.types import MessageClass
from tests.factories.deliveries import Audience, make_audience

_CHANNELS = ["telegram"]
AT = datetime(2026, 5, 1, tzinfo=UTC)


async def _start(sessions: Sessions, audience: Audience, source: int, message_class: MessageClass) -> None:
    async with sessions.begin() as session:
        await service.start_broadcast(session, "campaign", source, audience.select(), message_class=message_class)


async def _next(sessions: Sessions, number: int) -> list[str]:
    """From which sources the next chunks come; each is done at once."""
    order = []
    for _ in range(number):
        async with sessions.begin() as session:
            lease = await leases.take(session, "one", _CHANNELS)
            assert lease is not None
            order.append(lease.source_id)
            await leases.let_go(session, lease, is_done=True, not_before=AT, tally={})
    return order


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "CHUNK", 2)


async def test_a_small_broadcast_does_not_wait_for_a_large_one(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        large = await make_audience(session, 16)
    small = Audience(large.bot, large.contacts[:6])
    await _start(committed_sessions, large, 1, MessageClass.MARKETING)
    assert await _next(committed_sessions, 3) == ["1", "1", "1"]
    await _start(committed_sessions, small, 2, MessageClass.MARKETING)
    assert await _next(committed_sessions, 6) == ["2", "1", "2", "1", "2", "1"]
    assert await _next(committed_sessions, 2) == ["1", "1"]


async def test_what_members_are_owed_goes_first(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 4)
    await _start(committed_sessions, audience, 1, MessageClass.MARKETING)
    assert await _next(committed_sessions, 1) == ["1"]
    await _start(committed_sessions, audience, 2, MessageClass.RECEIPT)
    assert await _next(committed_sessions, 3) == ["2", "2", "1"]


async def test_a_turn_is_not_waited_for(committed_sessions: Sessions) -> None:
    """Whoever steers a broadcast holds its row; senders go on meanwhile."""
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 2)
    await _start(committed_sessions, audience, 1, MessageClass.MARKETING)
    async with committed_sessions.begin() as steering:
        await service.set_paid_limit(steering, "campaign", 1, None)
        async with committed_sessions.begin() as session:
            assert await leases.take(session, "one", _CHANNELS) is not None

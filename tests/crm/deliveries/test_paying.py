"""Broadcasts that are paid for: never beyond the cap, whoever sends, and only what went out counts."""

import asyncio

import pytest

from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.sending import ChunkRun, send_due, take_next
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import BroadcastStatus, Lane, Throttled, Unreachable
from crm.messages.types import ChannelTraits
from tests.factories.deliveries import ID, KIND, Audience, desk, figures, make_audience, make_due

OFFERS = ChannelTraits("telegram", paid_rate=1000.0)


async def _launch(sessions: Sessions, size: int, limit: int) -> Audience:
    async with sessions.begin() as session:
        audience = await make_audience(session, size)
        await service.start_broadcast(session, KIND, ID, audience.select(), paid_limit=limit)
    return audience


async def _spent(sessions: Sessions) -> tuple[int, BroadcastStatus, str | None]:
    async with sessions.begin() as session:
        found = await service.get(session, KIND, ID)
    return found.paid_count, found.status, found.paused_reason


async def test_it_stops_at_the_cap_and_goes_on_when_that_is_raised(committed_sessions: Sessions) -> None:
    await _launch(committed_sessions, 60, 37)
    sender = FakeSender(traits=OFFERS)
    work = desk(committed_sessions, sender)
    await send_due(work)
    assert len(sender.sent) == 37
    assert {item.lane for item in sender.sent} == {Lane.PAID}
    assert await _spent(committed_sessions) == (37, BroadcastStatus.PAUSED, "stars_cap")
    async with committed_sessions.begin() as session:
        await service.set_paid_limit(session, KIND, ID, 100)
        await service.resume(session, KIND, ID)
    await send_due(work)
    assert await figures(committed_sessions) == {"sent": 60}
    assert await _spent(committed_sessions) == (60, BroadcastStatus.ACTIVE, None)


async def test_paying_can_be_ended_on_the_way(committed_sessions: Sessions) -> None:
    await _launch(committed_sessions, 30, 10)
    sender = FakeSender(traits=OFFERS)
    await send_due(desk(committed_sessions, sender))
    async with committed_sessions.begin() as session:
        await service.set_paid_limit(session, KIND, ID, None)
        await service.resume(session, KIND, ID)
    await send_due(desk(committed_sessions, sender))
    lanes = [item.lane for item in sender.sent]
    assert (lanes.count(Lane.PAID), lanes.count(Lane.BULK)) == (10, 20)


@pytest.mark.parametrize("refusal", [Unreachable("blocked"), Throttled(2)])
async def test_what_was_not_taken_is_not_paid_for(
    committed_sessions: Sessions, refusal: Unreachable | Throttled
) -> None:
    audience = await _launch(committed_sessions, 20, 1000)
    sender = FakeSender(traits=OFFERS)
    refused = audience.addresses[5]
    sender.answer = lambda address, _: refusal if address == refused else None
    await send_due(desk(committed_sessions, sender))
    spent, _, _ = await _spent(committed_sessions)
    assert spent == len(sender.sent) < 20


async def test_channels_that_offer_nothing_cost_nothing(committed_sessions: Sessions) -> None:
    await _launch(committed_sessions, 10, 1)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) == 10
    assert await _spent(committed_sessions) == (0, BroadcastStatus.ACTIVE, None)


async def test_two_senders_together_keep_to_the_cap(
    committed_sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.deliveries.launching.CHUNK", 30)
    await _launch(committed_sessions, 60, 41)
    sender = FakeSender(traits=OFFERS, latency=0.01)
    works = [desk(committed_sessions, sender, owner=owner) for owner in ("one", "two")]
    runs = []
    for work in works:
        lease = await take_next(work)
        assert lease is not None
        runs.append(ChunkRun(work, lease).run())
    await asyncio.gather(*runs)
    await make_due(committed_sessions)
    assert len(sender.sent) <= 41
    async with committed_sessions.begin() as session:
        await service.resume(session, KIND, ID)
    await send_due(works[0])
    assert len(sender.sent) == 41
    assert (await _spent(committed_sessions))[:2] == (41, BroadcastStatus.PAUSED)

"""What each answer of a channel leads to."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.bots.types import BotStatus
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import jobs, service
from crm.deliveries.sending import ChunkRun, send_due, take_next
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import (
    BroadcastStatus,
    ContentRejected,
    DeliveryState,
    InDoubt,
    MessageClass,
    Migrated,
    NotAccepted,
    SendOutcome,
    Throttled,
    Unauthorized,
    Unreachable,
)
from crm.members import service as members
from crm.messages.types import ChannelTraits, Outbound
from tests.factories.deliveries import ID, KIND, desk, figures, launch, make_due


async def test_blocked_is_suppressed_for_good_and_noted(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 3)
    sender = FakeSender(answer=lambda address, _: Unreachable("blocked") if address == "1001" else None)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 2, "suppressed:blocked": 1}
    async with committed_sessions.begin() as session:
        identity = await members.identity(session, audience.contacts[1].identity.id)
        assert (identity.is_reachable, identity.unreachable_reason) == (False, "blocked")


async def test_groups_in_which_some_have_left_are_counted_like_others(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 60)
    left = set(audience.addresses[::5])
    sender = FakeSender(answer=lambda address, _: Unreachable("blocked") if address in left else None)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 48, "suppressed:blocked": 12}
    assert sender.calls == 60
    async with committed_sessions.begin() as session:
        kinds = await session.scalars(text("SELECT kind FROM events WHERE kind = 'reachability_changed'"))
        assert len(kinds.all()) == 12
        assert (await service.get(session, KIND, ID)).finished_at is not None


async def test_too_many_requests_pauses_the_bot_and_burns_no_attempt(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 40)
    sender = FakeSender(answer=lambda _, call: Throttled(30) if call == 5 else None)
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) < 25
    assert await figures(committed_sessions) == {"sent": len(sender.sent), "queued": 40 - len(sender.sent)}
    async with committed_sessions.begin() as session:
        until = (await bots.get(session, audience.bot.id)).bulk_paused_until
        assert until is not None
        assert timedelta(seconds=25) < until - await clock.now(session) <= timedelta(seconds=30)
        await bots.start(session, audience.bot.id)
        broadcast = await service.get(session, KIND, ID)
    assert broadcast.status is BroadcastStatus.ACTIVE
    await make_due(committed_sessions)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 40}
    async with committed_sessions.begin() as session:
        page = await service.recipients(session, KIND, ID, limit=50)
    assert {item.attempts for item in page.items} == {1}
    assert len(set(sender.addresses())) == 40


async def test_a_very_long_silence_pauses_the_source_and_ends_by_itself(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 2)
    sender = FakeSender()
    sender.queued.append(Throttled(10072))
    await send_due(desk(committed_sessions, sender))
    async with committed_sessions.begin() as session:
        broadcast = await service.get(session, KIND, ID)
        kinds = await session.scalars(text("SELECT data ->> 'reason' FROM events WHERE kind = 'broadcast_paused'"))
        assert kinds.all() == ["throttled"]
    assert (broadcast.status, broadcast.paused_reason) == (BroadcastStatus.PAUSED, "throttled")
    assert broadcast.resumes_at is not None
    assert await jobs.resume_paused.run(committed_sessions) == 0
    async with committed_sessions.begin() as session:
        await session.execute(text("UPDATE delivery_sources SET resumes_at = siyu_now()"))
    assert await jobs.resume_paused.run(committed_sessions) == 1


async def test_a_revoked_token_stops_the_bot_and_fails_nothing(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 30)
    sender = FakeSender(answer=lambda _, call: Unauthorized("401") if call > 3 else None)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 3, "queued": 27}
    async with committed_sessions.begin() as session:
        assert (await bots.get(session, audience.bot.id)).status is BotStatus.STOPPED
        await bots.start(session, audience.bot.id)
    sender.answer = lambda _, __: None
    await make_due(committed_sessions)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 30}


@pytest.mark.parametrize(
    "change",
    ["status = 'stopped', stopped_reason = 'refused'", "bulk_paused_until = siyu_now() + interval '1 h'"],
    ids=["another process was told 401", "another process was told 429"],
)
async def test_what_befell_the_bot_elsewhere_ends_sending_with_the_group(
    committed_sessions: Sessions, change: str
) -> None:
    audience = await launch(committed_sessions, 80)
    sender = FakeSender()
    work = desk(committed_sessions, sender)
    lease = await take_next(work)
    assert lease is not None
    run = asyncio.create_task(ChunkRun(work, lease).run())
    sender.gate = asyncio.Event()
    async with asyncio.timeout(30):
        while not sender.sent:  # noqa: ASYNC110 - the fake is watched from outside
            await asyncio.sleep(0.01)
    async with committed_sessions.begin() as session:
        await session.execute(text(f"UPDATE bots SET {change} WHERE id = :id"), {"id": audience.bot.id})
    sender.gate.set()
    await run
    assert len(sender.sent) == 25
    assert await figures(committed_sessions) == {"sent": 25, "queued": 55}
    assert await take_next(work) is None


async def test_twenty_content_errors_in_a_row_pause_the_source(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 100)
    sender = FakeSender(answer=lambda _, __: ContentRejected("can't parse entities"))
    await send_due(desk(committed_sessions, sender))
    seen = await figures(committed_sessions)
    assert 20 <= seen["failed"] <= 25
    async with committed_sessions.begin() as session:
        broadcast = await service.get(session, KIND, ID)
        failed = await service.recipients(session, KIND, ID, state=DeliveryState.FAILED)
    assert (broadcast.status, broadcast.paused_reason) == (BroadcastStatus.PAUSED, "content")
    assert failed.items[0].detail == "can't parse entities"


async def test_single_content_errors_pause_nothing(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 90)
    sender = FakeSender(answer=lambda _, call: ContentRejected("too long") if call % 3 else None)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 30, "failed": 60}


class _BrokenBatch:
    def render(self, member_id: int, locale: str, traits: ChannelTraits, step: int) -> Outbound:
        raise ZeroDivisionError((member_id, locale, traits, step))


class _Broken:
    async def load(
        self, session: AsyncSession, source_kind: str, source_id: str, wanted: Sequence[tuple[int, int]]
    ) -> _BrokenBatch:
        del session, source_kind, source_id, wanted
        return _BrokenBatch()


async def test_a_template_that_raises_counts_as_content(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 3)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender, renderer=_Broken()))
    assert await figures(committed_sessions) == {"failed": 3}
    assert not sender.calls


@pytest.mark.parametrize("refusals", [1, 4])
async def test_what_was_not_accepted_is_tried_again(committed_sessions: Sessions, refusals: int) -> None:
    await launch(committed_sessions, 1)
    sender = FakeSender(answer=lambda _, call: NotAccepted("connection refused") if call <= refusals else None)
    for _ in range(refusals + 1):
        await send_due(desk(committed_sessions, sender))
        await make_due(committed_sessions)
    assert await figures(committed_sessions) == {"sent": 1}
    assert sender.calls == refusals + 1


async def test_five_tries_and_it_has_failed(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    sender = FakeSender(answer=lambda _, __: NotAccepted("connection refused"))
    for _ in range(7):
        await send_due(desk(committed_sessions, sender))
        await make_due(committed_sessions)
    assert await figures(committed_sessions) == {"failed": 1}
    assert sender.calls == 5


async def test_a_retry_is_not_made_before_its_time(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    sender = FakeSender(answer=lambda _, __: NotAccepted("connection refused"))
    await send_due(desk(committed_sessions, sender))
    await send_due(desk(committed_sessions, sender))
    assert sender.calls == 1
    async with committed_sessions.begin() as session:
        assert (await service.counts(session, KIND, ID)).deferred == 1


async def test_a_doubtful_marketing_message_is_held(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 2)
    sender = FakeSender(answer=lambda _, __: InDoubt("read timeout"), is_swallowing=True)
    await send_due(desk(committed_sessions, sender))
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"uncertain": 2}
    assert len(sender.sent) == 2


async def test_a_doubtful_receipt_is_repeated_once(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1, message_class=MessageClass.RECEIPT)
    sender = FakeSender(answer=lambda _, __: InDoubt("read timeout"), is_swallowing=True)
    for _ in range(4):
        await send_due(desk(committed_sessions, sender))
        await make_due(committed_sessions)
    assert await figures(committed_sessions) == {"uncertain": 1}
    first, second = sender.sent
    assert first.message == second.message


async def test_a_chat_that_moved_gets_it_at_its_new_address(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 1)
    sender = FakeSender(answer=lambda address, _: Migrated("-100500") if address == "1000" else None)
    await send_due(desk(committed_sessions, sender))
    assert sender.addresses() == ["-100500"]
    async with committed_sessions.begin() as session:
        assert (await members.identity(session, audience.contacts[0].identity.id)).address == "-100500"
    assert await figures(committed_sessions) == {"sent": 1}


async def test_a_sender_that_raises_leaves_its_message_uncertain(committed_sessions: Sessions) -> None:
    def burst(_: str, __: int) -> SendOutcome | None:
        raise RuntimeError

    await launch(committed_sessions, 1)
    await send_due(desk(committed_sessions, FakeSender(answer=burst)))
    assert await figures(committed_sessions) == {"uncertain": 1}

"""Replies: at once, in order, once; and what a crash left is swept up."""

import asyncio
from datetime import UTC, datetime, time
from uuid import UUID

from sqlalchemy import text

from crm.bots import service as bots
from crm.bots.types import BotStatus
from crm.brand import service as brands
from crm.brand.types import QuietHours
from crm.consent import service as consent
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import InDoubt, MessageClass, NotAccepted, Sent, Throttled, Unauthorized, Unreachable
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.members.types import Contact
from crm.messages.types import Outbound
from tests.factories.deliveries import make_topic
from tests.factories.members import make_contact

AT = datetime(2026, 5, 1, tzinfo=UTC)


def _lane(sessions: Sessions, sender: FakeSender) -> InteractiveLane:
    return InteractiveLane(sessions, Unpaced(), {sender.name: sender})


async def _someone(sessions: Sessions) -> Contact:
    async with sessions.begin() as session:
        await make_topic(session)
        return await make_contact(session, address="42")


async def _say(
    sessions: Sessions,
    contact: Contact,
    *texts: str,
    source: UUID | None = None,
    message_class: MessageClass = MessageClass.REPLY,
    is_gated: bool = False,
) -> list[UUID]:
    async with sessions.begin() as session:
        return await service.replies(
            session,
            contact.identity,
            ("update", str(source or uuid7(AT))),
            [Outbound(item) for item in texts],
            message_class=message_class,
            is_gated=is_gated,
        )


async def _states(sessions: Sessions) -> list[str]:
    async with sessions.begin() as session:
        rows = await session.scalars(text("SELECT state FROM delivery_states ORDER BY source_id, step"))
        return list(rows.all())


_PAST = "due_at = due_at - interval '1 h', lease_until = lease_until - interval '1 h'"


async def _overdue(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await session.execute(text(f"UPDATE delivery_replies SET {_PAST}"))


def _texts(sender: FakeSender) -> list[str]:
    return [item.message.text_html for item in sender.sent]


async def test_replies_go_out_in_order_and_leave_no_body_behind(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    ids = await _say(committed_sessions, contact, "one", "two", "three")
    assert await _states(committed_sessions) == ["queued"] * 3
    sender = FakeSender()
    await _lane(committed_sessions, sender).deliver_now(ids)
    assert _texts(sender) == ["one", "two", "three"]
    assert await _states(committed_sessions) == ["sent"] * 3
    async with committed_sessions.begin() as session:
        assert await session.scalar(text("SELECT count(*) FROM delivery_replies")) == 0


async def test_the_same_update_answers_once(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    source = uuid7(AT)
    first = await _say(committed_sessions, contact, "hello", source=source)
    again = await _say(committed_sessions, contact, "hello", source=source)
    assert first == again
    sender = FakeSender()
    await asyncio.gather(*(_lane(committed_sessions, sender).deliver_now(first) for _ in range(5)))
    assert _texts(sender) == ["hello"]


async def test_bodies_are_sealed(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    await _say(committed_sessions, contact, "your code is 1234")
    async with committed_sessions.begin() as session:
        body = await session.scalar(text("SELECT body FROM delivery_replies"))
    assert b"1234" not in body


async def test_what_a_crash_left_before_the_claim_is_swept(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    await _say(committed_sessions, contact, "one", "two")
    sender = FakeSender()
    lane = _lane(committed_sessions, sender)
    assert await lane.sweep() == 0, "the committing process comes first"
    await _overdue(committed_sessions)
    assert await lane.sweep() == 1
    assert _texts(sender) == ["one", "two"]


async def _crash_in_the_call(sessions: Sessions, ids: list[UUID], sender: FakeSender) -> None:
    sender.gate = asyncio.Event()
    task = asyncio.create_task(_lane(sessions, sender).deliver_now(ids))
    async with asyncio.timeout(30):
        while not sender.sent:  # noqa: ASYNC110 - the fake is watched from outside
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sender.gate = None


async def test_a_reply_in_doubt_is_repeated_once_and_then_held(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    ids = await _say(committed_sessions, contact, "hello")
    first, second, third = FakeSender(), FakeSender(), FakeSender()
    await _crash_in_the_call(committed_sessions, ids, first)
    assert await _states(committed_sessions) == ["sending"]
    await _overdue(committed_sessions)
    await _crash_in_the_call(committed_sessions, ids, second)
    await _overdue(committed_sessions)
    await _lane(committed_sessions, third).sweep()
    assert (len(first.sent), len(second.sent), len(third.sent)) == (1, 1, 0)
    assert await _states(committed_sessions) == ["uncertain"]


async def test_a_receipt_in_doubt_bears_the_same_number_twice(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    ids = await _say(committed_sessions, contact, "you earned 5", message_class=MessageClass.RECEIPT)
    sender = FakeSender(answer=lambda _, call: InDoubt("timeout") if call == 1 else None, is_swallowing=True)
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(ids)
    assert await _states(committed_sessions) == ["queued"]
    await _overdue(committed_sessions)
    await lane.sweep()
    first, second = _texts(sender)
    assert first == second != "you earned 5"
    assert await _states(committed_sessions) == ["sent"]


async def test_a_throttled_reply_holds_up_the_later_ones_of_its_chat(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender()
    sender.queued.append(Throttled(3))
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(await _say(committed_sessions, contact, "one"))
    await lane.deliver_now(await _say(committed_sessions, contact, "two"))
    assert not sender.sent
    async with committed_sessions.begin() as session:
        paused = (await bots.get(session, contact.identity.bot_id)).bulk_paused_until
        assert paused is not None, "replies go first"
        assert paused > await clock.now(session)
    await _overdue(committed_sessions)
    await lane.sweep()
    assert _texts(sender) == ["one", "two"]


async def test_refused_calls_are_tried_five_times(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender(answer=lambda _, __: NotAccepted("refused"))
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(await _say(committed_sessions, contact, "one"))
    for _ in range(6):
        await _overdue(committed_sessions)
        await lane.sweep()
    assert sender.calls == 5
    assert await _states(committed_sessions) == ["failed"]


async def test_a_blocked_member_is_noted(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender(answer=lambda _, __: Unreachable("blocked"))
    await _lane(committed_sessions, sender).deliver_now(await _say(committed_sessions, contact, "one"))
    async with committed_sessions.begin() as session:
        assert not (await members.identity(session, contact.identity.id)).is_reachable
    assert await _states(committed_sessions) == ["suppressed"]


async def test_a_revoked_token_keeps_the_queue(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender()
    sender.queued.append(Unauthorized("401"))
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(await _say(committed_sessions, contact, "one"))
    await _overdue(committed_sessions)
    await lane.sweep()
    assert (sender.calls, await _states(committed_sessions)) == (1, ["queued"])
    async with committed_sessions.begin() as session:
        assert (await bots.start(session, contact.identity.bot_id)).status is BotStatus.ACTIVE
    await _overdue(committed_sessions)
    await lane.sweep()
    assert _texts(sender) == ["one"]


async def test_reminders_respect_a_stop(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    async with committed_sessions.begin() as session:
        await consent.withdraw(session, contact.member.id, channel="telegram", topic="news", source="test")
    sender = FakeSender()
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(await _say(committed_sessions, contact, "still there?", is_gated=True))
    await lane.deliver_now(await _say(committed_sessions, contact, "an answer"))
    assert _texts(sender) == ["an answer"]


async def test_a_reminder_waits_for_the_morning_but_answers_do_not(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    async with committed_sessions.begin() as session:
        now = (await clock.now(session)).astimezone(UTC)
        start, end = time(now.hour), time((now.hour + 2) % 24)
        await brands.change(session, quiet_hours=QuietHours(start, end), time_zone="UTC")
    sender = FakeSender()
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(await _say(committed_sessions, contact, "still there?", is_gated=True))
    await lane.deliver_now(await _say(committed_sessions, contact, "an answer"))
    assert _texts(sender) == ["an answer"]
    async with committed_sessions.begin() as session:
        await brands.change(session, quiet_hours=None)
        await session.execute(text("UPDATE delivery_replies SET due_at = clock_timestamp()"))
    await lane.sweep()
    assert _texts(sender) == ["an answer", "still there?"]


async def test_twenty_replies_to_one_chat_from_many_processes_keep_their_order(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender(latency=0.001, answer=lambda _, call: Sent(str(call)))
    sender.is_swallowing = True
    lane = _lane(committed_sessions, sender)

    async def turn(number: int) -> asyncio.Task[None]:
        ids = await _say(committed_sessions, contact, f"{number:02}")
        return asyncio.create_task(lane.deliver_now(ids))

    await asyncio.gather(*[await turn(number) for number in range(20)])
    assert _texts(sender) == [f"{number:02}" for number in range(20)]


async def test_told_to_stop_it_finishes_one_reply_and_leaves_the_rest(committed_sessions: Sessions) -> None:
    contact = await _someone(committed_sessions)
    ids = await _say(committed_sessions, contact, "one", "two", "three")
    sender = FakeSender(gate=asyncio.Event())
    lane = _lane(committed_sessions, sender)
    sending = asyncio.create_task(lane.deliver_now(ids))
    while not sender.sent:  # noqa: ASYNC110 - the fake is watched from outside
        await asyncio.sleep(0.01)
    lane.stop()
    assert sender.gate is not None
    sender.gate.set()
    await sending
    await _overdue(committed_sessions)
    assert await lane.sweep() == 0
    assert _texts(sender) == ["one"]
    assert await _lane(committed_sessions, sender).sweep() == 1
    assert _texts(sender) == ["one", "two", "three"]


async def test_what_a_killed_siyu_held_is_free_at_once_when_nobody_else_can_be_sending(
    committed_sessions: Sessions,
) -> None:
    contact = await _someone(committed_sessions)
    sender = FakeSender()
    lane = _lane(committed_sessions, sender)
    await _say(committed_sessions, contact, "hello")
    async with committed_sessions.begin() as session:
        held = "UPDATE delivery_replies SET lease_until = clock_timestamp() + interval '60 s', fence = 1"
        await session.execute(text(held + ", due_at = due_at - interval '1 h'"))
    await lane.sweep()
    assert sender.sent == []
    async with committed_sessions.begin() as session:
        await service.abandon_leases(session)
    await lane.sweep()
    assert len(sender.sent) == 1


async def test_a_long_reply_is_several_messages_in_order(committed_sessions: Sessions) -> None:
    contact, sender = await _someone(committed_sessions), FakeSender()
    long = "\n\n".join(letter * 3000 for letter in "abc")
    source = uuid7(AT)
    ids = await _say(committed_sessions, contact, long, "and more", source=source)
    assert await _say(committed_sessions, contact, long, "and more", source=source) == ids
    await _lane(committed_sessions, sender).deliver_now(ids)
    assert [message[0] for message in _texts(sender)] == ["a", "b", "c", "a"]
    assert _texts(sender)[3] == "and more"


async def test_a_doubtful_part_neither_drops_the_rest_nor_repeats_what_arrived(committed_sessions: Sessions) -> None:
    contact, sender = await _someone(committed_sessions), FakeSender()
    sender.queued.extend([Sent("1"), InDoubt("no answer"), InDoubt("no answer"), Sent("4")])
    ids = await _say(committed_sessions, contact, "\n\n".join(letter * 3000 for letter in "abc"))
    lane = _lane(committed_sessions, sender)
    await lane.deliver_now(ids)
    await _overdue(committed_sessions)
    await lane.sweep()
    assert await _states(committed_sessions) == ["sent", "uncertain", "sent"]
    assert sender.calls == 4, "the first part once, the doubtful one twice, the last once"


async def test_each_part_of_a_receipt_has_room_for_its_number(committed_sessions: Sessions) -> None:
    contact, sender = await _someone(committed_sessions), FakeSender()
    ids = await _say(committed_sessions, contact, "word " * 1638, message_class=MessageClass.RECEIPT)
    await _lane(committed_sessions, sender).deliver_now(ids)
    assert len(sender.sent) == len(ids) == 3
    assert all("Ref. " in message and len(message) <= 4096 for message in _texts(sender))

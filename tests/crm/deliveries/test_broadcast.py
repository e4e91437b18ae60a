"""A broadcast from launch to its end: each member once, and figures that equal the rows."""

from datetime import time, timedelta

from sqlalchemy import text

from crm.brand import service as brands
from crm.brand.types import FrequencyCap, QuietHours
from crm.consent import service as consent
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.sending import ChunkRun, send_due, take_next
from crm.deliveries.testing import FakeRenderer, FakeSender
from crm.deliveries.types import BroadcastStatus, DeliveryState, MessageClass, Sent
from crm.events import service as events
from crm.members import service as members
from tests.factories.deliveries import (
    ID,
    KIND,
    agree,
    desk,
    figures,
    launch,
    make_audience,
    make_due,
)
from tests.factories.members import make_contact


async def test_everyone_gets_it_once(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 60)
    assert await figures(committed_sessions) == {"queued": 60}
    sender, renderer = FakeSender(), FakeRenderer()
    await send_due(desk(committed_sessions, sender, renderer=renderer))
    assert sorted(sender.addresses()) == sorted(audience.addresses)
    assert await figures(committed_sessions) == {"sent": 60}
    assert renderer.loads == 1, "merge data come by the window, not by the member"
    assert sender.sent[0].message.text_html == f"hello {audience.contacts[0].member.id}"


async def test_a_bot_that_was_slow_is_judged_in_small_windows_until_it_is_fast_again(
    committed_sessions: Sessions,
) -> None:
    audience = await launch(committed_sessions, 60)
    renderer = FakeRenderer()
    slow = desk(committed_sessions, FakeSender(), renderer=renderer)
    slow.paces[audience.bot.id] = 2.0
    await send_due(slow)
    assert await figures(committed_sessions) == {"sent": 60}
    assert renderer.loads == 2, "four that were judged for two slow seconds, then the others at once"


async def test_a_second_launch_adds_nothing(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 3)
    async with committed_sessions.begin() as session:
        again = await service.start_broadcast(session, KIND, ID, audience.select())
    assert again.total == 3
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) == 3


async def test_finishing_is_derived_and_announced_once(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 3)
    await send_due(desk(committed_sessions, FakeSender()))
    async with committed_sessions.begin() as session:
        assert (await service.get(session, KIND, ID)).finished_at is not None
        kinds = await session.scalars(text("SELECT kind FROM events WHERE kind = 'broadcast_finished'"))
        assert kinds.all() == ["broadcast_finished"]


async def test_a_growing_source_takes_new_members_only(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 3)
        assert await service.extend_broadcast(session, KIND, ID, audience.select()) == 3
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    async with committed_sessions.begin() as session:
        contact = await make_contact(session, bot=audience.bot, address="77")
        await agree(session, contact)
        audience.contacts.append(contact)
        assert await service.extend_broadcast(session, KIND, ID, audience.select()) == 1
        assert await service.extend_broadcast(session, KIND, ID, audience.select()) == 0
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) == 4
    assert sender.addresses()[-1] == "77"


async def test_gates_are_judged_at_the_time_of_sending(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 4)
    withdrawn, blocked, erased, _ = audience.contacts
    async with committed_sessions.begin() as session:
        await consent.withdraw_all(session, withdrawn.member.id, source="test")
        await members.set_reachable(session, blocked.identity.id, False, "blocked")
        await session.execute(text("UPDATE members SET status = 'erased' WHERE id = :id"), {"id": erased.member.id})
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert sender.addresses() == [audience.addresses[3]]
    expected = {"sent": 1, "suppressed:no_consent": 1, "suppressed:unreachable": 1, "suppressed:inactive": 1}
    assert await figures(committed_sessions) == expected


async def test_a_receipt_needs_no_consent_and_bears_its_number(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 1, has_consent=False)
        await service.start_broadcast(session, KIND, ID, audience.select(), message_class=MessageClass.RECEIPT)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert "Ref. " in sender.sent[0].message.text_html


async def test_the_last_active_reachable_identity_is_chosen(committed_sessions: Sessions) -> None:
    later = "UPDATE identities SET member_id = :member, last_seen_at = siyu_now() + interval '1 h' WHERE id = :id"
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 1)
        member_id = audience.contacts[0].member.id
        other = await make_contact(session, bot=audience.bot, address="99")
        await session.execute(text(later), {"member": member_id, "id": other.identity.id})
        await service.start_broadcast(session, KIND, ID, audience.select())
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert sender.addresses() == ["99"]


async def test_what_is_too_late_is_suppressed(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 2)
        soon = await clock.now(session) + timedelta(milliseconds=1)
        await service.start_broadcast(session, KIND, ID, audience.select(), send_before=soon)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"suppressed:expired": 2}
    assert not sender.sent


async def test_quiet_hours_defer_and_say_until_when(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await brands.change(session, quiet_hours=QuietHours(time(0), time(23, 59)), time_zone="UTC")
    await launch(committed_sessions, 1)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    async with committed_sessions.begin() as session:
        now = await clock.now(session)
        counts = await service.counts(session, KIND, ID)
        (recipient,) = (await service.recipients(session, KIND, ID)).items
        await brands.change(session, quiet_hours=None)
    if now.strftime("%H:%M") != "23:59":
        assert (counts.by_state["queued"], counts.deferred) == (1, 1)
        assert recipient.reason == "quiet_hours"
        assert recipient.not_before == counts.next_at is not None
    await make_due(committed_sessions)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 1}


async def test_the_frequency_cap_holds_over_broadcasts(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await brands.change(session, frequency_cap=FrequencyCap(2, 7))
        audience = await make_audience(session, 3)
        for number in range(1, 4):
            await service.start_broadcast(session, "other", number, audience.select())
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) == 6
    async with committed_sessions.begin() as session:
        last = await service.counts(session, "other", 3)
    assert last.suppressed == {"frequency_cap": 3}


async def test_pause_stops_within_a_group_and_resume_goes_on(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 80)
    sender = FakeSender()
    work = desk(committed_sessions, sender)
    lease = await take_next(work)
    assert lease is not None
    run = ChunkRun(work, lease)
    async with committed_sessions.begin() as session:
        await service.pause(session, KIND, ID)
    await run.run()
    assert not sender.sent
    assert await take_next(work) is None
    async with committed_sessions.begin() as session:
        assert (await service.resume(session, KIND, ID)).status is BroadcastStatus.ACTIVE
    await send_due(work)
    assert await figures(committed_sessions) == {"sent": 80}
    assert len(set(sender.addresses())) == len(sender.sent) == 80


async def test_cancel_leaves_the_rest_cancelled(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 5)
    async with committed_sessions.begin() as session:
        await service.cancel(session, KIND, ID)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"cancelled": 5}
    assert not sender.sent


async def test_recipients_come_in_pages_and_by_state(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 7)
    async with committed_sessions.begin() as session:
        await members.set_reachable(session, audience.contacts[2].identity.id, False, "blocked")
    await send_due(desk(committed_sessions, FakeSender()))
    async with committed_sessions.begin() as session:
        first = await service.recipients(session, KIND, ID, limit=4)
        rest = await service.recipients(session, KIND, ID, limit=4, cursor=first.next_cursor)
        refused = await service.recipients(session, KIND, ID, state=DeliveryState.SUPPRESSED)
        history = await service.of_member(session, audience.contacts[2].member.id)
    assert [item.member_id for item in first.items + rest.items] == [one.member.id for one in audience.contacts]
    assert rest.next_cursor is None
    assert [(item.member_id, item.reason) for item in refused.items] == [
        (audience.contacts[2].member.id, "unreachable")
    ]
    assert [(item.source_kind, item.state, item.reason) for item in history] == [
        ("campaign", "suppressed", "unreachable")
    ]


async def test_a_merged_member_is_reached_once(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 3)
    keep, drop, outside = audience.contacts
    async with committed_sessions.begin() as session:
        stranger = await make_contact(session, bot=audience.bot, address="55")
        await agree(session, stranger)
        for gone, into in ((drop, keep), (outside, stranger)):
            values = {"gone": gone.member.id, "into": into.member.id}
            await session.execute(
                text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :gone"), values
            )
            await session.execute(text("UPDATE identities SET member_id = :into WHERE member_id = :gone"), values)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 2, "suppressed:moved": 1}
    assert {item.message.text_html for item in sender.sent} == {
        f"hello {keep.member.id}",
        f"hello {stranger.member.id}",
    }


async def test_a_receipt_of_the_channel_makes_it_delivered(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 2)
    sender = FakeSender(answer=lambda address, _: Sent(f"ref-{address}", awaits_receipt=True))
    await send_due(desk(committed_sessions, sender))
    first = audience.contacts[0].identity
    async with committed_sessions.begin() as session:
        assert await service.confirm(session, first.id, [f"ref-{first.address}", "unknown"]) == 1
        assert await service.confirm(session, first.id, [f"ref-{first.address}"]) == 0
    assert await figures(committed_sessions) == {"sent": 1, "delivered": 1}


async def test_counts_of_an_unknown_source_are_empty(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        assert (await service.counts(session, KIND, 404)).total == 0
        assert await events.timeline(session, 1) == []

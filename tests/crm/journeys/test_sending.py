"""From the sign-up through the relay to the message, with workers side by side."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import service as deliveries
from crm.deliveries.testing import FakeSender
from crm.events.relay import relay_all
from crm.journeys import contents, service
from crm.journeys.jobs import advance, enroll
from crm.sign_ups import service as sign_ups
from tests.factories.campaigns import make_segment, send_until
from tests.factories.deliveries import agree, make_audience, make_topic
from tests.factories.journeys import SEND, graph, make_journey, wait, ways, welcome
from tests.factories.members import make_contact

_LATER = "UPDATE enrollments SET due_at = due_at - interval '1 day' WHERE due_at IS NOT NULL"


async def test_a_sign_up_leads_to_a_greeting(committed_sessions: Sessions, valkey_url: str) -> None:
    async with committed_sessions.begin() as session:
        await make_topic(session)
        journey = await make_journey(session, welcome(await make_segment(session)))
        contact = await make_contact(session, address="4711", display_name="Mei")
        await session.execute(text("UPDATE bots SET bulk_rate = 1000"))
        await agree(session, contact)
        await sign_ups.complete(session, contact.member.id, channel="telegram")
    await asyncio.gather(*(relay_all(committed_sessions) for _ in range(3)))
    assert await advance.run(committed_sessions) == 1
    assert await advance.run(committed_sessions) == 0
    async with committed_sessions.begin() as session:
        await session.execute(text(_LATER))
    while sum(await asyncio.gather(*(advance.run(committed_sessions) for _ in range(3)))):
        pass
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: bool(sender.sent))
    assert [(item.address, item.message.text_html) for item in sender.sent] == [("4711", "Hello Mei")]
    async with committed_sessions.begin() as session:
        assert await ways(session, journey.id) == {contact.member.id: (None, "finished")}
        counts = await deliveries.counts_under(session, contents.SOURCE, contents.stem(journey.id, 1, "greet"))
    assert counts.by_state["sent"] == counts.total == 1


async def test_ticks_side_by_side_take_each_member_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 40)
        old = await clock.now(session) - timedelta(days=30)
        await session.execute(text("UPDATE profiles SET signed_up_at = :at"), {"at": old})
        journey = await make_journey(session, graph("a", a=wait("b", minutes=1), b=SEND), days=7)
    entered = await asyncio.gather(*(enroll.run(committed_sessions) for _ in range(5)))
    assert sum(entered) == 40
    moved = await asyncio.gather(*(advance.run(committed_sessions) for _ in range(5)))
    assert sum(moved) == 40
    async with committed_sessions.begin() as session:
        await session.execute(text(_LATER))
    moved = await asyncio.gather(*(advance.run(committed_sessions) for _ in range(5)))
    assert sum(moved) == 40
    async with committed_sessions.begin() as session:
        counts = await service.counts(session, journey.id)
        made = await deliveries.counts_under(session, contents.SOURCE, contents.stem(journey.id, 1, "b"))
        events = text("SELECT kind, count(*) AS number FROM events WHERE kind LIKE 'journey_%' GROUP BY 1")
        announced = {row.kind: row.number for row in await session.execute(events)}
    assert (counts.entered, counts.ended) == (40, {"finished": 40})
    assert made.by_state["queued"] == made.total == len(audience.contacts) == 40
    assert announced == {"journey_entered": 40, "journey_ended": 40}


async def test_two_changes_at_once_make_two_versions(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        journey = await make_journey(session, graph("a", a=wait()))

    async def change(days: int) -> None:
        async with committed_sessions.begin() as session:
            await service.change(session, journey.id, graph=graph("a", a=wait(days=days)))

    await asyncio.gather(*(change(days) for days in (2, 3, 4)))
    async with committed_sessions.begin() as session:
        assert (await service.get(session, journey.id)).version == 4

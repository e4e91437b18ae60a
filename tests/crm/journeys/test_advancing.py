"""Members enter once and move at their time, whatever else happens to the journey."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import MemberSignedUp
from crm.events.service import publish, timeline
from crm.journeys import contents, service
from crm.journeys.advancing import advance_due
from crm.journeys.enrolling import enroll_absent, enroll_signed_up
from crm.journeys.nodes.wait import WAIT
from crm.members import service as members
from crm.profiles import service as profiles
from crm.segments import service as segments
from crm.tags import service as tags
from tests.conftest import At
from tests.factories.campaigns import make_segment
from tests.factories.journeys import SEND, check, graph, make_journey, wait, ways, welcome
from tests.factories.members import make_contact, make_member

VIP = {"condition": "tag", "tag": "vip"}


async def _sent(session: AsyncSession, journey_id: int) -> dict[str, list[int]]:
    rows = await session.execute(
        text(
            "SELECT source_id, member_id FROM delivery_states WHERE source_kind = 'journey'"
            " AND source_id LIKE :ours ORDER BY member_id"
        ),
        {"ours": f"{journey_id}.%"},
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.source_id, []).append(row.member_id)
    return found


async def test_wait_then_check_then_send(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    vip, other = await make_member(session), await make_member(session)
    journey = await make_journey(session, welcome(await make_segment(session, VIP)))
    for member in (vip, other):
        assert await enroll_signed_up(session, member.id) == 1
        assert await enroll_signed_up(session, member.id) == 0
    assert await advance_due(session) == 2
    assert await ways(session, journey.id) == {vip.id: ("who", None), other.id: ("who", None)}
    await at(session, "2026-03-02T07:59:59+08:00")
    assert await advance_due(session) == 0
    await tags.add(session, vip.id, "vip", source="test")
    await at(session, "2026-03-02T08:00:00+08:00")
    assert [await advance_due(session) for _ in range(3)] == [2, 1, 0]
    assert await ways(session, journey.id) == {vip.id: (None, "finished"), other.id: (None, "finished")}
    assert await _sent(session, journey.id) == {f"{journey.id}.1.greet": [vip.id]}
    counts = await service.counts(session, journey.id)
    assert (counts.entered, counts.active, counts.ended) == (2, 0, {"finished": 2})
    kinds = [event.kind for event in await timeline(session, vip.id)]
    assert kinds.count("journey_entered") == kinds.count("journey_ended") == 1
    assert [one.member_id for one in (await service.enrollments(session, journey.id)).items] == [other.id, vip.id]


async def test_absence_is_counted_in_the_brands_days(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    long_gone, lately, never, lead, today = [await make_member(session) for _ in range(5)]
    joined = datetime(2026, 2, 25, 20, tzinfo=UTC)
    days = {long_gone.id: date(2026, 2, 20), lately.id: date(2026, 2, 27), never.id: None, today.id: date(2026, 3, 1)}
    for member_id, day in days.items():
        await profiles.record(session, member_id, signed_up_at=joined, last_check_in_on=day)
    journey = await make_journey(session, graph("a", a=wait()), days=3)
    await at(session, "2026-03-01T23:59+08:00")
    assert await enroll_absent(session) == 2, "who joined on the 26th in Shanghai has been away for three days"
    assert set(await ways(session, journey.id)) == {long_gone.id, never.id}
    await at(session, "2026-03-02T00:00+08:00")
    assert [await enroll_absent(session), await enroll_absent(session)] == [1, 0]
    assert set(await ways(session, journey.id)) == {long_gone.id, never.id, lately.id}
    assert lead.id not in await ways(session, journey.id)


async def test_those_on_their_way_keep_their_version(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    early, late = await make_member(session), await make_member(session)
    everyone = await make_segment(session)
    journey = await make_journey(session, welcome(everyone, "First"))
    await enroll_signed_up(session, early.id)
    await advance_due(session)
    changed = await service.change(session, journey.id, name="Warm welcome", graph=welcome(everyone, "Second"))
    assert (changed.version, changed.name) == (2, "Warm welcome")
    await enroll_signed_up(session, late.id)
    await advance_due(session)
    await at(session, "2026-03-03T08:00+08:00")
    while await advance_due(session):
        pass
    first, second = f"{journey.id}.1.greet", f"{journey.id}.2.greet"
    assert await _sent(session, journey.id) == {first: [early.id], second: [late.id]}
    assert (await contents.content(session, first)).text == {"en": "First"}
    assert (await contents.content(session, second)).text == {"en": "Second"}


async def test_a_name_alone_makes_no_version(session: AsyncSession) -> None:
    journey = await make_journey(session, graph("a", a=wait()))
    assert (await service.change(session, journey.id, name="Other")).version == 1


async def test_a_node_that_fails_ends_its_members_way_and_no_other(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    segment_id = await make_segment(session)
    broken = await make_journey(session, graph("who", who=check(segment_id, yes="a", no="a"), a=wait()))
    sound = await make_journey(session, graph("a", a=wait()))
    member = await make_member(session)
    await enroll_signed_up(session, member.id)
    gone = text("""UPDATE segments SET rule = '{"condition": "gone"}' WHERE id = :id""")
    await session.execute(gone, {"id": segment_id})
    assert await advance_due(session) == 2
    assert await ways(session, broken.id) == {member.id: (None, "failed")}
    assert await ways(session, sound.id) == {member.id: (None, "finished")}
    assert await advance_due(session) == 0
    assert (await service.counts(session, broken.id)).ended == {"failed": 1}


async def test_a_busy_database_fails_nobody(session: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    journey = await make_journey(session, graph("a", a=wait()))
    member = await make_member(session)
    await enroll_signed_up(session, member.id)

    async def lose(running: AsyncSession, *_: Any) -> None:
        await running.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = 'deadlock_detected'; END $$"))

    monkeypatch.setattr(type(WAIT), "run", lambda _, running, parameters, batch: lose(running, parameters, batch))
    with pytest.raises(DBAPIError):
        await advance_due(session)
    monkeypatch.undo()
    assert await ways(session, journey.id) == {member.id: ("a", None)}
    assert await advance_due(session) == 1


async def test_a_paused_journey_moves_and_takes_in_nobody(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    waiting, late = await make_member(session), await make_member(session)
    journey = await make_journey(session, graph("a", a=wait("b"), b=SEND))
    await enroll_signed_up(session, waiting.id)
    await advance_due(session)
    await service.pause(session, journey.id)
    await at(session, "2026-03-05T08:00+08:00")
    assert await enroll_signed_up(session, late.id) == 0
    assert await advance_due(session) == 0
    await service.activate(session, journey.id)
    assert await advance_due(session) == 1
    assert await ways(session, journey.id) == {waiting.id: (None, "finished")}


async def test_an_archived_segment_is_still_checked_on_the_way(session: AsyncSession) -> None:
    member, segment_id = await make_member(session), await make_segment(session)
    journey = await make_journey(
        session, graph("who", who=check(segment_id, yes="b", no="c"), b=wait("d"), c=wait(), d=wait())
    )
    await enroll_signed_up(session, member.id)
    await segments.archive(session, segment_id)
    await advance_due(session)
    assert await ways(session, journey.id) == {member.id: ("b", None)}


async def test_a_member_who_is_gone_is_sent_nothing(session: AsyncSession) -> None:
    contact = await make_contact(session)
    journey = await make_journey(session, graph("a", a=SEND))
    await enroll_signed_up(session, contact.member.id)
    await session.execute(text("UPDATE profiles SET is_active = false"))
    await advance_due(session)
    assert await _sent(session, journey.id) == {}
    assert await enroll_signed_up(session, contact.member.id) == 0


async def test_each_journey_of_a_member_goes_its_own_way(session: AsyncSession) -> None:
    member = await make_member(session)
    first = await make_journey(session, graph("a", a=wait("b"), b=wait()))
    second = await make_journey(session, graph("a", a=SEND))
    draft = await make_journey(session, graph("a", a=SEND), is_active=False)
    await members.mark_signed_up(session, member.id)
    await publish(session, MemberSignedUp(member_id=member.id, channel="telegram"))
    assert await enroll_signed_up(session, member.id) == 2
    await advance_due(session)
    assert await ways(session, first.id) == {member.id: ("b", None)}
    assert await ways(session, second.id) == {member.id: (None, "finished")}
    assert await ways(session, draft.id) == {}

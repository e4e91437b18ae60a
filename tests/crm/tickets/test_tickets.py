"""Asking for a person, answers, and what a merge makes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.conversations.types import Direction
from crm.members import merging
from crm.members import service as members
from crm.orders import service as orders
from crm.tickets import answers
from crm.tickets import service as tickets
from crm.tickets.errors import EmptyReply, NoChannel, TicketNotFound
from crm.tickets.types import Noted, TicketStatus
from tests.conftest import At
from tests.factories.members import make_contact, make_member
from tests.factories.orders import new_order
from tests.factories.tiers import evaluate_all, make_programme, rules, tier


async def test_one_open_ticket_for_a_member(session: AsyncSession) -> None:
    member = await make_member(session)
    first = await tickets.request_person(session, member.id, note="my tea\x00 is cold")
    again = await tickets.request_person(session, member.id)
    assert first.id == again.id
    assert again.note == "my tea is cold"
    assert b"cold" not in bytes(await session.scalar(text("SELECT note FROM tickets")))
    asked = await session.scalar(text("SELECT count(*) FROM events WHERE kind = 'person_requested'"))
    assert asked == 1
    closed = await tickets.close(session, first.id, by="operator:3")
    assert (closed.status, closed.closed_by) == (TicketStatus.CLOSED, "operator:3")
    assert await tickets.close(session, first.id, by="operator:4") == closed
    assert (await tickets.request_person(session, member.id)).id != first.id


async def test_lists_by_state_and_page(session: AsyncSession) -> None:
    opened = [await tickets.request_person(session, (await make_member(session)).id) for _ in range(3)]
    await tickets.close(session, opened[0].id, by="operator:1")
    page = await tickets.listing(session, limit=1)
    assert [item.id for item in page.items] == [opened[2].id]
    rest = await tickets.listing(session, limit=5, cursor=page.next_cursor)
    assert [item.id for item in rest.items] == [opened[1].id]
    assert len((await tickets.listing(session, status=None)).items) == 3


async def test_operator_answers_where_the_member_asked(session: AsyncSession) -> None:
    contact = await make_contact(session)
    ticket = await tickets.request_person(session, contact.member.id, identity_id=contact.identity.id)
    await answers.reply(session, ticket.id, " On my way <3 ", operator_id=3)
    answered = (await answers.reply(session, ticket.id, "Here", operator_id=3)).ticket
    assert answered.answered_at is not None
    last, first = await conversations.transcript(session, contact.member.id)
    assert (first.text, first.direction, first.operator_id, last.text) == (
        "On my way <3",
        Direction.OPERATOR,
        3,
        "Here",
    )
    sent = await session.execute(text("SELECT identity_id FROM delivery_replies ORDER BY position"))
    assert sent.scalars().all() == [contact.identity.id] * 2


@pytest.mark.parametrize("words", ["", "  ", "x" * 4001])
async def test_empty_or_endless_answers_are_refused(session: AsyncSession, words: str) -> None:
    ticket = await tickets.request_person(session, (await make_member(session)).id)
    with pytest.raises(EmptyReply):
        await answers.reply(session, ticket.id, words, operator_id=3)


async def test_no_answer_to_someone_who_blocked_us(session: AsyncSession) -> None:
    contact = await make_contact(session)
    ticket = await tickets.request_person(session, contact.member.id)
    await members.set_reachable(session, contact.identity.id, False, "blocked")
    with pytest.raises(NoChannel):
        await answers.reply(session, ticket.id, "hello?", operator_id=3)
    with pytest.raises(TicketNotFound):
        await answers.reply(session, ticket.id + 1, "hello?", operator_id=3)


async def test_messages_are_noted_while_a_ticket_is_open(session: AsyncSession, at: At) -> None:
    moment = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    assert await tickets.note_message(session, member.id) is Noted.NOT
    await tickets.request_person(session, member.id)
    seen = []
    for minutes in (1, 2, 5, 30):
        await at(session, (moment + timedelta(minutes=minutes)).isoformat())
        seen.append(await tickets.note_message(session, member.id))
    assert seen == [Noted.FIRST, Noted.AGAIN, Noted.AGAIN, Noted.FIRST]


async def test_merge_keeps_one_open_and_can_be_undone(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    first = await tickets.request_person(session, keep.id)
    second = await tickets.request_person(session, drop.id)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert [item.id for item in (await tickets.listing(session)).items] == [first.id]
    assert (await tickets.get(session, second.id)).member_id == keep.id
    await merging.undo(session, merge_id, by="operator:1")
    again = await tickets.get(session, second.id)
    assert (again.member_id, again.status) == (drop.id, TicketStatus.OPEN)


async def test_members_with_priority_service_come_first(session: AsyncSession) -> None:
    people = [(await make_member(session)).id for _ in range(5)]
    for member_id in people[:2]:
        await orders.record(session, new_order(member_id))
    opened = [(await tickets.request_person(session, member_id)).id for member_id in people]
    assert not any(item.comes_first for item in (await tickets.listing(session)).items)
    await make_programme(session, rules(tier("silver", "1", has_priority=True)))
    await evaluate_all(session)
    shown = (await tickets.listing(session)).items
    assert [item.id for item in shown] == [opened[place] for place in (1, 0, 4, 3, 2)]
    assert [item.comes_first for item in shown] == [True, True, False, False, False]
    paged, cursor = [], None
    for _ in range(3):
        page = await tickets.listing(session, limit=2, cursor=cursor)
        paged += page.items
        cursor = page.next_cursor
    assert paged == shown
    assert cursor is None
    everything = await tickets.listing(session, status=None, limit=4)
    assert [item.id for item in everything.items] == opened[:0:-1]
    rest = await tickets.listing(session, status=None, cursor=everything.next_cursor)
    assert [(item.id, item.comes_first) for item in rest.items] == [(opened[0], True)]
    assert (await tickets.get(session, opened[0])).comes_first
    assert (await tickets.close(session, opened[1], by="operator:1")).comes_first

"""Asking for a person, and what operators do about it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import case, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.events.catalogue import PersonRequested
from crm.events.service import publish
from crm.kit.paging import Page, check_limit, decode_cursor, encode_cursor
from crm.kit.text import clean_text
from crm.tickets.errors import TicketNotFound
from crm.tickets.models import TicketRow
from crm.tickets.types import Noted, Ticket, TicketStatus
from crm.tiers.service import standings
from crm.tiers.views import standings as tier_standings

MAX_NOTE = 2000
QUIET = timedelta(minutes=10)


async def request_person(
    session: AsyncSession, member_id: int, *, identity_id: int | None = None, note: str = ""
) -> Ticket:
    """Open a ticket for the member, or answer the one that is open."""
    found = await _open_of(session, member_id)
    if found is not None:
        return await ticket(session, found)
    moment = await clock.now(session)
    values = {"member_id": member_id, "identity_id": identity_id, "created_at": moment, "last_message_at": moment}
    row = (await session.execute(insert(TicketRow).values(values).returning(TicketRow))).scalar_one()
    if note.strip():
        row.note = vault(session).seal(clean_text(note)[:MAX_NOTE], _place(row.id))
        await session.flush()
    await publish(session, PersonRequested(member_id=member_id, ticket_id=row.id))
    return await ticket(session, row)


async def open_by_operator(session: AsyncSession, member_id: int) -> Ticket:
    """The member's open ticket, else a new one because an operator writes first: what they answer comes to people."""
    found = await _open_of(session, member_id)
    if found is None:
        moment = await clock.now(session)
        values = {"member_id": member_id, "created_at": moment, "last_message_at": moment}
        found = (await session.execute(insert(TicketRow).values(values).returning(TicketRow))).scalar_one()
    return await ticket(session, found)


async def find_open(session: AsyncSession, member_id: int) -> Ticket | None:
    """The member's open ticket, if there is one."""
    found = await _open_of(session, member_id)
    return None if found is None else await ticket(session, found)


async def count_open(session: AsyncSession) -> int:
    """How many members wait for a person."""
    query = select(func.count()).select_from(TicketRow).where(TicketRow.status == TicketStatus.OPEN)
    return (await session.execute(query)).scalar_one()


async def note_message(session: AsyncSession, member_id: int) -> Noted:
    """Note that the member wrote something that belongs to an open ticket, if there is one."""
    row = await _open_of(session, member_id)
    if row is None:
        return Noted.NOT
    moment = await clock.now(session)
    is_first = row.last_message_at < moment - QUIET or row.last_message_at == row.created_at
    row.last_message_at = moment
    await session.flush()
    return Noted.FIRST if is_first else Noted.AGAIN


async def listing(
    session: AsyncSession,
    *,
    status: TicketStatus | None = TicketStatus.OPEN,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Ticket]:
    """Tickets, the newest first; among open ones those of members with priority service come before all others.

    Raises InvalidCursor, InvalidLimit.
    """
    query = select(TicketRow)
    if status is not None:
        query = query.where(TicketRow.status == status)
    first = await standings.first_tiers(session) if status is TicketStatus.OPEN else []
    theirs = select(tier_standings.c.member_id).where(tier_standings.c.tier.in_(first))
    rank = case((TicketRow.member_id.in_(theirs), 1), else_=0)
    if cursor is not None:
        query = query.where(tuple_(rank, TicketRow.id) < tuple_(*decode_cursor(cursor, int, int)))
    most = check_limit(limit)
    rows = (await session.scalars(query.order_by(rank.desc(), TicketRow.id.desc()).limit(most + 1))).all()
    items = await _tickets(session, rows[:most])
    if len(rows) <= most:
        return Page(items, None)
    last = items[-1]
    return Page(items, encode_cursor(int(bool(first) and last.comes_first), last.id))


async def get(session: AsyncSession, ticket_id: int) -> Ticket:
    """One ticket. Raises TicketNotFound."""
    return await ticket(session, await row_of(session, ticket_id))


async def close(session: AsyncSession, ticket_id: int, *, by: str) -> Ticket:
    """The matter is settled; `by` is `operator:3`. Closing twice changes nothing. Raises TicketNotFound."""
    row = await row_of(session, ticket_id)
    if row.status == TicketStatus.OPEN:
        row.status, row.closed_at, row.closed_by = TicketStatus.CLOSED, await clock.now(session), by
        await session.flush()
    return await ticket(session, row)


async def row_of(session: AsyncSession, ticket_id: int) -> TicketRow:
    """The row of one ticket, for this capability alone. Raises TicketNotFound."""
    row = await session.get(TicketRow, ticket_id, populate_existing=True)
    if row is None:
        raise TicketNotFound
    return row


async def ticket(session: AsyncSession, row: TicketRow) -> Ticket:
    """The public value of a row, for this capability alone."""
    (made,) = await _tickets(session, [row])
    return made


async def _tickets(session: AsyncSession, rows: Sequence[TicketRow]) -> list[Ticket]:
    first = await standings.with_priority(session, [row.member_id for row in rows])
    return [
        Ticket(
            id=row.id,
            member_id=row.member_id,
            identity_id=row.identity_id,
            status=TicketStatus(row.status),
            note="" if row.note is None else vault(session).open(row.note, _place(row.id)),
            created_at=row.created_at,
            last_message_at=row.last_message_at,
            answered_at=row.answered_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
            comes_first=row.member_id in first,
        )
        for row in rows
    ]


async def _open_of(session: AsyncSession, member_id: int) -> TicketRow | None:
    query = select(TicketRow).where(TicketRow.member_id == member_id, TicketRow.status == TicketStatus.OPEN)
    return (await session.scalars(query)).one_or_none()


def _place(ticket_id: int) -> str:
    return f"tickets.note:{ticket_id}"

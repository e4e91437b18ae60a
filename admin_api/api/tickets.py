"""Members who want to speak with a person."""

from typing import Annotated

from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.problems import DeniedError
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, paged
from crm.operators.permissions import Permission
from crm.tickets import answers, service
from crm.tickets.types import Ticket, TicketStatus

router = api_router("/api/v1/tickets", "Tickets")
_READ, _WRITE = allow(Permission.TICKETS_READ), allow(Permission.TICKETS_WRITE)


class Reply(Body):
    """What to say to the member, as plain text."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]


@router.get("", dependencies=[_READ], name="ticket.list", summary="List tickets")
async def list_tickets(
    edge: EdgeOf, status: TicketStatus | None = TicketStatus.OPEN, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Ticket]:
    """Open ones unless another status is asked for; among these, members with priority service come first."""
    page = await service.listing(edge.session, status=status, limit=limit, cursor=cursor)
    return paged(page, lambda ticket: ticket)


@router.get("/{ticket_id}", dependencies=[_READ], name="ticket.read", summary="Read a ticket")
async def read_ticket(edge: EdgeOf, ticket_id: IdPath) -> Ticket:
    """One ticket."""
    return await service.get(edge.session, ticket_id)


@router.post("/{ticket_id}/reply", dependencies=[_WRITE], name="ticket.reply", summary="Answer a member")
async def reply(edge: EdgeOf, ticket_id: IdPath, body: Reply) -> Ticket:
    """Goes to the channel where the member asked; only an operator can answer, for the member sees a person."""
    if edge.acting.operator_id is None:
        raise DeniedError("operator_required", "Only an operator can answer a member.", actor=edge.acting.actor)
    edge.note("ticket.reply", f"ticket:{ticket_id}")
    answered = await answers.reply(edge.session, ticket_id, body.text, operator_id=edge.acting.operator_id)
    edge.delivery_ids += answered.delivery_ids
    return answered.ticket


@router.post("/{ticket_id}/close", dependencies=[_WRITE], name="ticket.close", summary="Close a ticket")
async def close(edge: EdgeOf, ticket_id: IdPath) -> Ticket:
    """The matter is settled; a second time changes nothing."""
    edge.note("ticket.close", f"ticket:{ticket_id}")
    return await service.close(edge.session, ticket_id, by=edge.acting.actor)

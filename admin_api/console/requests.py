"""Members who want to speak with a person: list, detail with the conversation, close."""

from typing import Annotated

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.tickets import close as close_ticket
from admin_api.console.conversation import conversation_values
from admin_api.console.forms import address
from admin_api.console.member_frame import actor_names, framed
from admin_api.console.pages import redirect, render
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.tickets import service
from crm.tickets.types import TicketStatus

router = page_router(f"{ROOT}/requests")
HERE = f"{ROOT}/requests"
_READ, _WRITE = allow(Permission.TICKETS_READ), allow(Permission.TICKETS_WRITE)
_SHOWN = 30


@router.get("", dependencies=[_READ], name="ticket.list_page")
async def list_page(
    edge: EdgeOf, status: Annotated[str, Query(max_length=20)] = "open", cursor: Cursor = None
) -> Response:
    """Those who wait, members with priority service before all others; or those who were served."""
    wanted = TicketStatus.CLOSED if status == "closed" else TicketStatus.OPEN
    page = await service.listing(edge.session, status=wanted, limit=_SHOWN, cursor=cursor)
    people = {item.member_id: await members.get(edge.session, item.member_id) for item in page.items}
    return await render(
        edge,
        "requests/list",
        nav="requests",
        tickets=page.items,
        people=people,
        shown_status=wanted.value,
        next_href=address(HERE, status=wanted.value, cursor=page.next_cursor) if page.next_cursor else "",
        start_href=address(HERE, status=wanted.value) if cursor else "",
        actors=await actor_names(edge),
    )


@router.get("/{ticket_id}", dependencies=[_READ], name="ticket.page")
async def ticket_page(edge: EdgeOf, ticket_id: IdPath) -> Response:
    """What was said so far, beside who it is."""
    ticket = await service.get(edge.session, ticket_id)
    member = await members.get(edge.session, ticket.member_id)
    values = await framed(edge, member, "request")
    if edge.may(Permission.CONVERSATIONS_READ):
        values |= await conversation_values(edge, ticket.member_id)
    return await render(
        edge,
        "requests/detail",
        nav="requests",
        **{
            **values,
            "ticket": ticket,
            "actors": await actor_names(edge),
            "reply_action": f"{ROOT}/members/{member.id}/write",
        },
    )


@router.post("/{ticket_id}/close", dependencies=[_WRITE], name="ticket.close_by_form")
async def close(edge: EdgeOf, ticket_id: IdPath) -> Response:
    """The matter is settled."""
    await close_ticket(edge, ticket_id)
    return redirect(edge, HERE, done="The request is closed.")

"""A member's conversation as bubbles, kept up to date while it is open, with the operator's words."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.conversations import place_of, position
from admin_api.api.tickets import Reply, reply
from admin_api.console.bubbles import bubbles
from admin_api.console.forms import Text, address, body_of
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import formats_of, is_fragment, reason, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.errors import as_problem
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.conversations import service
from crm.kit.errors import DomainError
from crm.kit.paging import encode_cursor
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.tickets import service as tickets

router = page_router(HERE)
_READ = allow(Permission.CONVERSATIONS_READ)
_SHOWN = 60


async def conversation_values(edge: Edge, member_id: int, cursor: str | None = None) -> dict[str, Any]:
    """The bubbles, oldest first, and where earlier ones are found."""
    before = position(cursor) if cursor else None
    found = await service.transcript(edge.session, member_id, before=before, limit=_SHOWN + 1)
    shown = found[:_SHOWN]
    here = f"{HERE}/{member_id}/conversation"
    earlier = address(here, cursor=encode_cursor(*place_of(shown[-1]))) if len(found) > _SHOWN else ""
    names = await actor_names(edge)
    accounts = await members.identities(edge.session, member_id)
    return {
        "messages": bubbles(edge, shown[::-1], await formats_of(edge), names, accounts),
        "earlier_href": earlier,
        "newest": str(shown[0].id) if shown else "",
        "live_href": f"{here}/live",
        "can_reach": any(account.is_reachable for account in accounts),
        "is_latest": cursor is None,
    }


@router.get("/{member_id}/conversation", dependencies=[_READ], name="member.conversation_page")
async def conversation_page(edge: EdgeOf, member_id: IdPath, cursor: Cursor = None) -> Response:
    """What was said on all channels; scripts put earlier bubbles above."""
    member = await members.get(edge.session, member_id)
    values = await conversation_values(edge, member_id, cursor)
    if is_fragment(edge):
        return await render(edge, "members/earlier", **values)
    frame = await framed(edge, member, "conversation")
    return await render(
        edge, "members/conversation", nav="members", reply_action=f"{HERE}/{member_id}/write", **frame, **values
    )


@router.get("/{member_id}/conversation/live", dependencies=[_READ], name="member.conversation_live")
async def conversation_live(
    edge: EdgeOf, member_id: IdPath, newest: Annotated[str, Query(max_length=50)] = ""
) -> Response:
    """The bubbles anew when there is a newer one than `newest`; 204 when not, and the page stays as it is."""
    await members.get(edge.session, member_id)
    last = await service.transcript(edge.session, member_id, limit=1)
    if not last or str(last[0].id) == newest:
        return Response(status_code=204)
    return await render(edge, "members/live", **await conversation_values(edge, member_id))


@router.post("/{member_id}/write", dependencies=[allow(Permission.TICKETS_WRITE)], name="ticket.reply_by_form")
async def write(edge: EdgeOf, member_id: IdPath, text: Text = "", back: Text = "") -> Response:
    """The operator's words to the member; without an open request one is opened, so that people get the answer."""
    member = await members.get(edge.session, member_id)
    try:
        body = body_of(Reply, text=text)
        ticket = await tickets.open_by_operator(edge.session, member_id)
        await reply(edge, ticket.id, body)
    except DomainError as error:
        await edge.session.rollback()
        problem = as_problem(error)
        assert problem is not None
        values = await conversation_values(edge, member_id) if edge.may(Permission.CONVERSATIONS_READ) else {}
        return await render(
            edge,
            "members/conversation",
            status=problem.status,
            nav="members",
            reply_action=f"{HERE}/{member_id}/write",
            typed_reply=text,
            reply_error=reason(edge, error),
            **await framed(edge, member, "conversation"),
            **values,
        )
    is_request = back == "request"
    return redirect(
        edge,
        f"{ROOT}/requests/{ticket.id}" if is_request else f"{HERE}/{member_id}/conversation",
        done="Your words are on their way.",
    )

"""A member's invitations: how they stand, the tree below them, and taking it back."""

from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.api import referrals as api
from admin_api.console.forms import Text, body_of
from admin_api.console.member_frame import HERE, framed
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.referrals.errors import SubtreeTooLarge
from crm.referrals.service import clawback, standing
from crm.referrals.types import Subtree

router = page_router(HERE)
_READ, _REVIEW = allow(Permission.REFERRALS_READ), allow(Permission.REFERRALS_REVIEW)
_PAGE = "members/referrals"


@router.get("/{member_id}/referrals", dependencies=[_READ], name="member.referrals_page")
async def referrals_page(edge: EdgeOf, member_id: IdPath) -> Response:
    """Whom they brought, whom those brought, and who brought them."""
    return await render(edge, _PAGE, nav="members", **await _values(edge, member_id), reason="")


@router.post("/{member_id}/referrals/clawback", dependencies=[_REVIEW], name="member.claw_back_by_form")
async def claw_back(edge: EdgeOf, member_id: IdPath, reason: Text = "") -> Response:
    """Everything below the member, in one action."""
    try:
        await api.claw_back(edge, member_id, body_of(api.Reason, reason=reason))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, _PAGE, error, nav="members", **await _values(edge, member_id), reason=reason)
    return redirect(edge, f"{HERE}/{member_id}/referrals", done="Everything below this member was taken back.")


async def _would_take(edge: Edge, member_id: int) -> Subtree | None:
    """None when there is too much of it for one action."""
    try:
        return await clawback.preview(edge.session, member_id)
    except SubtreeTooLarge:
        return None


async def _values(edge: Edge, member_id: int) -> dict[str, Any]:
    member = await members.get(edge.session, member_id)
    invited_by = await standing.invited_by(edge.session, member_id)
    return {
        "standing": await standing.of_member(edge.session, member_id),
        "invited_by": invited_by,
        "names": await standing.names(edge.session, [invited_by] if invited_by else []),
        "tree": await standing.tree(edge.session, member_id),
        "would_take": await _would_take(edge, member_id),
        **await framed(edge, member, "referrals"),
    }

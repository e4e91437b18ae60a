"""A member's tier: progress, history, and giving a tier by hand."""

from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.api import tiers as api
from admin_api.console import typed
from admin_api.console.forms import Text, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.members import service
from crm.operators.permissions import Permission
from crm.tiers import policy
from crm.tiers.service import programmes, standings

router = page_router(HERE)
_READ, _GRANT = allow(Permission.TIERS_READ), allow(Permission.TIERS_GRANT)
_PAGE = "members/tier"


@router.get("/{member_id}/tier", dependencies=[_READ], name="member.tier_page")
async def tier_page(edge: EdgeOf, member_id: IdPath) -> Response:
    """Where they stand and how they came there."""
    return await render(edge, _PAGE, nav="members", **await _values(edge, member_id), form={})


@router.post("/{member_id}/tier/grant", dependencies=[_GRANT], name="member.grant_tier_by_form")
async def grant(edge: EdgeOf, member_id: IdPath, tier: Text = "", until: Text = "", reason: Text = "") -> Response:
    """Stands instead of the earned tier until its end."""
    form = {"tier": tier, "until": until, "reason": reason}
    try:
        body = body_of(api.GrantBody, **{**form, "until": await typed.moment(edge, until)})
        await api.grant(edge, member_id, body)
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, _PAGE, error, nav="members", **await _values(edge, member_id), form=form)
    return redirect(edge, f"{HERE}/{member_id}/tier", done="The tier is given.")


@router.post("/{member_id}/tier/end-grant", dependencies=[_GRANT], name="member.end_tier_by_form")
async def end_grant(edge: EdgeOf, member_id: IdPath) -> Response:
    """Back to what was earned."""
    await api.end_grant(edge, member_id)
    return redirect(edge, f"{HERE}/{member_id}/tier", done="The member has the tier that they earned.")


async def _values(edge: Edge, member_id: int) -> dict[str, Any]:
    member = await service.get(edge.session, member_id)
    progress = await standings.progress(edge.session, member_id)
    names = {key: in_locale(edge.acting, name) for key, name in (await programmes.names(edge.session)).items()}
    return {
        "progress": progress,
        "bar": policy.bar(progress.share, 20) if progress else "",
        "standing": await standings.standing(edge.session, member_id),
        "history": await standings.history(edge.session, member_id),
        "names": names,
        "actors": await actor_names(edge),
        **await framed(edge, member, "tier"),
    }

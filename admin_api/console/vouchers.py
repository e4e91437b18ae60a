"""One voucher: where it stands, what happened to it, taking it away."""

from typing import Any
from uuid import UUID

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import vouchers as api
from admin_api.console.forms import Text, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.coupons.service import holding
from crm.kit.errors import DomainError
from crm.members import service as members
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/vouchers")
HERE = f"{ROOT}/vouchers"


@router.get("/{voucher_id}", dependencies=[allow(Permission.COUPONS_READ)], name="voucher.page")
async def voucher_page(edge: EdgeOf, voucher_id: UUID) -> Response:
    """With its log, oldest first."""
    return await render(edge, "coupons/voucher", nav="coupons", **await _values(edge, voucher_id))


@router.post("/{voucher_id}/cancel", dependencies=[allow(Permission.VOUCHERS_ISSUE)], name="voucher.cancel_by_form")
async def cancel(edge: EdgeOf, voucher_id: UUID, explanation: Text = "") -> Response:
    """Only an unused one, and with a reason."""
    try:
        await api.cancel_voucher(edge, voucher_id, body_of(api.Cancel, reason=explanation.strip()))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "coupons/voucher", error, nav="coupons", **await _values(edge, voucher_id))
    return redirect(edge, f"{HERE}/{voucher_id}", done="The voucher is taken away.")


async def _values(edge: Edge, voucher_id: UUID) -> dict[str, Any]:
    voucher = await holding.get(edge.session, voucher_id)
    return {
        "voucher": voucher,
        "heading": in_locale(edge.acting, voucher.name),
        "holder": (await members.get(edge.session, voucher.member_id)).display_name,
        "log": await holding.history(edge.session, voucher_id),
        "actors": await actor_names(edge),
    }

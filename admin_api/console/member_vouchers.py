"""A member's vouchers and redemptions, and issuing a voucher by hand."""

from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.api.coupons import Issue, issue_voucher
from admin_api.console import typed
from admin_api.console.forms import Text, address, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.coupons.service import definitions, holding
from crm.kit.errors import DomainError
from crm.kit.ids import token
from crm.members import service
from crm.operators.permissions import Permission
from crm.rewards.service import fulfilment

router = page_router(HERE)
_PAGE = 30


@router.get("/{member_id}/vouchers", dependencies=[allow(Permission.COUPONS_READ)], name="member.vouchers_page")
async def vouchers_page(edge: EdgeOf, member_id: IdPath, cursor: Cursor = None) -> Response:
    """What they hold and held, and what they took for points."""
    return await render(edge, "members/vouchers", nav="members", **await _values(edge, member_id, cursor))


@router.post("/{member_id}/vouchers", dependencies=[allow(Permission.VOUCHERS_ISSUE)], name="voucher.issue_by_form")
async def issue(edge: EdgeOf, member_id: IdPath, coupon_id: Text = "", key: Text = "") -> Response:
    """One voucher; the key of the form keeps a double click from issuing two."""
    try:
        body = body_of(Issue, member_id=member_id, key=key.strip() or None)
        await issue_voucher(edge, typed.chosen(coupon_id), body)
    except DomainError as error:
        await edge.session.rollback()
        values = await _values(edge, member_id)
        return await again(edge, "members/vouchers", error, nav="members", typed_coupon=coupon_id, **values)
    return redirect(edge, f"{HERE}/{member_id}/vouchers", done="The voucher is issued.")


async def _values(edge: Edge, member_id: int, cursor: str | None = None) -> dict[str, Any]:
    member = await service.get(edge.session, member_id)
    page = await holding.listing(edge.session, member_id=member_id, limit=_PAGE, cursor=cursor)
    recent = await fulfilment.recent(edge.session, member_id) if edge.may(Permission.REWARDS_READ) else []
    coupons = await definitions.listing(edge.session, active_only=True)
    here = f"{HERE}/{member_id}/vouchers"
    return {
        "vouchers": page.items,
        "redemptions": recent,
        "titles": {item.id: in_locale(edge.acting, item.name) for item in page.items}
        | {item.id: in_locale(edge.acting, item.name) for item in recent},
        "offered": [{"value": coupon.id, "label": in_locale(edge.acting, coupon.name)} for coupon in coupons],
        "posting_key": token(size=12),
        "actors": await actor_names(edge),
        "next_href": address(here, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": here if cursor else "",
        **await framed(edge, member, "vouchers"),
    }

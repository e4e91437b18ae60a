"""Redemptions: who took what, handing it over, taking it back."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import redemptions as api
from admin_api.console.coupon_values import names
from admin_api.console.forms import Text, address, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.rewards import policy
from crm.rewards.service import catalogue, fulfilment
from crm.rewards.types import RedemptionStatus

router = page_router(f"{ROOT}/redemptions")
HERE = f"{ROOT}/redemptions"
_READ, _WRITE = allow(Permission.REWARDS_READ), allow(Permission.REDEMPTIONS_WRITE)
_PAGE = 30


@router.get("", dependencies=[_READ], name="redemption.list_page")
async def list_page(edge: EdgeOf, status: Annotated[str, Query(max_length=20)] = "", cursor: Cursor = None) -> Response:
    """Newest first, of one state or of all."""
    wanted = RedemptionStatus(status) if status in set(RedemptionStatus) else None
    page = await fulfilment.listing(edge.session, status=wanted, limit=_PAGE, cursor=cursor)
    shown: dict[str, Any] = {
        "redemptions": page.items,
        "titles": {item.id: in_locale(edge.acting, item.name) for item in page.items},
        "people": await names(edge, [item.member_id for item in page.items]),
        "statuses": list(RedemptionStatus),
        "chosen": status if wanted else "",
        "next_href": address(HERE, status=status, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": address(HERE, status=status) if cursor else "",
    }
    return await render(edge, "redemptions/list", nav="redemptions", **shown)


@router.get("/{redemption_id}", dependencies=[_READ], name="redemption.page")
async def redemption_page(edge: EdgeOf, redemption_id: UUID) -> Response:
    """One redemption and what can be done about it; the address stays hidden."""
    return await render(edge, "redemptions/detail", nav="redemptions", **await _values(edge, redemption_id))


@router.post("/{redemption_id}/status", dependencies=[_WRITE], name="redemption.advance_by_form")
async def advance(edge: EdgeOf, redemption_id: UUID, status: Text = "", tracking: Text = "") -> Response:
    """Prepared, shipped or delivered; the member hears of it."""
    try:
        step = body_of(api.Step, status=status, tracking=tracking.strip() or None)
        await api.advance_redemption(edge, redemption_id, step)
    except DomainError as error:
        return await _again(edge, redemption_id, error, "advance", typed_tracking=tracking)
    return redirect(edge, f"{HERE}/{redemption_id}", done="Saved; the member is told what concerns them.")


@router.post("/{redemption_id}/cancel", dependencies=[_WRITE], name="redemption.cancel_by_form")
async def cancel(edge: EdgeOf, redemption_id: UUID, explanation: Text = "") -> Response:
    """Points, stock and limit return."""
    try:
        await api.cancel_redemption(edge, redemption_id, body_of(api.Reason, reason=explanation.strip()))
    except DomainError as error:
        return await _again(edge, redemption_id, error, "cancel", typed_explanation=explanation)
    return redirect(edge, f"{HERE}/{redemption_id}", done="The redemption is taken back; its points returned.")


@router.post(
    "/{redemption_id}/address", dependencies=[allow(Permission.MEMBERS_REVEAL)], name="redemption.reveal_by_form"
)
async def reveal(edge: EdgeOf, redemption_id: UUID) -> Response:
    """The address on this one page; the audit log says who looked."""
    shown = await api.reveal_address(edge, redemption_id)
    values = await _values(edge, redemption_id)
    return await render(edge, "redemptions/detail", nav="redemptions", revealed=shown.address or "–", **values)


async def _values(edge: Edge, redemption_id: UUID) -> dict[str, Any]:
    redemption = await fulfilment.get(edge.session, redemption_id)
    reward = await catalogue.get(edge.session, redemption.reward_id)
    return {
        "redemption": redemption,
        "heading": in_locale(edge.acting, redemption.name),
        "person": (await names(edge, [redemption.member_id]))[redemption.member_id],
        "has_address": reward.needs_address,
        "next_statuses": [
            status for status in RedemptionStatus if status in policy.NEXT.get(redemption.status, frozenset())
        ],
        "can_cancel": redemption.status in policy.CANCELLABLE,
    }


async def _again(edge: Edge, redemption_id: UUID, error: DomainError, place: str, **typed: str) -> Response:
    await edge.session.rollback()
    values = await _values(edge, redemption_id)
    return await again(edge, "redemptions/detail", error, nav="redemptions", place=place, **typed, **values)

"""Draws: the list, the form of a draft, one draw with its log, and its verification."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import draws as api
from admin_api.console import draw_values
from admin_api.console.draw_values import DrawForm
from admin_api.console.forms import address
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.draws import policy
from crm.draws.service import definitions, playing, verifying
from crm.draws.types import DrawStatus
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission

HERE = f"{ROOT}/draws"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.DRAWS_READ), allow(Permission.DRAWS_WRITE)
_HAND_OVER = allow(Permission.DRAWS_HAND_OVER)
_PAGE = 50
Posted = Annotated[DrawForm, Form()]


@router.get("", dependencies=[_READ], name="draw.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """All draws, newest first."""
    found = await definitions.listing(edge.session)
    titles = {draw.id: in_locale(edge.acting, draw.name) for draw in found}
    return await render(edge, "draws/list", nav="draws", draws=found, titles=titles)


@router.get("/new", dependencies=[_WRITE], name="draw.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new draw."""
    return await render(edge, "draws/form", nav="draws", form=DrawForm().model_dump(), draw=None)


@router.post("", dependencies=[_WRITE], name="draw.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """A draft; it is opened on its page."""
    try:
        draw = await api.create_draw(edge, await draw_values.body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "draws/form", error, nav="draws", form=posted.model_dump(), draw=None)
    return redirect(edge, f"{HERE}/{draw.id}", done="The draw is a draft; look at it, then open it.")


@router.get("/{draw_id}", dependencies=[_READ], name="draw.page")
async def draw_page(edge: EdgeOf, draw_id: IdPath, cursor: Cursor = None) -> Response:
    """One draw: what was published, what is left, and its log."""
    return await render(edge, "draws/detail", nav="draws", **await _values(edge, draw_id, cursor))


@router.get("/{draw_id}/edit", dependencies=[_WRITE], name="draw.edit_page")
async def edit_page(edge: EdgeOf, draw_id: IdPath) -> Response:
    """The form of a draft."""
    draw = await definitions.get(edge.session, draw_id)
    if draw.status is not DrawStatus.DRAFT:
        return redirect(edge, f"{HERE}/{draw_id}")
    return await render(edge, "draws/form", nav="draws", form=await draw_values.form_of(edge, draw), draw=draw)


@router.post("/{draw_id}", dependencies=[_WRITE], name="draw.change_by_form")
async def change(edge: EdgeOf, draw_id: IdPath, posted: Posted) -> Response:
    """Another content for the draft."""
    draw = await definitions.get(edge.session, draw_id)
    try:
        await api.change_draw(edge, draw_id, await draw_values.body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "draws/form", error, nav="draws", form=posted.model_dump(), draw=draw)
    return redirect(edge, f"{HERE}/{draw_id}", done="Saved.")


@router.post("/{draw_id}/open", dependencies=[_WRITE], name="draw.open_by_form")
async def open_draw(edge: EdgeOf, draw_id: IdPath) -> Response:
    """Publish the commitment."""
    try:
        await api.open_draw(edge, draw_id)
    except DomainError as error:
        return await _again(edge, draw_id, error)
    return redirect(edge, f"{HERE}/{draw_id}", done="The draw is open; its commitment is published.")


@router.post("/{draw_id}/close", dependencies=[_WRITE], name="draw.close_by_form")
async def close_draw(edge: EdgeOf, draw_id: IdPath) -> Response:
    """End it and reveal the seed."""
    try:
        await api.close_draw(edge, draw_id)
    except DomainError as error:
        return await _again(edge, draw_id, error)
    return redirect(edge, f"{HERE}/{draw_id}/verification", done="The draw is closed; its seed is revealed.")


@router.post("/{draw_id}/plays/{position}/hand-over", dependencies=[_HAND_OVER], name="draw.hand_over_by_form")
async def hand_over(edge: EdgeOf, draw_id: IdPath, position: api.Position) -> Response:
    """The prize went over the counter."""
    try:
        await api.hand_over(edge, draw_id, position)
    except DomainError as error:
        return await _again(edge, draw_id, error)
    return redirect(edge, f"{HERE}/{draw_id}", done="The prize is handed over.")


@router.get("/{draw_id}/verification", dependencies=[_READ], name="draw.verification_page")
async def verification_page(edge: EdgeOf, draw_id: IdPath) -> Response:
    """Everything recomputed; before the close, what was published."""
    draw = await definitions.get(edge.session, draw_id)
    found = None if draw.seed is None else await verifying.of_draw(edge.session, draw_id)
    title = in_locale(edge.acting, draw.name)
    return await render(edge, "draws/verification", nav="draws", draw=draw, found=found, heading=title)


async def _again(edge: Edge, draw_id: int, error: DomainError) -> Response:
    await edge.session.rollback()
    return await again(edge, "draws/detail", error, nav="draws", **await _values(edge, draw_id))


async def _values(edge: Edge, draw_id: int, cursor: str | None = None) -> dict[str, Any]:
    draw = await definitions.get(edge.session, draw_id)
    page = await playing.log(edge.session, draw_id, limit=_PAGE, cursor=cursor)
    here, rules = f"{HERE}/{draw_id}", draw.rules
    return {
        "draw": draw,
        "heading": in_locale(edge.acting, draw.name),
        "prizes": [
            {
                "name": in_locale(edge.acting, prize.name),
                "odds": odds,
                "left": left,
                "stock": prize.stock,
            }
            for prize, odds, left in zip(rules.prizes, policy.percents(rules), draw.stand.left, strict=True)
        ],
        "plays": page.items,
        "next_href": address(here, cursor=page.next_cursor) if page.next_cursor else "",
    }

"""Tiers: overview, form of the programme, preview with publication, members by tier."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import tiers as api
from admin_api.console import tier_values
from admin_api.console.forms import address
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor
from crm.kit.errors import DomainError, NotFoundError
from crm.operators.permissions import Permission
from crm.tiers.service import benefits, programmes, runs, standings
from crm.tiers.types import Programme

router = page_router(f"{ROOT}/tiers")
HERE = f"{ROOT}/tiers"
_READ, _WRITE = allow(Permission.TIERS_READ), allow(Permission.TIERS_WRITE)
_SHOWN = 30


class DraftNotFound(NotFoundError):
    """There is no draft of the tier programme; save one first."""


@router.get("", dependencies=[_READ], name="tiers.page")
async def overview(edge: EdgeOf) -> Response:
    """What counts, who is where, the last evaluations and benefits."""
    live = await programmes.live(edge.session)
    return await render(
        edge,
        "tiers/overview",
        nav="tiers",
        live=live,
        draft=await programmes.draft(edge.session),
        versions=await programmes.listing(edge.session),
        counts=await standings.counts(edge.session),
        runs=(await runs.recent(edge.session))[:5],
        benefits=await benefits.recent(edge.session),
        actors=await actor_names(edge),
        names=_names(edge, live),
    )


@router.get("/programme", dependencies=[_WRITE], name="tiers.form_page")
async def form_page(edge: EdgeOf) -> Response:
    """The draft, else what counts, else an example to start with."""
    found = await programmes.draft(edge.session) or await programmes.live(edge.session)
    typed = tier_values.as_typed(found.rules if found else tier_values.EXAMPLE)
    return await render(edge, "tiers/form", nav="tiers", **await tier_values.choices(edge, typed))


@router.post("/programme", dependencies=[_WRITE], name="tiers.save_by_form")
async def save(edge: EdgeOf) -> Response:
    """A draft, then its preview."""
    typed = tier_values.read(await edge.request.form())
    try:
        await api.save_draft(edge, tier_values.body(typed))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "tiers/form", error, nav="tiers", **await tier_values.choices(edge, typed))
    return redirect(edge, f"{HERE}/preview", done="The draft is saved. Look at what it would do before you publish it.")


@router.get("/preview", dependencies=[_WRITE], name="tiers.preview_page")
async def preview_page(edge: EdgeOf) -> Response:
    """Who would move if the draft were published now."""
    draft = await programmes.draft(edge.session)
    if draft is None:
        raise DraftNotFound
    live = await programmes.live(edge.session)
    preview = await programmes.preview(edge.session, draft.rules)
    names = {**_names(edge, live), **_names(edge, draft)}
    return await render(edge, "tiers/preview", nav="tiers", draft=draft, live=live, preview=preview, names=names)


@router.post("/publish/{version}", dependencies=[_WRITE], name="tiers.publish_by_form")
async def publish(edge: EdgeOf, version: int) -> Response:
    """From now on it counts."""
    await api.publish(edge, version)
    return redirect(edge, HERE, done="The programme counts from now on; members are evaluated in the next minutes.")


@router.get("/members", dependencies=[_READ], name="tiers.members_page")
async def members_page(
    edge: EdgeOf,
    tier: Annotated[str, Query(max_length=30)] = "",
    only: Annotated[str, Query(max_length=10)] = "",
    cursor: Cursor = None,
) -> Response:
    """Members of one tier or of all, perhaps only those at risk or with a tier by hand."""
    page = await standings.listing(
        edge.session,
        tier=tier or None,
        is_at_risk=only == "risk",
        is_granted=only == "granted",
        limit=_SHOWN,
        cursor=cursor,
    )
    path = f"{HERE}/members"
    values: dict[str, Any] = {
        "people": page.items,
        "names": _names(edge, await programmes.live(edge.session)),
        "shown_tier": tier,
        "only": only,
        "next_href": address(path, tier=tier, only=only, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": address(path, tier=tier, only=only) if cursor else "",
    }
    return await render(edge, "tiers/members", nav="tiers", **values)


def _names(edge: Edge, programme: Programme | None) -> dict[str, str]:
    """Tiers by key in the operator's language, from the lowest on."""
    return {tier.key: in_locale(edge.acting, tier.name) for tier in programme.rules.tiers} if programme else {}

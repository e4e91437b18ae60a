"""One member from all sides: overview, timeline, messages, orders, points."""

from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.console import timeline
from admin_api.console.forms import address
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import formats_of, is_fragment, reason, render
from admin_api.console.typed import moment
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.campaigns import service as campaigns
from crm.campaigns.errors import CampaignNotFoundError
from crm.consent import service as consent
from crm.deliveries import service as deliveries
from crm.deliveries.types import MemberDelivery
from crm.kit.errors import InvalidError
from crm.kit.ids import token
from crm.members import attributes, history, merging, service
from crm.members.types import Member
from crm.missions.service import badges
from crm.operators.permissions import Permission
from crm.orders import service as orders
from crm.points import earning_rules
from crm.points import history as points_history
from crm.points import service as points
from crm.sources import service as sources
from crm.sources.errors import SourceNotFound
from crm.tags import service as tags

router = page_router(HERE)
_READ = allow(Permission.MEMBERS_READ)
_GLIMPSE, _PAGE = 8, 30


@router.get("/{member_id}", dependencies=[_READ], name="member.page")
async def member_page(edge: EdgeOf, member_id: IdPath) -> Response:
    """Who this is, and what one needs most often."""
    return await overview(edge, await service.get(edge.session, member_id))


async def overview(edge: Edge, member: Member, *, status: int = 200, **values: Any) -> Response:
    """The first page about the member; `values` add to it."""
    return await render(
        edge, "members/overview", status=status, nav="members", **{**await overview_values(edge, member), **values}
    )


async def overview_values(edge: Edge, member: Member) -> dict[str, Any]:
    """Everything that the overview shows."""
    events = await history.timeline(edge.session, member.id, limit=_GLIMPSE)
    known = await tags.listing(edge.session)
    return {
        **await framed(edge, member, "overview"),
        "definitions": await attributes.definitions(edge.session),
        "consents": await consent.status(edge.session, member.id),
        "topics": {item.key: item.name for item in await consent.topics(edge.session, with_archived=True)},
        "points": await points.summary(edge.session, member.id) if edge.may(Permission.POINTS_READ) else None,
        "events": await timeline.items(edge, events.items, await formats_of(edge)),
        "first_source": await _source_name(edge, member.first_source_id),
        "last_source": await _source_name(edge, member.last_source_id),
        "merges": [item for item in await merging.of_member(edge.session, member.id) if item.undone_at is None],
        "tag_suggestions": [tag.label for tag in known],
        "posting_key": token(size=12),
        "held_badges": await _badges(edge, member.id) if edge.may(Permission.MISSIONS_READ) else [],
    }


async def _badges(edge: Edge, member_id: int) -> list[str]:
    held = await badges.of_member(edge.session, member_id)
    return [f"{one.badge.emoji} {in_locale(edge.acting, one.badge.name)}" for one in held]


async def _source_name(edge: Edge, source_id: int | None) -> str:
    if source_id is None:
        return ""
    try:
        return (await sources.get(edge.session, source_id)).name
    except SourceNotFound:
        return ""


@router.get("/{member_id}/timeline", dependencies=[_READ], name="member.timeline_page")
async def timeline_page(edge: EdgeOf, member_id: IdPath, cursor: Cursor = None) -> Response:
    """Everything that happened, newest first; scripts add page after page below."""
    member = await service.get(edge.session, member_id)
    page = await history.timeline(edge.session, member_id, limit=_PAGE, cursor=cursor)
    here = f"{HERE}/{member_id}/timeline"
    shown: dict[str, Any] = {
        "events": await timeline.items(edge, page.items, await formats_of(edge)),
        "next_href": address(here, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": here if cursor else "",
    }
    if is_fragment(edge):
        return await render(edge, "members/timeline_more", **shown)
    return await render(edge, "members/timeline", nav="members", **await framed(edge, member, "timeline"), **shown)


@router.get("/{member_id}/deliveries", dependencies=[_READ], name="member.deliveries_page")
async def deliveries_page(edge: EdgeOf, member_id: IdPath) -> Response:
    """What broadcasts and journeys sent, or why they did not."""
    member = await service.get(edge.session, member_id)
    found = await deliveries.of_member(edge.session, member_id, limit=100)
    return await render(
        edge,
        "members/deliveries",
        nav="members",
        deliveries=found,
        campaign_names=await _campaign_names(edge, found),
        **await framed(edge, member, "deliveries"),
    )


async def _campaign_names(edge: Edge, found: list[MemberDelivery]) -> dict[str, str]:
    names = {}
    for source_id in {
        item.source_id for item in found if item.source_kind == "campaign" and item.source_id.isdecimal()
    }:
        try:
            names[source_id] = (await campaigns.get(edge.session, int(source_id))).name
        except CampaignNotFoundError:
            continue
    return names


@router.get("/{member_id}/orders", dependencies=[allow(Permission.ORDERS_READ)], name="member.orders_page")
async def orders_page(edge: EdgeOf, member_id: IdPath, cursor: Cursor = None) -> Response:
    """What they bought, newest first."""
    member = await service.get(edge.session, member_id)
    page = await orders.listing(edge.session, member_id=member_id, limit=_PAGE, cursor=cursor)
    here = f"{HERE}/{member_id}/orders"
    return await render(
        edge,
        "members/orders",
        nav="members",
        orders=page.items,
        next_href=address(here, cursor=page.next_cursor) if page.next_cursor else "",
        start_href=here if cursor else "",
        **await framed(edge, member, "orders"),
    )


@router.get("/{member_id}/points", dependencies=[allow(Permission.POINTS_READ)], name="member.points_page")
async def points_page(edge: EdgeOf, member_id: IdPath, cursor: Cursor = None, at: str = "") -> Response:
    """Balance, what runs out, what is pending or held, every line of the ledger, and the balance at a moment."""
    member = await service.get(edge.session, member_id)
    try:
        wanted = await moment(edge, at)
        past = await points_history.balance_at(edge.session, member_id, wanted) if wanted else None
    except InvalidError as error:
        return await points_view(edge, member, cursor=cursor, status=422, asked=at, past_error=reason(edge, error))
    return await points_view(edge, member, cursor=cursor, asked=at, past=past)


async def points_view(
    edge: Edge, member: Member, *, cursor: str | None = None, status: int = 200, **values: Any
) -> Response:
    """The points page; `values` add to it."""
    page = await points.statement(edge.session, member.id, cursor=cursor, limit=_PAGE)
    here = f"{HERE}/{member.id}/points"
    return await render(
        edge,
        "members/points",
        nav="members",
        status=status,
        summary=await points.summary(edge.session, member.id),
        entries=page.items,
        rules=await earning_rules.names(edge.session, {entry.rule_id for entry in page.items if entry.rule_id}),
        next_href=address(here, cursor=page.next_cursor) if page.next_cursor else "",
        start_href=here if cursor else "",
        posting_key=token(size=12),
        actors=await actor_names(edge),
        **await framed(edge, member, "points"),
        **{"past": None, "past_error": "", "asked": "", "settle_error": "", **values},
    )

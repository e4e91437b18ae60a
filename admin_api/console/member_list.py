"""The list of members, and taking it away as CSV."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.members import find_tag, lines
from admin_api.console.forms import Text, address
from admin_api.console.pages import render
from admin_api.deps import AdminDeps, Deps, EdgeOf
from admin_api.downloads import members_csv
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor
from crm.db import clock
from crm.kit.errors import InvalidError
from crm.members import service
from crm.members.types import MemberQuery
from crm.operators.permissions import Permission
from crm.profiles.types import Stage
from crm.sources import service as sources
from crm.tags import service as tags

router = page_router(f"{ROOT}/members")
HERE = f"{ROOT}/members"
_EXPORT = allow(Permission.MEMBERS_EXPORT, sensitive=True)
_SHOWN = 50
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Filters:
    """What narrows the list, as it stands in an address."""

    query: Word = ""
    tag: Word = ""
    stage: Word = ""
    channel: Word = ""
    source_id: Word = ""


async def _query(edge: Edge, filters: dict[str, str], cursor: str | None = None) -> MemberQuery:
    """The members that the filters name; what is no filter of ours matches nobody."""
    tag, source, stage = filters["tag"], filters["source_id"], filters["stage"]
    try:
        tag_id = await find_tag(edge, tag) if tag else None
    except InvalidError:
        tag_id = 0
    return MemberQuery(
        query=filters["query"],
        tag=tag_id,
        stage=stage or None,
        channel=filters["channel"] or None,
        source_id=None if not source else int(source) if source.isdecimal() and len(source) < 19 else 0,  # noqa: PLR2004 - digits of a 64-bit id
        limit=_SHOWN,
        cursor=cursor,
    )


async def _choices(edge: Edge, deps: AdminDeps) -> dict[str, Any]:
    return {
        "all_tags": await tags.listing(edge.session),
        "all_sources": await sources.listing(edge.session),
        "stages": list(Stage),
        "channels": list(deps.channels),
    }


@router.get("", dependencies=[allow(Permission.MEMBERS_READ)], name="member.list_page")
async def list_page(edge: EdgeOf, deps: Deps, asked: Annotated[Filters, Depends()], cursor: Cursor = None) -> Response:
    """Members by name, phone, its last four digits, or channel address; by tag, stage, channel and source."""
    filters = vars(asked) | {"query": asked.query.strip()}
    page = await lines(edge, await service.page(edge.session, await _query(edge, filters, cursor)))
    following = address(HERE, **filters, cursor=page.next_cursor) if page.next_cursor else ""
    return await render(
        edge,
        "members/list",
        nav="members",
        members=page.items,
        filters=filters,
        is_filtered=any(filters.values()),
        next_href=following,
        start_href=address(HERE, **filters) if cursor else "",
        export_href=address(f"{HERE}/export", **filters),
        search_query=asked.query,
        **await _choices(edge, deps),
    )


@router.get("/export", dependencies=[_EXPORT], name="member.export_page")
async def export_page(edge: EdgeOf, deps: Deps, asked: Annotated[Filters, Depends()]) -> Response:
    """Which members to take away, and whether with personal data."""
    return await render(edge, "members/export", nav="members", filters=vars(asked), **await _choices(edge, deps))


@router.post("/export", dependencies=[_EXPORT], name="member.export")
async def export_members(
    edge: EdgeOf,
    deps: Deps,
    *,
    query: Text = "",
    tag: Text = "",
    stage: Text = "",
    channel: Text = "",
    source_id: Text = "",
    with_personal: Text = "",
) -> Response:
    """The members who fit, as CSV; personal data only for those who may reveal it. Written down either way."""
    filters = {"query": query, "tag": tag, "stage": stage, "channel": channel, "source_id": source_id}
    wanted = await _query(edge, filters)
    is_personal = bool(with_personal) and edge.may(Permission.MEMBERS_REVEAL)
    kept = {name: value for name, value in filters.items() if value and name != "query"}
    edge.note("member.export", "members", after={**kept, "has_query": bool(query), "with_personal": is_personal})
    name = f"members-{(await clock.now(edge.session)):%Y-%m-%d}.csv"
    return members_csv(deps, wanted, with_personal=is_personal, filename=name)

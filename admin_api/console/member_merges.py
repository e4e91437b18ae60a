"""Joining two profiles of one person, and taking them apart again."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.api.members import lines
from admin_api.api.merges import NewMerge, merge, undo
from admin_api.console.forms import Text, body_of
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.members import merging, service
from crm.members.types import MemberQuery
from crm.operators.permissions import Permission

router = page_router(HERE)
_MERGE = allow(Permission.MEMBERS_MERGE)
_SHOWN = 20


async def _values(edge: Edge, member_id: int, query: str) -> dict[str, Any]:
    member = await service.get(edge.session, member_id)
    wanted = MemberQuery(query=query, limit=_SHOWN)
    found = (await lines(edge, await service.page(edge.session, wanted))).items if query else []
    return {
        "query": query,
        "found": [item for item in found if item.id != member_id],
        "past": await merging.of_member(edge.session, member_id),
        "actors": await actor_names(edge),
        **await framed(edge, member, "merge"),
    }


@router.get("/{member_id}/merge", dependencies=[_MERGE], name="merge.page")
async def merge_page(edge: EdgeOf, member_id: IdPath, query: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Find the other profile of the same person, and past merges."""
    return await render(edge, "members/merge", nav="members", **await _values(edge, member_id, query.strip()))


@router.post("/{member_id}/merge", dependencies=[_MERGE], name="merge.create_by_form")
async def merge_members(edge: EdgeOf, member_id: IdPath, drop_member_id: Text = "", query: Text = "") -> Response:
    """Join the other profile into this one."""
    try:
        body = body_of(NewMerge, drop_member_id=drop_member_id.strip())
        await merge(edge, member_id, body)
    except DomainError as error:
        await edge.session.rollback()
        values = await _values(edge, member_id, query[:200])
        return await again(edge, "members/merge", error, nav="members", **values)
    return redirect(edge, f"{HERE}/{member_id}", done="The profiles are one now.")


@router.post("/merges/{merge_id}/undo", dependencies=[_MERGE], name="merge.undo_by_form")
async def undo_merge(edge: EdgeOf, merge_id: IdPath) -> Response:
    """Take two profiles apart again."""
    found = await merging.get(edge.session, merge_id)
    try:
        await undo(edge, merge_id)
    except DomainError as error:
        await edge.session.rollback()
        values = await _values(edge, found.keep_id, "")
        return await again(edge, "members/merge", error, nav="members", **values)
    return redirect(edge, f"{HERE}/{found.keep_id}/merge", done="The profiles are two again.")

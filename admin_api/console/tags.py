"""Tags: list, form, detail."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.tags import NewTag, TagChange, change_tag, create_tag
from admin_api.console.forms import Text, body_of
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.tags import rules, service
from crm.tags.types import Tag

router = page_router(f"{ROOT}/tags")
HERE = f"{ROOT}/tags"
_READ, _WRITE = allow(Permission.TAGS_READ), allow(Permission.TAGS_WRITE)


async def _values(edge: Edge, *, with_archived: bool) -> dict[str, Any]:
    groups: dict[str, list[Tag]] = {}
    for tag in await service.listing(edge.session, with_archived=with_archived):
        groups.setdefault(tag.group, []).append(tag)
    return {"groups": groups, "with_archived": with_archived, "rules_count": len(await rules.listing(edge.session))}


@router.get("", dependencies=[_READ], name="tag.list_page")
async def list_page(edge: EdgeOf, with_archived: Annotated[str, Query(max_length=10)] = "") -> Response:
    """Tags by group, each with how many carry it."""
    return await render(edge, "tags/list", nav="tags", **await _values(edge, with_archived=bool(with_archived)))


@router.post("", dependencies=[_WRITE], name="tag.create_by_form")
async def create(edge: EdgeOf, tag: Text = "") -> Response:
    """A tag that nobody carries yet."""
    try:
        await create_tag(edge, body_of(NewTag, tag=tag))
    except DomainError as error:
        await edge.session.rollback()
        values = await _values(edge, with_archived=False)
        return await again(edge, "tags/list", error, nav="tags", typed=tag, **values)
    return redirect(edge, HERE, done="The tag is there.")


@router.get("/{tag_id}", dependencies=[_READ], name="tag.page")
async def tag_page(edge: EdgeOf, tag_id: IdPath) -> Response:
    """One tag: its name, who carries it, which rules put it on."""
    return await render(edge, "tags/detail", nav="tags", **await _detail(edge, tag_id))


async def _detail(edge: Edge, tag_id: int) -> dict[str, Any]:
    tag = await service.get(edge.session, tag_id)
    return {"tag": tag, "rules": [rule for rule in await rules.listing(edge.session) if rule.tag == tag.label]}


@router.post("/{tag_id}", dependencies=[_WRITE], name="tag.rename_by_form")
async def rename(edge: EdgeOf, tag_id: IdPath, tag: Text = "") -> Response:
    """Another name; members keep it."""
    try:
        await change_tag(edge, tag_id, body_of(TagChange, tag=tag))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "tags/detail", error, nav="tags", typed=tag, **await _detail(edge, tag_id))
    return redirect(edge, f"{HERE}/{tag_id}", done="Saved.")


@router.post("/{tag_id}/archive", dependencies=[_WRITE], name="tag.archive_by_form")
async def archive(edge: EdgeOf, tag_id: IdPath, is_archived: Text = "true") -> Response:
    """Offer it no more, or again."""
    await change_tag(edge, tag_id, TagChange(is_archived=is_archived == "true"))
    return redirect(edge, f"{HERE}/{tag_id}", done="Saved.")

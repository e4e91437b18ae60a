"""Segments: list, editor with a live count, detail."""

from typing import Annotated, Any

from fastapi import Form, Query, Response
from fastapi.responses import JSONResponse

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import segments as api
from admin_api.console import conditions, json_fields
from admin_api.console.pages import again, fragment, reason, redirect, render, say
from admin_api.console.rule_words import described
from admin_api.deps import AdminDeps, Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.problems import ProblemError
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.segments import service
from crm.segments.types import Segment

router = page_router(f"{ROOT}/segments")
HERE = f"{ROOT}/segments"
_READ, _WRITE = allow(Permission.SEGMENTS_READ), allow(Permission.SEGMENTS_WRITE)
_EVERYONE: dict[str, Any] = {"all": []}
Text = Annotated[str, Form(max_length=2000)]
RuleField = Annotated[str, Form(max_length=json_fields.MOST_CHARACTERS)]


@router.get("", dependencies=[_READ], name="segment.list_page")
async def list_page(
    edge: EdgeOf, query: Annotated[str, Query(max_length=200)] = "", archived: bool = False, cursor: Cursor = None
) -> Response:
    """Every segment; counts follow by themselves."""
    page = await service.listing(edge.session, query=query, with_archived=archived, cursor=cursor)
    return await render(edge, "segments/list", nav="segments", page=page, query=query, archived=archived, cursor=cursor)


@router.get("/new", dependencies=[_WRITE], name="segment.new_page")
async def new_page(edge: EdgeOf, deps: Deps) -> Response:
    """An empty editor."""
    form = {"name": "", "description": "", "rule": _EVERYONE}
    return await render(edge, "segments/form", nav="segments", segment=None, form=form, **await _editor(edge, deps))


@router.post("/preview", dependencies=[_READ], name="segment.live_count")
async def preview(edge: EdgeOf, body: api.RuleBody) -> Response:
    """How many match what the editor holds, in the operator's words; nothing is saved."""
    edge.is_question = True
    try:
        found = await service.preview(edge.session, body.rule)
    except DomainError as error:
        raise ProblemError(422, error.code(), reason(edge, error)) from error
    sample = [{"id": item.id, "display_name": item.display_name} for item in found.sample]
    warnings = [{"path": item.path, "text": say(edge, item.text)} for item in found.warnings]
    return JSONResponse({"count": found.count, "sample": sample, "warnings": warnings})


@router.post("", dependencies=[_WRITE], name="segment.create_by_form")
async def create(edge: EdgeOf, deps: Deps, name: Text = "", description: Text = "", rule: RuleField = "") -> Response:
    """Save a rule under a name."""
    try:
        wanted = api.NewSegment.model_construct(name=name, description=description, rule=json_fields.read(rule))
        segment = await api.create_segment(edge, wanted)
    except DomainError as error:
        return await _again(edge, deps, error, None, {"name": name, "description": description, "rule": rule})
    return redirect(edge, f"{HERE}/{segment.id}", done="The segment is saved.")


@router.get("/{segment_id}", dependencies=[_READ], name="segment.page")
async def segment_page(edge: EdgeOf, deps: Deps, segment_id: IdPath) -> Response:
    """The rule in words, who matches, what can be done with it."""
    segment = await service.get(edge.session, segment_id)
    found, fault = None, ""
    try:
        found = await service.preview(edge.session, segment.rule, sample=20)
    except DomainError as error:
        fault = reason(edge, error)
    rule = described(edge, segment.rule, await conditions.catalogue(edge, deps))
    return await render(edge, "segments/detail", nav="segments", segment=segment, found=found, fault=fault, rule=rule)


@router.get("/{segment_id}/count", dependencies=[_READ], name="segment.count_piece")
async def count_piece(edge: EdgeOf, segment_id: IdPath) -> Response:
    """The number alone, for lists."""
    segment = await service.get(edge.session, segment_id)
    try:
        count = (await service.preview(edge.session, segment.rule, sample=1)).count
    except DomainError:
        count = None
    return fragment(edge, "segments/count", count=count)


@router.get("/{segment_id}/edit", dependencies=[_WRITE], name="segment.edit_page")
async def edit_page(edge: EdgeOf, deps: Deps, segment_id: IdPath) -> Response:
    """The editor with what is saved."""
    segment = await service.get(edge.session, segment_id)
    return await render(
        edge, "segments/form", nav="segments", segment=segment, form=segment, **await _editor(edge, deps)
    )


@router.post("/{segment_id}", dependencies=[_WRITE], name="segment.change_by_form")
async def change(
    edge: EdgeOf, deps: Deps, segment_id: IdPath, *, name: Text = "", description: Text = "", rule: RuleField = ""
) -> Response:
    """Save the editor; campaigns that were launched keep their audience."""
    segment = await service.get(edge.session, segment_id)
    try:
        wanted = api.SegmentChange.model_construct(name=name, description=description, rule=json_fields.read(rule))
        await api.change_segment(edge, segment_id, wanted)
    except DomainError as error:
        return await _again(edge, deps, error, segment, {"name": name, "description": description, "rule": rule})
    return redirect(edge, f"{HERE}/{segment_id}", done="The segment is saved.")


@router.post("/{segment_id}/archive", dependencies=[_WRITE], name="segment.archive_by_form")
async def archive(edge: EdgeOf, segment_id: IdPath) -> Response:
    """Out of the lists."""
    await api.change_segment(edge, segment_id, api.SegmentChange(is_archived=True))
    return redirect(edge, HERE, done="The segment is archived.")


@router.post("/{segment_id}/unarchive", dependencies=[_WRITE], name="segment.unarchive_by_form")
async def unarchive(edge: EdgeOf, segment_id: IdPath) -> Response:
    """Into the lists again."""
    await api.change_segment(edge, segment_id, api.SegmentChange(is_archived=False))
    return redirect(edge, f"{HERE}/{segment_id}", done="The segment is back.")


async def _editor(edge: Edge, deps: AdminDeps) -> dict[str, Any]:
    return {"conditions": await conditions.catalogue(edge, deps), "preview_url": f"{HERE}/preview"}


async def _again(
    edge: Edge, deps: AdminDeps, error: DomainError, segment: Segment | None, typed: dict[str, str]
) -> Response:
    form = {**typed, "rule": json_fields.read_or(typed["rule"], _EVERYONE)}
    values = await _editor(edge, deps)
    return await again(edge, "segments/form", error, nav="segments", segment=segment, form=form, **values)

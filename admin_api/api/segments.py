"""Segments: rules that say who is meant."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, paged
from crm.operators.permissions import Permission
from crm.segments import service
from crm.segments.types import ConditionInfo, Preview, Segment

router = api_router("/api/v1/segments", "Segments")
_READ, _WRITE = allow(Permission.SEGMENTS_READ), allow(Permission.SEGMENTS_WRITE)
_EXAMPLE = {"all": [{"condition": "tag", "tag": "likes:oolong"}]}
RuleJson = Annotated[
    Any,
    Field(
        description='`{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` or `{"condition": NAME, ...parameters}`.',
        examples=[_EXAMPLE],
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=1000)]


class RuleBody(Body):
    """A rule to try."""

    rule: RuleJson


class NewSegment(Body):
    """A rule under a name."""

    name: Name
    rule: RuleJson
    description: Description = ""


class SegmentChange(Body):
    """Fields to change; what is left out stays."""

    name: Name | None = None
    rule: RuleJson = None
    description: Description | None = None
    is_archived: bool | None = None


class Conditions(BaseModel):
    """Every condition with the JSON Schema of its parameters."""

    items: list[ConditionInfo]


@router.get("/conditions", dependencies=[_READ], name="segment.conditions", summary="List conditions")
async def list_conditions(edge: EdgeOf) -> Conditions:
    """What a rule may ask."""
    return Conditions(items=service.conditions(edge.session))


@router.post("/preview", dependencies=[_READ], name="segment.preview", summary="Count who matches a rule")
async def preview(edge: EdgeOf, body: RuleBody) -> Preview:
    """How many match now, and some of them; nothing is saved."""
    return await service.preview(edge.session, body.rule)


@router.get("", dependencies=[_READ], name="segment.list", summary="List segments")
async def list_segments(
    edge: EdgeOf,
    query: Annotated[str, Query(max_length=200)] = "",
    with_archived: Annotated[bool, Query()] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Segment]:
    """Newest first."""
    page = await service.listing(edge.session, query=query, with_archived=with_archived, cursor=cursor, limit=limit)
    return paged(page, lambda segment: segment)


@router.post("", dependencies=[_WRITE], name="segment.create", summary="Save a segment", status_code=201)
async def create_segment(edge: EdgeOf, body: NewSegment) -> Segment:
    """An empty `all` is everyone; an empty `any` is refused."""
    segment = await service.create(edge.session, name=body.name, rule=body.rule, description=body.description)
    edge.note("segment.create", f"segment:{segment.id}", after={"name": segment.name, "rule": segment.rule})
    return segment


@router.get("/{segment_id}", dependencies=[_READ], name="segment.read", summary="Read a segment")
async def read_segment(edge: EdgeOf, segment_id: IdPath) -> Segment:
    """One segment, archived ones too."""
    return await service.get(edge.session, segment_id)


@router.get("/{segment_id}/preview", dependencies=[_READ], name="segment.count", summary="Count a segment's members")
async def count_segment(edge: EdgeOf, segment_id: IdPath) -> Preview:
    """How many match now, and some of them."""
    segment = await service.get(edge.session, segment_id)
    return await service.preview(edge.session, segment.rule)


@router.patch("/{segment_id}", dependencies=[_WRITE], name="segment.change", summary="Change a segment")
async def change_segment(edge: EdgeOf, segment_id: IdPath, body: SegmentChange) -> Segment:
    """Campaigns that were launched keep their audience. A segment in use is archived, not deleted."""
    before = await service.get(edge.session, segment_id)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    given = {name: value for name, value in given.items() if value is not None or name == "rule"}
    is_archived = given.pop("is_archived", None)
    segment = before
    if given:
        segment = await service.change(edge.session, segment_id, **given)
    if is_archived is not None:
        segment = await service.archive(edge.session, segment_id, is_archived=is_archived)
    edge.note(
        "segment.change",
        f"segment:{segment_id}",
        before={"name": before.name, "rule": before.rule, "is_archived": before.is_archived},
        after={"name": segment.name, "rule": segment.rule, "is_archived": segment.is_archived},
    )
    return segment

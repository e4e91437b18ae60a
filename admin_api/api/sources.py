"""Sources: links, QR codes and embeds by which members come."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.addresses import public_url
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, PageOf
from crm.operators.permissions import Permission
from crm.sources import service
from crm.sources.types import Source, SourceCounts, SourceKind, SourceLink

router = api_router("/api/v1/sources", "Sources")
_READ, _WRITE = allow(Permission.SOURCES_READ), allow(Permission.SOURCES_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)]
Texts = Annotated[dict[str, Annotated[str, Field(max_length=4000)]], Field(max_length=2)]


class NewSource(Body):
    """What whoever comes through is tagged with and told."""

    name: Name
    kind: SourceKind = SourceKind.LINK
    tags: Annotated[Tags, Field(default_factory=list)]
    welcome: Annotated[Texts, Field(default_factory=dict)]


class SourceChange(Body):
    """Fields to change; what is left out stays."""

    name: Name | None = None
    tags: Tags | None = None
    welcome: Texts | None = None
    is_archived: bool | None = None


class SourceView(BaseModel):
    """A source with its addresses and what came of it."""

    source: Source
    links: list[SourceLink]
    counts: SourceCounts


async def source_view(edge: Edge, source: Source) -> SourceView:
    """The source with its addresses and counts."""
    links = await service.links(edge.session, source.id, public_url=public_url(edge.request))
    return SourceView(source=source, links=links, counts=await service.counts(edge.session, source.id))


@router.get("", dependencies=[_READ], name="source.list", summary="List sources")
async def list_sources(edge: EdgeOf, with_archived: Annotated[bool, Query()] = False) -> PageOf[Source]:
    """Newest first."""
    return PageOf(items=await service.listing(edge.session, with_archived=with_archived))


@router.post("", dependencies=[_WRITE], name="source.create", summary="Make a source", status_code=201)
async def create_source(edge: EdgeOf, body: NewSource) -> SourceView:
    """Answers the addresses of every bot."""
    source = await service.create(edge.session, body.name, tags=body.tags, welcome=body.welcome, kind=body.kind)
    edge.note("source.create", f"source:{source.id}", after={"name": source.name})
    return await source_view(edge, source)


@router.get("/{source_id}", dependencies=[_READ], name="source.read", summary="Read a source")
async def read_source(edge: EdgeOf, source_id: IdPath) -> SourceView:
    """With its addresses and how many came."""
    return await source_view(edge, await service.get(edge.session, source_id))


@router.patch("/{source_id}", dependencies=[_WRITE], name="source.change", summary="Change a source")
async def change_source(edge: EdgeOf, source_id: IdPath, body: SourceChange) -> SourceView:
    """An archived one still opens the bot, but is no longer counted."""
    given = body.model_dump(exclude_unset=True)
    source = await service.change(edge.session, source_id, **given)
    edge.note("source.change", f"source:{source_id}", after=given)
    return await source_view(edge, source)

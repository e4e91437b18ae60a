"""Journeys: what happens by itself when something happened to a member."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, paged
from crm.journeys import service
from crm.journeys.registry import nodes
from crm.journeys.triggers import Trigger
from crm.journeys.types import Enrollment, Graph, Journey, JourneyCounts
from crm.operators.permissions import Permission

router = api_router("/api/v1/journeys", "Journeys")
_READ, _WRITE = allow(Permission.JOURNEYS_READ), allow(Permission.JOURNEYS_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewJourney(Body):
    """A draft: what starts it, and its nodes."""

    name: Name
    trigger: Trigger
    graph: Graph


class JourneyChange(Body):
    """Fields to change; what is left out stays. Members on their way keep the version they began."""

    name: Name | None = None
    trigger: Trigger | None = None
    graph: Graph | None = None
    is_archived: bool | None = None


class JourneyWithCounts(BaseModel):
    """A journey and how its members fare."""

    journey: Journey
    counts: JourneyCounts


class NodeKind(BaseModel):
    """A kind of node with the JSON Schema of its parameters."""

    kind: str
    parameters: dict[str, Any]


@router.get("/nodes", dependencies=[_READ], name="journey.nodes", summary="List kinds of nodes")
async def list_nodes() -> PageOf[NodeKind]:
    """What a journey can be made of."""
    return PageOf(
        items=[NodeKind(kind=name, parameters=node.parameters.model_json_schema()) for name, node in nodes().items()]
    )


@router.get("", dependencies=[_READ], name="journey.list", summary="List journeys")
async def list_journeys(
    edge: EdgeOf, with_archived: Annotated[bool, Query()] = False, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Journey]:
    """Newest first."""
    page = await service.listing(edge.session, with_archived=with_archived, cursor=cursor, limit=limit)
    return paged(page, lambda journey: journey)


@router.post("", dependencies=[_WRITE], name="journey.create", summary="Draft a journey", status_code=201)
async def create_journey(edge: EdgeOf, body: NewJourney) -> Journey:
    """Takes in nobody until it is activated."""
    journey = await service.create(edge.session, name=body.name, trigger=body.trigger, graph=body.graph)
    edge.note("journey.create", f"journey:{journey.id}", after=body.model_dump(mode="json"))
    return journey


@router.get("/{journey_id}", dependencies=[_READ], name="journey.read", summary="Read a journey with its counts")
async def read_journey(edge: EdgeOf, journey_id: IdPath) -> JourneyWithCounts:
    """The current version, and how many entered and ended how."""
    journey = await service.get(edge.session, journey_id)
    return JourneyWithCounts(journey=journey, counts=await service.counts(edge.session, journey_id))


@router.patch("/{journey_id}", dependencies=[_WRITE], name="journey.change", summary="Change a journey")
async def change_journey(edge: EdgeOf, journey_id: IdPath, body: JourneyChange) -> Journey:
    """A changed graph or trigger makes a new version."""
    journey = await service.change(edge.session, journey_id, name=body.name, trigger=body.trigger, graph=body.graph)
    if body.is_archived is not None:
        journey = await service.archive(edge.session, journey_id, is_archived=body.is_archived)
    edge.note("journey.change", f"journey:{journey_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return journey


@router.post("/{journey_id}/activate", dependencies=[_WRITE], name="journey.activate", summary="Activate a journey")
async def activate_journey(edge: EdgeOf, journey_id: IdPath) -> Journey:
    """Takes in members from now on."""
    edge.note("journey.activate", f"journey:{journey_id}")
    return await service.activate(edge.session, journey_id)


@router.post("/{journey_id}/pause", dependencies=[_WRITE], name="journey.pause", summary="Pause a journey")
async def pause_journey(edge: EdgeOf, journey_id: IdPath) -> Journey:
    """Members on their way wait."""
    edge.note("journey.pause", f"journey:{journey_id}")
    return await service.pause(edge.session, journey_id)


@router.get("/{journey_id}/enrollments", dependencies=[_READ], name="journey.enrollments", summary="List enrollments")
async def list_enrollments(
    edge: EdgeOf, journey_id: IdPath, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Enrollment]:
    """Members of the journey, the latest first."""
    await service.get(edge.session, journey_id)
    page = await service.enrollments(edge.session, journey_id, cursor=cursor, limit=limit)
    return paged(page, lambda enrollment: enrollment)

"""Facts that other systems report."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.problems import FieldError, ProblemError
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, Moment
from crm.db import clock
from crm.events import service
from crm.events.catalogue import CustomEvent
from crm.members import service as members
from crm.operators.permissions import Permission

router = api_router("/api/v1/events", "Events")
_OLDEST, _AHEAD = timedelta(days=3 * 366), timedelta(minutes=5)


class NewEvent(Body):
    """A fact about a member. With `key` the same fact may be reported again without a second effect."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,99}$", examples=["workshop_booked"])]
    member_id: Id
    properties: Annotated[dict[str, Any], Field(default_factory=dict, max_length=100)]
    occurred_at: Moment | None = None
    key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class EventAnswer(BaseModel):
    """Whether the fact was new, and where it stands in the log."""

    is_new: bool
    id: str | None
    occurred_at: datetime | None


@router.post(
    "",
    dependencies=[allow(Permission.EVENTS_WRITE)],
    name="event.report",
    summary="Report an event",
    status_code=201,
    responses={200: {"model": EventAnswer, "description": "It was reported before with this key."}},
)
async def report(edge: EdgeOf, body: NewEvent, response: Response) -> EventAnswer:
    """Goes to the member's timeline, to tag rules and segments."""
    now = await clock.now(edge.session)
    at = body.occurred_at or now
    if not now - _OLDEST <= at <= now + _AHEAD:
        detail = "occurred_at must lie within the last three years and not in the future."
        errors = [FieldError(path="occurred_at", message=detail, code="out_of_range")]
        raise ProblemError(422, "occurred_at_out_of_range", detail, errors=errors)
    member_id = await members.current_id(edge.session, body.member_id)
    event = CustomEvent(member_id=member_id, name=body.name, properties=body.properties)
    edge.note("event.report", f"member:{member_id}", after={"name": body.name})
    if body.key is None:
        recorded = await service.publish(edge.session, event, occurred_at=at, source="api")
        return EventAnswer(is_new=True, id=str(recorded.id), occurred_at=at)
    once = await service.publish_once(edge.session, f"api:{body.key}", event, occurred_at=at)
    if once is None:
        response.status_code = 200
        return EventAnswer(is_new=False, id=None, occurred_at=None)
    return EventAnswer(is_new=True, id=str(once.id), occurred_at=at)

"""Activities: the brand's events, who registered, the desk, and how it went."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import Field

from admin_api.access import allow
from admin_api.addresses import public_url
from admin_api.api.campaigns import CampaignView, campaign_view
from admin_api.api.rewards import Texts, TierKey
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, csv_file
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, Moment, PageOf, paged
from crm.activities import policy
from crm.activities.errors import InvalidActivity
from crm.activities.service import attending, definitions, lists, registering, reporting
from crm.activities.types import (
    Activity,
    ActivityStatus,
    Door,
    NewActivity,
    Registration,
    RegistrationStatus,
    Report,
    Terms,
)
from crm.campaigns import invitations
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS
from crm.segments import promotions
from crm.segments import service as segments
from crm.segments.errors import SegmentArchivedError, SegmentNotFoundError

router = api_router("/api/v1/activities", "Activities")
_READ, _WRITE = allow(Permission.ACTIVITIES_READ), allow(Permission.ACTIVITIES_WRITE)
_ASSIST, _INVITE = allow(Permission.ACTIVITIES_ASSIST), allow(Permission.CAMPAIGNS_WRITE)
Hours = Annotated[int, Field(ge=0, le=policy.MAX_HOURS)]


class ActivityTermsBody(Body):
    """When it is, who may come, and for what."""

    starts_at: Moment
    ends_at: Moment
    opens_at: Annotated[Moment | None, Field(description="Null: when the activity is published.")] = None
    closes_at: Annotated[Moment | None, Field(description="Null: when the activity begins.")] = None
    capacity: Annotated[int, Field(ge=1, le=policy.MAX_CAPACITY)] | None = None
    has_waiting_list: bool = True
    points: Annotated[int, Field(ge=0, le=MAX_POINTS, description="What a place costs.")] = 0
    tiers: Annotated[list[TierKey], Field(default_factory=list, max_length=policy.MAX_TIERS)]
    segment_ids: Annotated[list[Id], Field(default_factory=list, max_length=policy.MAX_SEGMENTS)]
    cancel_hours: Annotated[Hours, Field(description="Until then cancelling brings the points back.")] = 24
    reminder_hours: Annotated[list[Hours], Field(default_factory=lambda: [24, 2], max_length=policy.MAX_REMINDERS)]
    survey_id: Annotated[Id | None, Field(description="Asks those who came how it was.")] = None
    feedback_hours: Annotated[Hours, Field(description="After the end.")] = 2


class ActivityBody(Body):
    """An activity to be made, or its new content."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    place: Annotated[Texts, Field(default_factory=dict)]
    photo_media_id: UUID | None = None
    terms: ActivityTermsBody

    def activity(self) -> NewActivity:
        """As the service takes it."""
        terms = Terms(**dict(self.terms))
        return NewActivity(self.name, terms, self.description, self.place, self.photo_media_id)


class InvitationBody(Body):
    """Whom to tell."""

    segment_id: Id


class RegistrationBody(Body):
    """Somebody who registers by other ways."""

    member_id: Id


class CancellationBody(Body):
    """Whether what was paid goes back."""

    gives_back: bool = True


class CheckInBody(Body):
    """The member's own code."""

    code: Annotated[str, Field(min_length=1, max_length=100)]


@router.get("", dependencies=[_READ], name="activity.list", summary="List activities")
async def list_activities(edge: EdgeOf, status: ActivityStatus | None = None) -> PageOf[Activity]:
    """The last to begin first."""
    return PageOf(items=await definitions.listing(edge.session, status=status))


@router.post("", dependencies=[_WRITE], name="activity.create", summary="Make an activity", status_code=201)
async def create_activity(edge: EdgeOf, body: ActivityBody) -> Activity:
    """A draft that nobody sees."""
    await _check_segments(edge, body.terms.segment_ids)
    activity = await definitions.create(edge.session, body.activity())
    edge.note("activity.create", f"activity:{activity.id}", after=_noted(activity))
    return activity


@router.get("/{activity_id}", dependencies=[_READ], name="activity.read", summary="Read an activity")
async def read_activity(edge: EdgeOf, activity_id: IdPath) -> Activity:
    """With how many registered, wait and came."""
    return await definitions.get(edge.session, activity_id)


@router.put("/{activity_id}", dependencies=[_WRITE], name="activity.change", summary="Change an activity")
async def change_activity(edge: EdgeOf, activity_id: IdPath, body: ActivityBody) -> Activity:
    """A published one keeps its price, and places that are taken; reminders follow its time."""
    await _check_segments(edge, body.terms.segment_ids)
    activity = await definitions.change(edge.session, activity_id, body.activity())
    await _look_through(edge, activity)
    edge.note("activity.change", f"activity:{activity_id}", after=_noted(activity))
    return activity


@router.post("/{activity_id}/publish", dependencies=[_WRITE], name="activity.publish", summary="Publish an activity")
async def publish_activity(edge: EdgeOf, activity_id: IdPath) -> Activity:
    """Members see it and register."""
    activity = await definitions.publish(edge.session, activity_id)
    await _look_through(edge, activity)
    edge.note("activity.publish", f"activity:{activity_id}", after=_noted(activity))
    return activity


@router.post("/{activity_id}/invitations", dependencies=[_INVITE], name="activity.invite", status_code=201)
async def invite(edge: EdgeOf, activity_id: IdPath, body: InvitationBody) -> CampaignView:
    """A draft of a campaign to the segment, with a button that opens the activity; look at it, then launch it."""
    campaign = await invitations.draft(edge.session, activity_id, body.segment_id, by=edge.acting.actor)
    edge.note("activity.invite", f"activity:{activity_id}", after={"campaign_id": campaign.id, **body.model_dump()})
    return campaign_view(campaign)


@router.post("/{activity_id}/close", dependencies=[_WRITE], name="activity.close", summary="Close an activity")
async def close_activity(edge: EdgeOf, activity_id: IdPath) -> Activity:
    """After its end; nobody is checked in any more. A day after the end it closes by itself."""
    activity = await definitions.close(edge.session, activity_id)
    edge.note("activity.close", f"activity:{activity_id}", after=vars(activity.counts))
    return activity


@router.post("/{activity_id}/call-off", dependencies=[_WRITE], name="activity.call_off", summary="Call it off")
async def call_off_activity(edge: EdgeOf, activity_id: IdPath) -> Activity:
    """Everybody is told, and gets back what was paid, within a minute or so."""
    activity = await definitions.call_off(edge.session, activity_id)
    edge.note("activity.call_off", f"activity:{activity_id}", after=vars(activity.counts))
    return activity


@router.get("/{activity_id}/door", dependencies=[_ASSIST], name="activity.door", summary="Read the code at the door")
async def read_door(edge: EdgeOf, activity_id: IdPath) -> Door:
    """What members send to check in, and addresses for QR codes."""
    return await definitions.door(edge.session, activity_id, public_url=public_url(edge.request))


@router.post("/{activity_id}/door", dependencies=[_ASSIST], name="activity.renew_door", summary="Renew that code")
async def renew_door(edge: EdgeOf, activity_id: IdPath) -> Door:
    """The old one is good for nothing from now on."""
    await definitions.renew_door(edge.session, activity_id)
    edge.note("activity.renew_door", f"activity:{activity_id}")
    return await definitions.door(edge.session, activity_id, public_url=public_url(edge.request))


@router.get("/{activity_id}/report", dependencies=[_READ], name="activity.report", summary="Read the report")
async def read_report(edge: EdgeOf, activity_id: IdPath) -> Report:
    """Registered, cancelled, waiting, came, missed, and the averages of the feedback."""
    return await reporting.report(edge.session, activity_id)


@router.get("/{activity_id}/registrations", dependencies=[_READ], name="activity.registrations")
async def list_registrations(
    edge: EdgeOf,
    activity_id: IdPath,
    *,
    status: RegistrationStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Registration]:
    """In the order in which they were made."""
    page = await reporting.participants(edge.session, activity_id, status=status, limit=limit, cursor=cursor)
    return paged(page, lambda one: one)


@router.get("/{activity_id}/registrations/file", dependencies=[_READ], name="activity.registrations_file", **CSV)
async def registrations_file(edge: EdgeOf, deps: Deps, activity_id: IdPath) -> StreamingResponse:
    """All of them as CSV."""
    await definitions.get(edge.session, activity_id)
    name = f"activity-{activity_id}.csv"
    return csv_file(deps, lambda session: lists.as_csv(session, activity_id), filename=name)


@router.post("/{activity_id}/registrations", dependencies=[_ASSIST], name="activity.register", status_code=201)
async def register(edge: EdgeOf, activity_id: IdPath, body: RegistrationBody) -> Registration:
    """For a member, by the same rules; who has a place already keeps it."""
    made = await registering.register(edge.session, body.member_id, activity_id, by=edge.acting.actor)
    edge.note(
        "activity.register", f"activity:{activity_id}", after={"member_id": made.member_id, "status": made.status}
    )
    return made


@router.post(
    "/{activity_id}/registrations/{member_id}/cancel", dependencies=[_ASSIST], name="activity.cancel_registration"
)
async def cancel_registration(
    edge: EdgeOf, activity_id: IdPath, member_id: IdPath, body: CancellationBody
) -> Registration:
    """For a member, who is told; the place goes to the next in line."""
    done = await registering.cancel_for(
        edge.session, member_id, activity_id, by=edge.acting.actor, gives_back=body.gives_back
    )
    after = {"member_id": done.member_id, "gives_back": body.gives_back}
    edge.note("activity.cancel_registration", f"activity:{activity_id}", after=after)
    return done


@router.post("/{activity_id}/check-ins", dependencies=[_ASSIST], name="activity.check_in", summary="Check somebody in")
async def check_in(edge: EdgeOf, activity_id: IdPath, body: CheckInBody) -> Registration:
    """By the code that the member shows; once."""
    came = await attending.by_desk(edge.session, activity_id, body.code, by=edge.acting.actor)
    edge.note("activity.check_in", f"activity:{activity_id}", after={"member_id": came.member_id})
    return came


async def _check_segments(edge: Edge, segment_ids: Sequence[int]) -> None:
    """Activities do not know segments themselves. Raises InvalidActivity."""
    for segment_id in segment_ids:
        try:
            await segments.rule_of(edge.session, segment_id)
        except (SegmentNotFoundError, SegmentArchivedError) as error:
            raise InvalidActivity(f"there is no segment {segment_id} in use", path="segment_ids") from error


async def _look_through(edge: Edge, activity: Activity) -> None:
    """Who is in its segments now sees it at once, not only after the next look of every five minutes."""
    if activity.status is ActivityStatus.PUBLISHED:
        await promotions.look_through(edge.session, activity.terms.segment_ids)


def _noted(activity: Activity) -> dict[str, object]:
    terms = activity.terms
    return {
        "name": activity.name,
        "starts_at": terms.starts_at.isoformat(),
        "ends_at": terms.ends_at.isoformat(),
        "capacity": terms.capacity,
        "points": terms.points,
    }

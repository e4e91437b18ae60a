"""Campaigns: drafts, launches, and how sending stands."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.message_bodies import MessageBody, content_of
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, Moment, PageOf, paged
from crm.campaigns import service
from crm.campaigns.types import Campaign, CampaignStatus, NewCampaign
from crm.deliveries.paying import MESSAGES_PER_STAR
from crm.deliveries.types import DeliveryCounts, MessageClass
from crm.messages.types import MessageContent
from crm.operators.permissions import Permission

router = api_router("/api/v1/campaigns", "Campaigns")
_READ, _WRITE = allow(Permission.CAMPAIGNS_READ), allow(Permission.CAMPAIGNS_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Topic = Annotated[str, Field(max_length=100)]
Lateness = Annotated[int, Field(ge=1, le=10_080, description="Minutes after which a missed schedule is held.")]


class CampaignView(BaseModel):
    """One campaign."""

    id: int
    name: str
    segment_id: int
    message: MessageContent
    topic: str
    message_class: MessageClass
    status: CampaignStatus
    scheduled_at: datetime | None
    max_lateness_minutes: int
    send_before: datetime | None
    held_reason: str | None
    audience_size: int | None
    version: int
    created_by: str
    launched_by: str | None
    created_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    is_archived: bool
    stars_cap: int | None = Field(None, description="Stars that paid sending may cost; null where nothing is paid.")


class Counts(BaseModel):
    """Deliveries by state; they add up to `total`."""

    total: int
    queued: int
    claimed: int
    sending: int
    sent: int
    delivered: int
    failed: int
    suppressed: int
    uncertain: int
    cancelled: int
    suppressed_by_reason: dict[str, int]
    deferred: int = Field(description="How many of the queued ones wait for a later time.")
    next_at: datetime | None = Field(description="When the first deferred one is due.")


class CampaignWithCounts(CampaignView):
    """One campaign with its live counts."""

    counts: Counts
    resumes_at: datetime | None = Field(None, description="When a pause that came by itself ends.")
    stars_spent: float = Field(0.0, description="What paid sending cost so far, in Stars.")


class NewCampaignBody(Body):
    """A draft. Topic and class default to news and marketing."""

    name: Name
    segment_id: Id
    message: MessageBody
    topic: Topic = "news"
    message_class: MessageClass = MessageClass.MARKETING
    send_before: Moment | None = None
    max_lateness_minutes: Lateness = 60


class CampaignChange(Body):
    """Fields of a draft to change; what is left out stays."""

    name: Name | None = None
    segment_id: Id | None = None
    message: MessageBody | None = None
    topic: Topic | None = None
    message_class: MessageClass | None = None
    send_before: Moment | None = None
    max_lateness_minutes: Lateness | None = None


def campaign_view(campaign: Campaign) -> CampaignView:
    """As the API shows a campaign."""
    return CampaignView.model_validate(vars(campaign))


def counts_view(counts: DeliveryCounts) -> Counts:
    """Every state with its figure, 0 where there is none."""
    states = {name: counts.by_state.get(name, 0) for name in Counts.model_fields if name in _STATES}
    return Counts(
        **states,
        total=counts.total,
        suppressed_by_reason=counts.suppressed,
        deferred=counts.deferred,
        next_at=counts.next_at,
    )


_STATES = {"queued", "claimed", "sending", "sent", "delivered", "failed", "suppressed", "uncertain", "cancelled"}


async def with_counts(edge: Edge, campaign_id: int) -> CampaignWithCounts:
    """The campaign with its live counts. Raises CampaignNotFoundError."""
    progress = await service.progress(edge.session, campaign_id)
    sending = progress.broadcast
    return CampaignWithCounts(
        **campaign_view(progress.campaign).model_dump(),
        counts=counts_view(progress.counts),
        resumes_at=sending.resumes_at if sending else None,
        stars_spent=sending.paid_count / MESSAGES_PER_STAR if sending else 0.0,
    )


@router.get("", dependencies=[_READ], name="campaign.list", summary="List campaigns")
async def list_campaigns(  # noqa: PLR0917 - each is a filter of the address
    edge: EdgeOf,
    status: CampaignStatus | None = None,
    query: Annotated[str, Query(max_length=200)] = "",
    with_archived: Annotated[bool, Query()] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[CampaignView]:
    """Newest first."""
    page = await service.listing(
        edge.session, status=status, query=query, with_archived=with_archived, cursor=cursor, limit=limit
    )
    return paged(page, campaign_view)


@router.post("", dependencies=[_WRITE], name="campaign.create", summary="Draft a campaign", status_code=201)
async def create_campaign(edge: EdgeOf, body: NewCampaignBody) -> CampaignView:
    """Nothing is sent until it is launched."""
    plain = {name: getattr(body, name) for name in NewCampaignBody.model_fields if name != "message"}
    new = NewCampaign(**plain, message=await content_of(edge.session, body.message))
    campaign = await service.create(edge.session, new, by=edge.acting.actor)
    edge.note("campaign.create", f"campaign:{campaign.id}", after=_noted(campaign))
    return campaign_view(campaign)


@router.get("/{campaign_id}", dependencies=[_READ], name="campaign.read", summary="Read a campaign with its counts")
async def read_campaign(edge: EdgeOf, campaign_id: IdPath) -> CampaignWithCounts:
    """Status and live counts of its deliveries."""
    return await with_counts(edge, campaign_id)


@router.patch("/{campaign_id}", dependencies=[_WRITE], name="campaign.change", summary="Change a draft")
async def change_campaign(edge: EdgeOf, campaign_id: IdPath, body: CampaignChange) -> CampaignView:
    """Only a draft can be changed; clone a campaign that was launched."""
    before = await service.get(edge.session, campaign_id)
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    given = {name: value for name, value in given.items() if value is not None or name == "send_before"}
    if body.message is not None:
        given["message"] = await content_of(edge.session, body.message)
    campaign = await service.change(edge.session, campaign_id, **given)
    edge.note("campaign.change", f"campaign:{campaign_id}", before=_noted(before), after=_noted(campaign))
    return campaign_view(campaign)


@router.post(
    "/{campaign_id}/clone", dependencies=[_WRITE], name="campaign.clone", summary="Clone a campaign", status_code=201
)
async def clone_campaign(edge: EdgeOf, campaign_id: IdPath) -> CampaignView:
    """A new draft with the same message and segment."""
    campaign = await service.clone(edge.session, campaign_id, by=edge.acting.actor)
    edge.note("campaign.clone", f"campaign:{campaign.id}", after={"of": campaign_id})
    return campaign_view(campaign)


@router.post("/{campaign_id}/archive", dependencies=[_WRITE], name="campaign.archive", summary="Archive a campaign")
async def archive_campaign(edge: EdgeOf, campaign_id: IdPath) -> CampaignView:
    """Takes it out of the lists; its results stay."""
    edge.note("campaign.archive", f"campaign:{campaign_id}")
    return campaign_view(await service.archive(edge.session, campaign_id))


@router.post(
    "/{campaign_id}/unarchive", dependencies=[_WRITE], name="campaign.unarchive", summary="Bring a campaign back"
)
async def unarchive_campaign(edge: EdgeOf, campaign_id: IdPath) -> CampaignView:
    """Puts it into the lists again."""
    edge.note("campaign.unarchive", f"campaign:{campaign_id}")
    return campaign_view(await service.archive(edge.session, campaign_id, is_archived=False))


def _noted(campaign: Campaign) -> dict[str, Any]:
    """What the audit log keeps of a campaign."""
    return {
        "name": campaign.name,
        "segment_id": campaign.segment_id,
        "topic": campaign.topic,
        "class": campaign.message_class,
        "text": campaign.message.text,
    }

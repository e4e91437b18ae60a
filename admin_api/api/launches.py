"""Launching campaigns, and holding them on their way."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.api.campaigns import CampaignWithCounts, with_counts
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.problems import DeniedError
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, Moment, PageOf, paged
from crm.campaigns import launching, planning, service, test_sends
from crm.campaigns.policy import MOST_STARS
from crm.campaigns.service import SOURCE
from crm.campaigns.types import LaunchPlan
from crm.deliveries import service as deliveries
from crm.deliveries.types import Delivery, DeliveryState
from crm.operators.permissions import Permission

router = api_router("/api/v1/campaigns", "Campaigns")
_READ, _LAUNCH = allow(Permission.CAMPAIGNS_READ), allow(Permission.CAMPAIGNS_LAUNCH)
_TEST = allow(Permission.CAMPAIGNS_WRITE)


class TestSendView(BaseModel):
    """The chats to which the test is on its way."""

    identity_ids: list[int]


class Launch(Body):
    """Now, or at a time; a launch to everyone wants the number of members confirmed."""

    at: Moment | None = None
    confirm_count: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    stars_cap: (
        Annotated[
            int,
            Field(ge=1, le=MOST_STARS, description="Pay for each message, 0.1 Stars, up to so many Stars in all."),
        ]
        | None
    ) = None


class Resume(Body):
    """A campaign that spent its Stars wants a higher cap, or 0 to go on without paying."""

    stars_cap: Annotated[int, Field(ge=0, le=MOST_STARS)] | None = None


@router.get("/{campaign_id}/plan", dependencies=[_READ], name="campaign.plan", summary="See what a launch would do")
async def read_plan(edge: EdgeOf, campaign_id: IdPath) -> LaunchPlan:
    """How many match and can be reached, how long it takes, what paid sending would cost, and what seems odd."""
    return await planning.plan(edge.session, campaign_id)


@router.post(
    "/{campaign_id}/test", dependencies=[_TEST], name="campaign.test", summary="Send a campaign to yourself first"
)
async def test_send(edge: EdgeOf, campaign_id: IdPath) -> TestSendView:
    """To the chats that the operator linked on the settings page; an API key has none."""
    if edge.acting.operator_id is None:
        raise DeniedError("operator_required", "A test goes to an operator's own chats.", actor=edge.acting.actor)
    sent = await test_sends.send_campaign(edge.session, campaign_id, operator_id=edge.acting.operator_id)
    edge.delivery_ids += sent.delivery_ids
    edge.note("campaign.test", f"campaign:{campaign_id}", after={"chats": len(sent.identity_ids)})
    return TestSendView(identity_ids=sent.identity_ids)


@router.post("/{campaign_id}/launch", dependencies=[_LAUNCH], name="campaign.launch", summary="Launch a campaign")
async def launch(edge: EdgeOf, campaign_id: IdPath, body: Launch | None = None) -> CampaignWithCounts:
    """Of two launches at once one succeeds. Refused when nobody matches, or the time is in the past."""
    wanted = body or Launch()
    _check_may_pay(edge, wanted.stars_cap)
    campaign = await launching.launch(
        edge.session,
        campaign_id,
        by=edge.acting.actor,
        at=wanted.at,
        confirm_count=wanted.confirm_count,
        stars_cap=wanted.stars_cap,
    )
    at = wanted.at.isoformat() if wanted.at else None
    after = {"status": campaign.status, "at": at, "stars_cap": campaign.stars_cap}
    edge.note("campaign.launch", f"campaign:{campaign_id}", after=after)
    return await with_counts(edge, campaign_id)


def _check_may_pay(edge: Edge, stars_cap: int | None) -> None:
    """Ending to pay takes no permission of its own. Raises DeniedError."""
    if stars_cap and not edge.may(Permission.CAMPAIGNS_PAY):
        detail = "Paid sending needs the permission campaigns:pay."
        raise DeniedError("missing_permission", detail, actor=edge.acting.actor)


@router.post("/{campaign_id}/pause", dependencies=[_LAUNCH], name="campaign.pause", summary="Pause sending")
async def pause(edge: EdgeOf, campaign_id: IdPath) -> CampaignWithCounts:
    """What is on its way within a group of 25 still arrives."""
    await launching.pause(edge.session, campaign_id)
    edge.note("campaign.pause", f"campaign:{campaign_id}")
    return await with_counts(edge, campaign_id)


@router.post("/{campaign_id}/resume", dependencies=[_LAUNCH], name="campaign.resume", summary="Resume sending")
async def resume(edge: EdgeOf, campaign_id: IdPath, body: Resume | None = None) -> CampaignWithCounts:
    """Goes on where it stopped: nobody twice, nobody left out."""
    stars_cap = body.stars_cap if body else None
    _check_may_pay(edge, stars_cap)
    campaign = await launching.resume(edge.session, campaign_id, stars_cap=stars_cap)
    edge.note("campaign.resume", f"campaign:{campaign_id}", after={"stars_cap": campaign.stars_cap})
    return await with_counts(edge, campaign_id)


@router.post("/{campaign_id}/cancel", dependencies=[_LAUNCH], name="campaign.cancel", summary="Cancel a campaign")
async def cancel(edge: EdgeOf, campaign_id: IdPath) -> CampaignWithCounts:
    """For good: what was not sent never will be."""
    await launching.cancel(edge.session, campaign_id)
    edge.note("campaign.cancel", f"campaign:{campaign_id}")
    return await with_counts(edge, campaign_id)


@router.post(
    "/{campaign_id}/resend-uncertain",
    dependencies=[_LAUNCH],
    name="campaign.resend_uncertain",
    summary="Send what is uncertain once more",
)
async def resend_uncertain(edge: EdgeOf, campaign_id: IdPath) -> CampaignWithCounts:
    """Some members may get the message twice."""
    await service.get(edge.session, campaign_id)
    count = await deliveries.resend_uncertain(edge.session, SOURCE, campaign_id)
    edge.note("campaign.resend_uncertain", f"campaign:{campaign_id}", after={"count": count})
    return await with_counts(edge, campaign_id)


@router.get("/{campaign_id}/recipients", dependencies=[_READ], name="campaign.recipients", summary="List recipients")
async def list_recipients(
    edge: EdgeOf,
    campaign_id: IdPath,
    state: Annotated[DeliveryState | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Delivery]:
    """Who was to get it, with state and reason; empty before the start."""
    campaign = await service.get(edge.session, campaign_id)
    if campaign.started_at is None:
        return PageOf(items=[])
    page = await deliveries.recipients(edge.session, SOURCE, campaign_id, state=state, cursor=cursor, limit=limit)
    return paged(page, lambda delivery: delivery)

"""The buttons of a campaign: test, launch, schedule, pause, resume, cancel, resend, clone, archive."""

from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import campaigns, launches
from admin_api.console import message_forms, typed
from admin_api.console.campaign_values import detail_values
from admin_api.console.pages import again, redirect
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/campaigns")
HERE = f"{ROOT}/campaigns"
_WRITE, _LAUNCH = allow(Permission.CAMPAIGNS_WRITE), allow(Permission.CAMPAIGNS_LAUNCH)
Text = Annotated[str, Form(max_length=100)]


@router.post("/{campaign_id}/test", dependencies=[_WRITE], name="campaign.test_by_form")
async def test_send(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """To one's own linked chats."""
    return await _done(edge, campaign_id, launches.test_send(edge, campaign_id), "The test is on its way to your chat.")


@router.post("/{campaign_id}/launch", dependencies=[_LAUNCH], name="campaign.launch_by_form")
async def launch(edge: EdgeOf, campaign_id: IdPath, confirm_count: Text = "", stars_cap: Text = "") -> Response:
    """Now."""
    act = _launch(edge, campaign_id, "", confirm_count, stars_cap)
    return await _done(edge, campaign_id, act, "The campaign is on its way.")


@router.post("/{campaign_id}/schedule", dependencies=[_LAUNCH], name="campaign.schedule_by_form")
async def schedule(
    edge: EdgeOf, campaign_id: IdPath, at: Text = "", confirm_count: Text = "", stars_cap: Text = ""
) -> Response:
    """At a time."""
    act = _launch(edge, campaign_id, at, confirm_count, stars_cap, is_scheduled=True)
    return await _done(edge, campaign_id, act, "The campaign is scheduled.")


async def _launch(
    edge: Edge, campaign_id: int, at: str, confirm_count: str, stars_cap: str, *, is_scheduled: bool = False
) -> campaigns.CampaignWithCounts:
    moment = await typed.moment(edge, at)
    if is_scheduled and moment is None:
        raise typed.WrongMomentError
    count = typed.whole(confirm_count) if confirm_count.strip() else None
    wanted = launches.Launch.model_construct(at=moment, confirm_count=count, stars_cap=_stars(stars_cap))
    return await launches.launch(edge, campaign_id, wanted)


def _stars(text: str) -> int | None:
    return typed.whole(text) if text.strip() else None


@router.post("/{campaign_id}/pause", dependencies=[_LAUNCH], name="campaign.pause_by_form")
async def pause(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """What is on its way within a group of 25 still arrives."""
    return await _done(edge, campaign_id, launches.pause(edge, campaign_id), "Sending is paused.")


@router.post("/{campaign_id}/resume", dependencies=[_LAUNCH], name="campaign.resume_by_form")
async def resume(edge: EdgeOf, campaign_id: IdPath, stars_cap: Text = "") -> Response:
    """Goes on where it stopped."""
    return await _done(edge, campaign_id, _resume(edge, campaign_id, stars_cap), "Sending goes on.")


async def _resume(edge: Edge, campaign_id: int, stars_cap: str) -> campaigns.CampaignWithCounts:
    wanted = launches.Resume.model_construct(stars_cap=_stars(stars_cap))
    return await launches.resume(edge, campaign_id, wanted)


@router.post("/{campaign_id}/cancel", dependencies=[_LAUNCH], name="campaign.cancel_by_form")
async def cancel(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """For good."""
    return await _done(edge, campaign_id, launches.cancel(edge, campaign_id), "The campaign is cancelled.")


@router.post("/{campaign_id}/resend-uncertain", dependencies=[_LAUNCH], name="campaign.resend_uncertain_by_form")
async def resend_uncertain(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """Some members may get it twice."""
    act = launches.resend_uncertain(edge, campaign_id)
    return await _done(edge, campaign_id, act, "What was uncertain is sent once more.")


@router.post("/{campaign_id}/clone", dependencies=[_WRITE], name="campaign.clone_by_form")
async def clone(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """A new draft."""
    try:
        fresh = await campaigns.clone_campaign(edge, campaign_id)
    except DomainError as error:
        return await _refused(edge, campaign_id, error)
    return redirect(edge, f"{HERE}/{fresh.id}/edit", done="This is a new draft of the same message.")


@router.post("/{campaign_id}/archive", dependencies=[_WRITE], name="campaign.archive_by_form")
async def archive(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """Out of the lists."""
    return await _done(edge, campaign_id, campaigns.archive_campaign(edge, campaign_id), "The campaign is archived.")


@router.post("/{campaign_id}/unarchive", dependencies=[_WRITE], name="campaign.unarchive_by_form")
async def unarchive(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """Into the lists again."""
    return await _done(edge, campaign_id, campaigns.unarchive_campaign(edge, campaign_id), "The campaign is back.")


async def _done(edge: Edge, campaign_id: int, act: Awaitable[Any], done: str) -> Response:
    """Do it and go back to the campaign, or show the campaign with the reason why not."""
    try:
        await act
    except DomainError as error:
        return await _refused(edge, campaign_id, error)
    return redirect(edge, f"{HERE}/{campaign_id}", done=done)


async def _refused(edge: Edge, campaign_id: int, error: DomainError) -> Response:
    await edge.session.rollback()
    values = {**await detail_values(edge, campaign_id), "readers": await message_forms.readers(edge)}
    options = await message_forms.sending_options(edge)
    return await again(edge, "campaigns/detail", error, nav="campaigns", **values, **options)

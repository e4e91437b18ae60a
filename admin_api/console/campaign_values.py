"""What the pages of a campaign show: names, words for reasons, the parts of the meter, how long it takes."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from babel.dates import format_timedelta

from admin_api.console.pages import locale_of, reason, say
from admin_api.edge import Edge
from crm.campaigns import planning, service
from crm.campaigns.types import Campaign, CampaignProgress, CampaignStatus, LaunchPlan
from crm.deliveries import remaining
from crm.deliveries.paying import MESSAGES_PER_STAR
from crm.deliveries.types import DeliveryState
from crm.kit.errors import DomainError
from crm.operators import service as operators
from crm.segments import service as segments

_PARTS = (
    (DeliveryState.DELIVERED, "Delivered", "success"),
    (DeliveryState.SENT, "Sent", "info"),
    (DeliveryState.SENDING, "Sending", "neutral"),
    (DeliveryState.CLAIMED, "Claimed", "neutral"),
    (DeliveryState.QUEUED, "Queued", "neutral"),
    (DeliveryState.SUPPRESSED, "Suppressed", "warning"),
    (DeliveryState.FAILED, "Failed", "danger"),
    (DeliveryState.UNCERTAIN, "Uncertain", "plum"),
    (DeliveryState.CANCELLED, "Cancelled", "neutral"),
)
_ALWAYS_SHOWN = {DeliveryState.DELIVERED, DeliveryState.SENT, DeliveryState.QUEUED}
_REASONS = {
    "inactive": "Merged or erased",
    "no_identity": "Has no chat",
    "unreachable": "Chat cannot be reached",
    "no_consent": "Did not agree to the topic",
    "expired": "Too late to send",
    "frequency_cap": "Got enough messages already",
    "quiet_hours": "Quiet hours",
    "throttled": "The channel asks to slow down",
    "bot_stopped": "The bot is stopped",
    "not_started": "Put back",
    "not_accepted": "The channel did not take it",
    "content": "The channel refused the message",
    "moved": "Merged into another recipient",
    "operator": "Paused by an operator",
    "stars_cap": "Its Stars are spent",
    "crash": "The sender vanished while sending",
    "in_doubt": "The channel did not answer",
    "restored": "Under way when the backup was made",
    "missed": "The time was missed; launch it again",
    "blocked": "Blocked the bot",
    "deactivated": "The account is gone",
    "chat_not_found": "The chat is not known",
}
_WATCHED = {CampaignStatus.RUNNING, CampaignStatus.SCHEDULED}


def reason_words(edge: Edge, code: str | None) -> str:
    """Why, in words; a reason that a channel made up is shown as it is."""
    return say(edge, _REASONS.get(code, code)) if code else ""


async def segment_names(edge: Edge, campaigns: Iterable[Campaign]) -> Mapping[int, str]:
    """Names of the segments that these campaigns go to."""
    ids = {campaign.segment_id for campaign in campaigns}
    return {segment_id: (await segments.get(edge.session, segment_id)).name for segment_id in ids}


def meter_parts(edge: Edge, progress: CampaignProgress) -> list[dict[str, Any]]:
    """The segments of the meter with their legend; empty states are left out, but for the usual ones."""
    counts = progress.counts.by_state
    return [
        {"value": counts.get(state, 0), "tone": tone, "label": say(edge, label)}
        for state, label, tone in _PARTS
        if counts.get(state, 0) or state in _ALWAYS_SHOWN
    ]


async def progress_values(edge: Edge, progress: CampaignProgress) -> dict[str, Any]:
    """Everything that the live piece shows."""
    campaign, counts = progress.campaign, progress.counts
    state = counts.by_state
    waiting = state.get("queued", 0) + state.get("claimed", 0) + state.get("sending", 0)
    ordered = sorted(counts.suppressed.items(), key=lambda item: (-item[1], item[0]))
    is_running = campaign.status is CampaignStatus.RUNNING
    due = waiting - counts.deferred if is_running else 0
    seconds = await remaining.seconds_left(edge.session, service.SOURCE, campaign.id, due) if due > 0 else 0.0
    is_resting = campaign.status is CampaignStatus.PAUSED and bool(progress.broadcast and progress.broadcast.resumes_at)
    return {
        "campaign": campaign,
        "counts": counts,
        "parts": meter_parts(edge, progress),
        "reached": state.get("sent", 0) + state.get("delivered", 0),
        "waiting": waiting,
        "suppressed": [(reason_words(edge, code), number) for code, number in ordered],
        "held": reason_words(edge, campaign.held_reason),
        "stars_spent": progress.broadcast.paid_count / MESSAGES_PER_STAR if progress.broadcast else 0,
        "resumes_at": progress.broadcast.resumes_at if progress.broadcast else None,
        "left": duration(edge, seconds) if seconds else "",
        "is_watched": campaign.status in _WATCHED or is_resting,
    }


def duration(edge: Edge, seconds: float) -> str:
    """So long in words, such as `4 minutes`."""
    locale = locale_of(edge).replace("-", "_")
    return format_timedelta(timedelta(seconds=max(1, round(seconds))), locale=locale, threshold=1.2)


def plan_words(edge: Edge, plan: LaunchPlan) -> dict[str, Any]:
    """How long a launch would take, at which rate, and how long where each message is paid for."""
    paid = duration(edge, plan.paid_seconds) if plan.paid_seconds else ""
    rate = round(plan.reachable / plan.seconds) if plan.seconds else 0
    return {"plan_time": duration(edge, plan.seconds) if plan.seconds else "", "plan_rate": rate, "paid_time": paid}


async def detail_values(edge: Edge, campaign_id: int) -> dict[str, Any]:
    """Everything that the page of one campaign shows; a plan only where it can still be launched."""
    progress = await service.progress(edge.session, campaign_id)
    campaign = progress.campaign
    segment = await segments.get(edge.session, campaign.segment_id)
    linked = await operators.linked_identities(edge.session, edge.acting.id)
    values: dict[str, Any] = {
        **await progress_values(edge, progress),
        "segment": segment,
        "linked": linked,
        "plan": None,
        "plan_fault": "",
    }
    is_held = campaign.status is CampaignStatus.SCHEDULED and campaign.held_reason is not None
    values["is_launchable"] = (campaign.status is CampaignStatus.DRAFT or is_held) and not campaign.is_archived
    if values["is_launchable"]:
        try:
            plan = await planning.plan(edge.session, campaign_id)
            values |= {"plan": plan, **plan_words(edge, plan)}
        except DomainError as error:
            values["plan_fault"] = reason(edge, error)
    return values

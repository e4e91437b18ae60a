"""The first page: a few live figures, two charts, what is being sent, who came last."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.locale import Formats
from admin_api.console.pages import formats_of, render, say
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.analytics import service
from crm.analytics.types import DayCount
from crm.campaigns import service as campaigns
from crm.campaigns.types import CampaignProgress, CampaignStatus
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/dashboard")
_RUNNING = 5
_TONES = {
    "delivered": "success",
    "sent": "info",
    "sending": "info",
    "claimed": "info",
    "queued": "neutral",
    "suppressed": "warning",
    "failed": "danger",
    "uncertain": "plum",
    "cancelled": "neutral",
}


async def dashboard(edge: Edge) -> Response:
    """The page."""
    figures, formats = await service.dashboard(edge.session), await formats_of(edge)
    return await render(
        edge,
        "dashboard",
        nav="dashboard",
        figures=figures,
        joined_chart=_chart("area", say(edge, "Signed up"), figures.joined_by_day, formats),
        check_in_chart=_chart("bar", say(edge, "Checked in"), figures.checked_in_by_day, formats),
        joined_total=sum(day.count for day in figures.joined_by_day),
        checked_in_total=sum(day.count for day in figures.checked_in_by_day),
        newest=await service.recent_sign_ups(edge.session),
        **await _sending(edge),
    )


@router.get("/sending", dependencies=[allow(Permission.CAMPAIGNS_READ)], name="dashboard.sending")
async def sending(edge: EdgeOf) -> Response:
    """The broadcasts under way, asked for again and again by the open page."""
    return await render(edge, "dashboard_sending", **await _sending(edge))


async def _sending(edge: Edge) -> dict[str, Any]:
    if not edge.may(Permission.CAMPAIGNS_READ):
        return {"running": [], "recent": []}
    running = await campaigns.listing(edge.session, status=CampaignStatus.RUNNING, limit=_RUNNING)
    recent = await campaigns.listing(edge.session, limit=_RUNNING)
    progress = [await campaigns.progress(edge.session, item.id) for item in running.items]
    return {
        "running": [_progress(edge, item) for item in progress],
        "recent": [item for item in recent.items if item.status is not CampaignStatus.RUNNING],
    }


def _progress(edge: Edge, item: CampaignProgress) -> dict[str, Any]:
    counts = item.counts.by_state
    waiting = sum(counts.get(state, 0) for state in ("queued", "claimed", "sending"))
    total = item.counts.total
    return {
        "campaign": item.campaign,
        "total": total,
        "done": total - waiting,
        "share": (total - waiting) / total if total else 0.0,
        "parts": [
            {"value": counts[state], "tone": tone, "label": say(edge, state.capitalize())}
            for state, tone in _TONES.items()
            if counts.get(state)
        ],
    }


def _chart(kind: str, name: str, days: Sequence[DayCount], formats: Formats) -> dict[str, Any]:
    return {
        "type": kind,
        "labels": [formats.short_day(day.day) for day in days],
        "series": [{"name": name, "values": [day.count for day in days]}],
    }

"""Campaigns that wait for a person although no operator stopped them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.types import AlertKind, Finding
from crm.alerts.watching import watch
from crm.campaigns.models import CampaignRow
from crm.campaigns.types import CampaignStatus
from crm.deliveries.types import Reason

_STANDING = (CampaignStatus.PAUSED, CampaignStatus.SCHEDULED)


@watch(AlertKind.CAMPAIGN_PAUSED)
async def paused(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """Paused by itself, for instance after 20 refused messages in a row, or not started in time."""
    query = select(CampaignRow.id, CampaignRow.held_reason).where(
        CampaignRow.status.in_(_STANDING),
        CampaignRow.held_reason.is_not(None),
        CampaignRow.held_reason != Reason.OPERATOR.value,
    )
    rows = await session.execute(query)
    words = "The campaign stands still ({reason}); see why, then launch, resume or cancel it."
    return [Finding(str(campaign_id), words.format(reason=reason)) for campaign_id, reason in rows]

"""What senders render of campaigns; kept apart so that they load nothing else of them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns.errors import CampaignNotFoundError
from crm.campaigns.models import CampaignRow
from crm.messages.stored import content_of
from crm.messages.types import MessageContent

SOURCE = "campaign"
BIGGEST_ID = 2**63 - 1


async def content(session: AsyncSession, campaign_id: int) -> MessageContent:
    """The message of a campaign. Raises CampaignNotFoundError."""
    query = select(CampaignRow.message).where(CampaignRow.id == campaign_id)
    found = await session.scalar(query) if 0 < campaign_id <= BIGGEST_ID else None
    if found is None:
        raise CampaignNotFoundError
    return content_of(found)

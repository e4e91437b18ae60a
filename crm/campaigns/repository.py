"""Rows of campaigns, as public values."""

from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns.contents import BIGGEST_ID
from crm.campaigns.errors import CampaignNotFoundError
from crm.campaigns.models import CampaignRow
from crm.campaigns.types import Campaign, CampaignStatus
from crm.deliveries.types import MessageClass
from crm.messages.stored import content_of

COLUMNS = tuple(CampaignRow.__table__.c)


def all_campaigns() -> Select[Any]:
    """Every column of every campaign."""
    return select(*COLUMNS)


async def load(session: AsyncSession, campaign_id: int, *, for_update: bool = False) -> Campaign:
    """One campaign, locked when asked for. Raises CampaignNotFoundError."""
    if not 0 < campaign_id <= BIGGEST_ID:
        raise CampaignNotFoundError
    query = all_campaigns().where(CampaignRow.id == campaign_id)
    row = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    if row is None:
        raise CampaignNotFoundError
    return campaign_of(row)


async def store(session: AsyncSession, campaign_id: int, **values: Any) -> Campaign:
    """Change columns; each change makes a new version."""
    changes = {**values, "version": CampaignRow.version + 1}
    statement = update(CampaignRow).where(CampaignRow.id == campaign_id).values(changes).returning(*COLUMNS)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise CampaignNotFoundError
    return campaign_of(row)


def campaign_of(row: Row[Any]) -> Campaign:
    """A row as a public value."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for this
    archived_at = values.pop("archived_at")
    return Campaign(
        **{
            **values,
            "message": content_of(values["message"]),
            "message_class": MessageClass(values["message_class"]),
            "status": CampaignStatus(values["status"]),
            "is_archived": archived_at is not None,
        }
    )

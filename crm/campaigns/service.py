"""Drafts of campaigns: make, change, clone, archive, list, look at one with its counts."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import contents, policy
from crm.campaigns.errors import CampaignNotFoundError, InvalidCampaignError
from crm.campaigns.models import CampaignRow
from crm.campaigns.repository import COLUMNS, all_campaigns, campaign_of, load, store
from crm.campaigns.types import Campaign, CampaignProgress, CampaignStatus, NewCampaign
from crm.consent import service as consent
from crm.db import clock
from crm.deliveries import service as deliveries
from crm.deliveries.types import DeliveryCounts, DeliveryState, MessageClass
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.kit.text import clean_text
from crm.messages import service as messages
from crm.messages.content import button_at
from crm.messages.stored import content_json
from crm.messages.types import ButtonSpec
from crm.segments import service as segments

SOURCE = contents.SOURCE


async def create(session: AsyncSession, new: NewCampaign, *, by: str) -> Campaign:
    """Make a draft. Raises InvalidCampaignError, TemplateProblemsError, SegmentNotFoundError, SegmentArchivedError."""
    values = await _checked(session, asdict(new) | {"message": new.message})
    made = await session.execute(insert(CampaignRow).values(**values, created_by=by).returning(*COLUMNS))
    return campaign_of(made.one())


async def change(session: AsyncSession, campaign_id: int, **values: Any) -> Campaign:
    """Change fields of a draft. Raises NotADraftError and what `create` raises."""
    policy.check_draft(await load(session, campaign_id, for_update=True))
    return await store(session, campaign_id, **await _checked(session, values))


async def get(session: AsyncSession, campaign_id: int) -> Campaign:
    """One campaign. Raises CampaignNotFoundError."""
    return await load(session, campaign_id)


async def progress(session: AsyncSession, campaign_id: int) -> CampaignProgress:
    """One campaign with its live counts, which always equal its deliveries."""
    campaign = await load(session, campaign_id)
    sending = await deliveries.get(session, SOURCE, campaign_id) if campaign.started_at is not None else None
    return CampaignProgress(campaign, await counts(session, campaign), sending)


async def counts(session: AsyncSession, campaign: Campaign) -> DeliveryCounts:
    """Deliveries by state; nothing but zeros before the start."""
    if campaign.started_at is None:
        return DeliveryCounts(by_state=dict.fromkeys(DeliveryState, 0))
    return await deliveries.counts(session, SOURCE, campaign.id)


async def listing(
    session: AsyncSession,
    *,
    status: CampaignStatus | None = None,
    query: str = "",
    with_archived: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Campaign]:
    """Campaigns, newest first."""
    wanted = all_campaigns().order_by(CampaignRow.id.desc()).limit(check_limit(limit) + 1)
    if status is not None:
        wanted = wanted.where(CampaignRow.status == status)
    if not with_archived:
        wanted = wanted.where(CampaignRow.archived_at.is_(None))
    if query:
        wanted = wanted.where(CampaignRow.name.icontains(clean_text(query), autoescape=True))
    if cursor:
        (before,) = decode_cursor(cursor, int)
        wanted = wanted.where(CampaignRow.id < before)
    return page_of((await session.execute(wanted)).all(), limit, campaign_of, lambda row: (row.id,))


async def clone(session: AsyncSession, campaign_id: int, *, by: str) -> Campaign:
    """A new draft with the same message and segment; schedule and results are not copied."""
    old = await load(session, campaign_id)
    fresh = NewCampaign(
        name=policy.name_of_clone(old.name),
        segment_id=old.segment_id,
        message=old.message,
        topic=old.topic,
        message_class=old.message_class,
        max_lateness_minutes=old.max_lateness_minutes,
    )
    return await create(session, fresh, by=by)


async def archive(session: AsyncSession, campaign_id: int, *, is_archived: bool = True) -> Campaign:
    """Take a campaign that is not on its way out of the lists, or bring it back."""
    campaign = await load(session, campaign_id, for_update=True)
    if is_archived:
        still = (CampaignStatus.DRAFT, CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
        policy.check_status(campaign, "archived", *still)
    at = await clock.now(session) if is_archived else None
    return await store(session, campaign_id, archived_at=at)


async def tapped_button(session: AsyncSession, campaign_id: int, place: str) -> ButtonSpec | None:
    """The button that a tap names by its place (`row.column`); None when there is no such one, for taps are forged."""
    try:
        return button_at((await load(session, campaign_id)).message, place)
    except CampaignNotFoundError:
        return None


async def _checked(session: AsyncSession, values: dict[str, Any]) -> dict[str, Any]:
    """`values` as columns. Raises what makes them invalid."""
    checked = dict(values)
    if "name" in checked:
        checked["name"] = policy.check_name(checked["name"])
    if "segment_id" in checked:
        await segments.rule_of(session, checked["segment_id"])
    if "message" in checked:
        ready = await messages.checked(session, checked["message"])
        checked["message"] = content_json(ready)
    if "topic" in checked and checked["topic"] not in {topic.key for topic in await consent.topics(session)}:
        raise InvalidCampaignError(f"There is no topic {checked['topic']!r}; see the list of topics.")
    if "message_class" in checked:
        checked["message_class"] = MessageClass(checked["message_class"]).value
    if "max_lateness_minutes" in checked:
        policy.check_lateness(checked["max_lateness_minutes"])
    return checked

"""From a draft to deliveries: preflight, launch, start, pause, resume, cancel, finish."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.campaigns import policy
from crm.campaigns.errors import (
    CountNotConfirmedError,
    InvalidCampaignError,
    NobodyToReachError,
    ScheduleInThePastError,
)
from crm.campaigns.models import CampaignRow
from crm.campaigns.planning import plan
from crm.campaigns.repository import load, store
from crm.campaigns.service import SOURCE
from crm.campaigns.types import Campaign, CampaignStatus
from crm.db import clock
from crm.deliveries import service as deliveries
from crm.deliveries.calling import room_in
from crm.deliveries.paying import MESSAGES_PER_STAR
from crm.deliveries.policy import MOST_PARTS
from crm.jobs import service as jobs
from crm.kit.errors import DomainError
from crm.messages import limited, recipients
from crm.messages import service as messages
from crm.messages.content import fits
from crm.messages.errors import TemplateProblemsError
from crm.messages.splitting import pieces
from crm.messages.types import ChannelTraits, Problem, Recipient
from crm.recovery import service as recovery
from crm.recovery import views as safe_mode
from crm.segments import compiler
from crm.segments import service as segments

START_JOB = "campaigns.start"
_SAMPLED = 20
_WIDE = "W" * 64
_STRICTEST = ChannelTraits("preflight")
log = structlog.get_logger(__name__)


async def launch(
    session: AsyncSession,
    campaign_id: int,
    *,
    by: str,
    at: datetime | None = None,
    confirm_count: int | None = None,
    stars_cap: int | None = None,
) -> Campaign:
    """Launch now, or at a later time. Exactly one of two launches at once succeeds.

    With a `stars_cap` each message is paid for where its channel offers that, so that the broadcast goes faster; it
    pauses when so many Stars are spent. Raises AlreadyLaunchedError, ScheduleInThePastError, NobodyToReachError,
    CountNotConfirmedError, InvalidCampaignError, TemplateProblemsError (the preflight renders sampled and worst-case
    members).
    """
    campaign = await load(session, campaign_id, for_update=True)
    policy.check_launchable(campaign)
    now = await clock.now(session)
    if at is not None and at <= now:
        raise ScheduleInThePastError
    if campaign.send_before is not None and campaign.send_before <= (at or now):
        raise InvalidCampaignError("send_before is earlier than the launch; nothing would be sent.")
    await _check_audience(session, campaign, confirm_count, stars_cap)
    await _preflight(session, campaign)
    values = {
        "scheduled_at": at or now,
        "launched_at": now,
        "launched_by": by,
        "held_reason": None,
        "stars_cap": stars_cap,
    }
    if at is not None:
        return await store(session, campaign_id, status=CampaignStatus.SCHEDULED, **values)
    launched = await store(session, campaign_id, status=CampaignStatus.RUNNING, **values)
    await jobs.enqueue(session, START_JOB, {"campaign_id": campaign_id}, key=f"{START_JOB}:{campaign_id}")
    return launched


async def _check_audience(
    session: AsyncSession, campaign: Campaign, confirm_count: int | None, stars_cap: int | None
) -> None:
    planned = await plan(session, campaign.id)
    if planned.audience == 0:
        raise NobodyToReachError
    if (planned.is_everyone or confirm_count is not None) and confirm_count != planned.audience:
        raise CountNotConfirmedError(
            f"This goes to {planned.audience} members: repeat the launch with confirm_count {planned.audience}.",
            count=planned.audience,
        )
    if stars_cap is not None:
        policy.check_cap(stars_cap)
        if planned.stars is None:
            raise InvalidCampaignError("No bot that reaches this audience offers paid sending; leave stars_cap out.")


async def _preflight(session: AsyncSession, campaign: Campaign) -> None:
    """Render for some members and for the longest imaginable one, in the limited child process."""
    rule = await segments.rule_of(session, campaign.segment_id)
    found = compiler.audience(rule, await clock.now(session)).limit(_SAMPLED)
    readers = [await recipients.recipient(session, row.member_id) for row in await session.execute(found)]
    readers += [_worst(locale) for locale in campaign.message.text]
    content = await messages.checked(session, campaign.message)
    brand = await brands.get(session)
    for reader, shown in zip(
        readers,
        await limited.render(content, readers, _STRICTEST, default_locale=brand.default_locale),
        strict=True,
    ):
        parts = pieces(shown, _STRICTEST, room=room_in(campaign.message_class))
        if len(parts) > MOST_PARTS or not all(fits(part, _STRICTEST) for part in parts):
            text = f"The message is empty, or longer than {MOST_PARTS} messages of the channel, for some members."
            raise TemplateProblemsError([Problem(text, place=f"text.{reader.locale}")])


def _worst(locale: str) -> Recipient:
    member = {
        "name": _WIDE,
        "points": 999_999_999,
        "tier": _WIDE,
        "streak": 9999,
        "tags": [],
        "attributes": {},
        "locale": locale,
    }
    return Recipient(locale, member, {"name": _WIDE})


async def start(session: AsyncSession, campaign_id: int) -> bool:
    """Turn the audience of this moment into deliveries, once; False when that was done before, or cannot be done now.

    What cannot be started (its last moment has passed, say) is paused with the reason and does not hold up others.
    """
    campaign = await load(session, campaign_id, for_update=True)
    if campaign.started_at is not None or campaign.status is not CampaignStatus.RUNNING:
        return False
    if await recovery.is_on(session):
        return False
    try:
        async with session.begin_nested():
            await _start(session, campaign)
    except DomainError as error:
        log.warning("campaign_not_started", campaign_id=campaign_id, reason=error.code())
        await store(session, campaign_id, status=CampaignStatus.PAUSED, held_reason=error.code())
        return False
    return True


async def _start(session: AsyncSession, campaign: Campaign) -> None:
    """The segment counts as it is now, though it may have been archived since the launch."""
    now = await clock.now(session)
    rule = segments.parse(session, (await segments.get(session, campaign.segment_id)).rule)
    broadcast = await deliveries.start_broadcast(
        session,
        SOURCE,
        campaign.id,
        compiler.audience(rule, now),
        topic=campaign.topic,
        message_class=campaign.message_class,
        not_before=now,
        send_before=campaign.send_before,
        paid_limit=_messages(campaign.stars_cap),
    )
    await store(session, campaign.id, started_at=now, audience_size=broadcast.total)


async def start_due(session: AsyncSession) -> int:
    """Begin one scheduled campaign whose time has come; hold it when that was missed by too much."""
    now = await clock.now(session)
    due = select(CampaignRow.id).where(
        CampaignRow.status == CampaignStatus.SCHEDULED,
        CampaignRow.held_reason.is_(None),
        CampaignRow.scheduled_at <= now,
        ~safe_mode.is_on(),
    )
    campaign_id = await session.scalar(
        due.order_by(CampaignRow.scheduled_at).limit(1).with_for_update(skip_locked=True)
    )
    if campaign_id is None:
        return 0
    campaign = await load(session, campaign_id)
    if _is_too_late(campaign, now):
        await store(session, campaign_id, held_reason="missed")
        return 1
    await store(session, campaign_id, status=CampaignStatus.RUNNING)
    await start(session, campaign_id)
    return 1


async def start_left_over(session: AsyncSession) -> int:
    """Begin one launched campaign that no worker has begun yet; hold it when that comes too late."""
    left = select(CampaignRow.id).where(
        CampaignRow.status == CampaignStatus.RUNNING, CampaignRow.started_at.is_(None), ~safe_mode.is_on()
    )
    campaign_id = await session.scalar(left.limit(1).with_for_update(skip_locked=True))
    if campaign_id is None:
        return 0
    campaign = await load(session, campaign_id)
    if campaign.scheduled_at is not None and _is_too_late(campaign, await clock.now(session)):
        await store(session, campaign_id, status=CampaignStatus.SCHEDULED, held_reason="missed")
        return 1
    await start(session, campaign_id)
    return 1


def _is_too_late(campaign: Campaign, now: datetime) -> bool:
    assert campaign.scheduled_at is not None
    return now - campaign.scheduled_at > timedelta(minutes=campaign.max_lateness_minutes)


async def pause(session: AsyncSession, campaign_id: int) -> Campaign:
    """Stop sending; what is on its way within a group of 25 still arrives."""
    campaign = await load(session, campaign_id, for_update=True)
    policy.check_status(campaign, "paused", CampaignStatus.RUNNING)
    if campaign.started_at is not None:
        await deliveries.pause(session, SOURCE, campaign_id)
    return await store(session, campaign_id, status=CampaignStatus.PAUSED, held_reason="operator")


async def resume(session: AsyncSession, campaign_id: int, *, stars_cap: int | None = None) -> Campaign:
    """Go on where it stopped: nobody is sent to twice, nobody is left out.

    `stars_cap` raises the cap of paid sending, 0 ends paying. Raises NotPossibleNowError, InvalidCampaignError.
    """
    campaign = await load(session, campaign_id, for_update=True)
    policy.check_status(campaign, "resumed", CampaignStatus.PAUSED)
    if stars_cap is not None:
        campaign = await _change_cap(session, campaign, stars_cap)
    if campaign.started_at is not None:
        sending = await deliveries.resume(session, SOURCE, campaign_id)
        if sending.finished_at is not None:
            return await _finish(session, campaign_id)
        if sending.paid_limit is not None and sending.paid_count >= sending.paid_limit:
            raise InvalidCampaignError(
                "Its Stars are spent: resume it with a higher stars_cap, or with 0 to go on at the usual rate."
            )
    return await store(session, campaign_id, status=CampaignStatus.RUNNING, held_reason=None)


async def _change_cap(session: AsyncSession, campaign: Campaign, stars_cap: int) -> Campaign:
    if campaign.stars_cap is None:
        raise InvalidCampaignError("This campaign was launched without paid sending.")
    cap = policy.check_cap(stars_cap) if stars_cap else None
    if campaign.started_at is not None:
        await deliveries.set_paid_limit(session, SOURCE, campaign.id, _messages(cap))
    return await store(session, campaign.id, stars_cap=cap)


def _messages(stars: int | None) -> int | None:
    return None if stars is None else stars * MESSAGES_PER_STAR


async def cancel(session: AsyncSession, campaign_id: int) -> Campaign:
    """End it for good; what was not sent becomes `cancelled`."""
    campaign = await load(session, campaign_id, for_update=True)
    allowed = (CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.PAUSED)
    policy.check_status(campaign, "cancelled", *allowed)
    if campaign.started_at is not None:
        await deliveries.cancel(session, SOURCE, campaign_id)
    now = await clock.now(session)
    return await store(session, campaign_id, status=CampaignStatus.CANCELLED, held_reason=None, finished_at=now)


async def note_finished(session: AsyncSession, campaign_id: int) -> None:
    """Every delivery of the campaign is at its end; also when it was paused while the last ones were under way."""
    campaign = await load(session, campaign_id, for_update=True)
    if campaign.status in {CampaignStatus.RUNNING, CampaignStatus.PAUSED}:
        await _finish(session, campaign_id)


async def _finish(session: AsyncSession, campaign_id: int) -> Campaign:
    now = await clock.now(session)
    return await store(session, campaign_id, status=CampaignStatus.FINISHED, held_reason=None, finished_at=now)


async def note_paused(session: AsyncSession, campaign_id: int, reason: str) -> None:
    """Deliveries stopped by themselves, for instance after many content errors; a person must decide."""
    campaign = await load(session, campaign_id, for_update=True)
    if campaign.status is CampaignStatus.RUNNING:
        await store(session, campaign_id, status=CampaignStatus.PAUSED, held_reason=reason)

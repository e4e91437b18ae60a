"""What the answers of a channel change beyond the delivery itself: reachability, addresses, bots and sources."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import sources
from crm.deliveries.leases import Lease
from crm.deliveries.policy import CONTENT_ERRORS_TO_PAUSE, LONG_THROTTLE, Result, content_streak
from crm.deliveries.types import Migrated, Reason, SendOutcome, Throttled, Unauthorized, Unreachable
from crm.members import addresses, reachability
from crm.members.errors import AddressTaken

log = structlog.get_logger(__name__)


async def halt_bot(sessions: Sessions, bot_id: int, outcome: Throttled | Unauthorized) -> None:
    """Like `halt`, at once, in a transaction of its own."""
    async with sessions.begin() as session:
        await halt(session, bot_id, outcome)


async def halt(session: AsyncSession, bot_id: int, outcome: Throttled | Unauthorized) -> None:
    """Keep every sender off this bot: its bulk lane for a time, or all of it until it is started again."""
    if isinstance(outcome, Unauthorized):
        await bots.refuse(session, bot_id, outcome.detail)
        log.error("bot_stopped", bot_id=bot_id)
    else:
        until = await clock.now(session) + timedelta(seconds=outcome.retry_after)
        await bots.pause_bulk(session, bot_id, until)
        log.warning("bot_throttled", bot_id=bot_id, retry_after=outcome.retry_after)


async def note_unreachable(
    session: AsyncSession, results: Iterable[Result], outcomes: Iterable[SendOutcome | None]
) -> None:
    """Mark the identities that no message reaches any more."""
    reasons = {
        result.identity_id: outcome.reason
        for result, outcome in zip(results, outcomes, strict=True)
        if isinstance(outcome, Unreachable) and result.identity_id is not None
    }
    await reachability.note_unreachable(session, reasons)


async def move_address(sessions: Sessions, identity_id: int, moved: Migrated) -> bool:
    """Keep the chat's new address; False when another identity has it, so that it must not be written to."""
    try:
        async with sessions.begin() as session:
            await addresses.migrate(session, identity_id, moved.address)
    except AddressTaken:
        return False
    return True


async def count_content_errors(session: AsyncSession, lease: Lease, before: int, results: list[Result]) -> int:
    """Keep the streak of content errors; at 20 in a row the source is paused. Answers the streak."""
    streak = content_streak(before, results)
    if streak != before:
        await sources.set_content_errors(session, lease.broadcast_id, streak)
    if streak >= CONTENT_ERRORS_TO_PAUSE > before:
        await sources.pause(session, lease.source_kind, lease.source_id, reason=Reason.CONTENT)
    return streak


async def pause_if_long(
    session: AsyncSession, lease: Lease, outcomes: Iterable[SendOutcome | None], now: datetime
) -> None:
    """Pause the source until the provider's time, when it asked for more than ten minutes of silence."""
    longest = max((item.retry_after for item in outcomes if isinstance(item, Throttled)), default=0.0)
    if longest > LONG_THROTTLE:
        until = now + timedelta(seconds=longest)
        await sources.pause(session, lease.source_kind, lease.source_id, reason=Reason.THROTTLED, until=until)

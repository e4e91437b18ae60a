"""Use cases of deliveries: launching, steering and watching broadcasts, and answering in conversations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.deliveries import corrections, counting, launching, replies, sources
from crm.deliveries import recipients as lists
from crm.deliveries.errors import BroadcastOver, EmptyAudience, InvalidWindow
from crm.deliveries.policy import month_of, month_of_uuid7
from crm.deliveries.sources import SourceId
from crm.deliveries.types import (
    Broadcast,
    BroadcastStatus,
    Delivery,
    DeliveryCounts,
    DeliveryState,
    MemberDelivery,
    MessageClass,
    Reason,
)
from crm.kit.paging import Page
from crm.messages.types import Outbound

UUID7 = 7


async def start_broadcast(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    audience: Select[Any],
    *,
    topic: str = "news",
    message_class: MessageClass = MessageClass.MARKETING,
    not_before: datetime | None = None,
    send_before: datetime | None = None,
) -> Broadcast:
    """Make one delivery for each member id that `audience` selects (its first column), once.

    Senders take them up after the commit, from `not_before` on; what is not sent by `send_before` is suppressed as
    `expired`. A source that was started before is answered as it is, and nothing is added.
    Raises EmptyAudience, InvalidWindow.
    """
    now = await clock.now(session)
    if send_before is not None and send_before <= max(now, not_before or now):
        raise InvalidWindow
    is_new = await sources.open_source(
        session,
        source_kind,
        source_id,
        topic=topic,
        message_class=message_class,
        not_before=not_before,
        send_before=send_before,
    )
    source = await sources.locked(session, source_kind, source_id)
    if is_new and await launching.insert_audience(session, source, audience, 0) == 0:
        raise EmptyAudience
    return await sources.as_broadcast(session, source)


async def extend_broadcast(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    audience: Select[Any],
    *,
    step: int = 0,
    topic: str = "news",
    message_class: MessageClass = MessageClass.MARKETING,
) -> int:
    """Add members to a source that grows, such as a journey's node; it is opened by the first call.

    A member who has this `step` already is left out; answers how many were added. Raises BroadcastOver.
    """
    await sources.open_source(
        session,
        source_kind,
        source_id,
        topic=topic,
        message_class=message_class,
        not_before=None,
        send_before=None,
    )
    source = await sources.locked(session, source_kind, source_id)
    if source.status == BroadcastStatus.CANCELLED:
        raise BroadcastOver
    source.not_before = await clock.now(session)
    added = await launching.insert_audience(session, source, audience, step)
    if added:
        source.finished_at = None
    await session.flush()
    return added


async def get(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """The broadcast of a source. Raises BroadcastNotFound."""
    return await sources.as_broadcast(session, await sources.found(session, source_kind, source_id))


async def counts(session: AsyncSession, source_kind: str, source_id: SourceId) -> DeliveryCounts:
    """How many deliveries of a source are in each state. Raises BroadcastNotFound."""
    return await counting.of_source(session, await sources.found(session, source_kind, source_id))


async def recipients(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    *,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """Who was to get it, with state and reason, by member id. Raises BroadcastNotFound, InvalidCursor, InvalidLimit."""
    source = await sources.found(session, source_kind, source_id)
    return await lists.of_source(session, source, state=state, cursor=cursor, limit=limit)


async def of_member(session: AsyncSession, member_id: int, *, limit: int = 50) -> list[MemberDelivery]:
    """What the member was (not) sent by broadcasts and journeys, and why; the latest source first."""
    return await lists.of_member(session, member_id, limit)


async def pause(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    *,
    reason: str = Reason.OPERATOR,
    until: datetime | None = None,
) -> Broadcast:
    """Hand out no further group of at most 25; calls under way are finished. Raises BroadcastNotFound, BroadcastOver."""
    return await sources.pause(session, source_kind, source_id, reason=reason, until=until)


async def resume(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """Go on where it was paused. Raises BroadcastNotFound, BroadcastOver."""
    return await sources.resume(session, source_kind, source_id)


async def cancel(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """Leave everything that is open unsent, for good. Raises BroadcastNotFound."""
    return await sources.cancel(session, source_kind, source_id)


async def resend_uncertain(session: AsyncSession, source_kind: str, source_id: SourceId) -> int:
    """Queue what is uncertain once more, because an operator decided so; some members may get it twice.

    Answers how many. Raises BroadcastNotFound, BroadcastOver.
    """
    source = await sources.locked(session, source_kind, source_id)
    if source.status == BroadcastStatus.CANCELLED:
        raise BroadcastOver
    return await corrections.requeue_uncertain(session, source)


async def confirm(session: AsyncSession, identity_id: int, provider_refs: Sequence[str]) -> int:
    """The channel says that the member was shown these messages; answers for how many that was news."""
    return await corrections.confirm(session, identity_id, provider_refs)


async def reply(
    session: AsyncSession,
    *,
    member_id: int,
    identity_id: int,
    source: tuple[str, UUID],
    step: int,
    message: Outbound,
    message_class: MessageClass = MessageClass.REPLY,
    source_at: datetime | None = None,
) -> UUID:
    """Insert an interactive message in the transaction of what it answers, e.g. `source=("update", update_id)`.

    Unique by (source, member, step): a second call answers the same id. After the commit hand the id to
    `interactive.InteractiveLane.deliver_now`. A source id that is no UUID version 7 needs the `source_at` of its
    making, always the same.
    """
    kind, source_id = source
    if source_at is None and source_id.version != UUID7:
        message_text = "a source without a UUID version 7 needs source_at, the time of its making"
        raise ValueError(message_text)
    month = month_of(source_at) if source_at is not None else month_of_uuid7(source_id)
    return await replies.add(
        session,
        member_id=member_id,
        identity_id=identity_id,
        source_kind=kind,
        source_id=str(source_id),
        source_month=month,
        step=step,
        message=message,
        message_class=message_class,
    )

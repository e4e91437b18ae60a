"""Use cases of deliveries: launching, steering and watching broadcasts, and answering in conversations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.deliveries import corrections, counting, launching, leases, outbox, sources
from crm.deliveries import recipients as lists
from crm.deliveries import replies as open_replies
from crm.deliveries.calling import room_in
from crm.deliveries.channels import traits_of
from crm.deliveries.errors import BroadcastNotFound, BroadcastOver, InvalidWindow
from crm.deliveries.policy import month_of_source
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
from crm.members.types import Identity
from crm.messages.splitting import pieces
from crm.messages.types import Outbound


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
    paid_limit: int | None = None,
) -> Broadcast:
    """Make one delivery for each member id that `audience` selects (its first column), once.

    Senders take them up after the commit, from `not_before` on; what is not sent by `send_before` is suppressed as
    `expired`. With a `paid_limit` so many messages are paid for where the channel offers that, and sent at its higher
    rate; then the source is paused. A source that was started before is answered as it is, and nothing is added. An
    empty audience makes a broadcast of nobody, which is finished at once. Raises InvalidWindow.
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
        paid_limit=paid_limit,
    )
    source = await sources.locked(session, source_kind, source_id)
    if is_new:
        await launching.insert_audience(session, source, audience, 0)
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
    """How many deliveries of a source are in each state; all 0 for one that was not started."""
    try:
        source = await sources.found(session, source_kind, source_id)
    except BroadcastNotFound:
        return counting.NONE
    return await counting.of_source(session, source)


async def counts_under(session: AsyncSession, source_kind: str, stem: str) -> DeliveryCounts:
    """The figures of the source named `stem` and of all whose names go on from there after a dot, together."""
    found = await sources.under(session, source_kind, stem)
    return counting.together([await counting.of_source(session, source) for source in found])


async def recipients(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    *,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """Who was to get it, with state and reason, in the order of sending.

    Raises BroadcastNotFound, InvalidCursor, InvalidLimit.
    """
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
    """Hand out no further group of at most 25; calls under way are finished.

    Raises BroadcastNotFound, BroadcastOver.
    """
    return await sources.pause(session, source_kind, source_id, reason=reason, until=until)


async def resume(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """Go on where it was paused. Raises BroadcastNotFound, BroadcastOver."""
    return await sources.resume(session, source_kind, source_id)


async def set_paid_limit(session: AsyncSession, source_kind: str, source_id: SourceId, limit: int | None) -> None:
    """Pay for at most `limit` messages, those before included; None for none any more. Raises BroadcastNotFound."""
    await sources.set_paid_limit(session, source_kind, source_id, limit)


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


async def abandon_leases(session: AsyncSession) -> None:
    """Nobody who held a lease lives any more: what they left is judged at once, not after the lease's end.

    Only for the start of the one process that can use this database.
    """
    await leases.expire_all(session)
    await open_replies.expire_leases(session)


async def confirm(session: AsyncSession, identity_id: int, provider_refs: Sequence[str]) -> int:
    """The channel says that the member was shown these messages; answers for how many that was news."""
    return await corrections.confirm(session, identity_id, provider_refs)


async def replies(
    session: AsyncSession,
    identity: Identity,
    source: tuple[str, str],
    messages: Sequence[Outbound],
    *,
    message_class: MessageClass = MessageClass.REPLY,
    is_gated: bool = False,
) -> list[UUID]:
    """Insert interactive messages to one chat, in order, in the transaction of what they answer.

    A text that is too long for the channel becomes several messages, each a delivery of its own. Unique by (source,
    member, step): a second call answers the same ids. After the commit hand the ids to
    `interactive.InteractiveLane.deliver_now`; what is left is swept. `is_gated` messages (reminders) also wait for
    the end of quiet hours and are not sent to members who said stop.
    """
    now = await clock.now(session)
    key = outbox.Source(source[0], source[1], month_of_source(source[1], now))
    traits, room = traits_of(session, identity.channel), room_in(message_class)
    parts = [part for message in messages for part in pieces(message, traits, room=room)]
    return await outbox.add(session, identity, key, parts, message_class=message_class, is_gated=is_gated)

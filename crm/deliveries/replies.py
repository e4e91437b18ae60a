"""Open replies of the interactive lane: claimed in the order of their chat, and concluded."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Insert, Select, delete, false, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.db import clock
from crm.db.liveness import is_gone
from crm.db.session import vault
from crm.deliveries import reply_gates
from crm.deliveries.models import RESULTS, ReplyRow
from crm.deliveries.outbox import place
from crm.deliveries.policy import Result, doubtful
from crm.deliveries.tallies import OPEN
from crm.deliveries.types import MessageClass, Reason
from crm.members import views as members
from crm.messages.types import Outbound
from crm.recovery import views as recovery

LEASE = timedelta(seconds=60)
"""Longer than any call may take; a process that ends before frees its claims at once."""
STOPPED_WAIT = timedelta(minutes=1)
_SERVER_NOW = func.clock_timestamp()
_LOOKS = 20
_IS_RUNNING = func.coalesce(ReplyRow.lease_until > _SERVER_NOW, false())
_OWNER_IS_GONE = is_gone(ReplyRow.lease_owner, _IS_RUNNING)


@dataclass(frozen=True)
class Reply:
    """A claimed reply with where it goes."""

    delivery_id: UUID
    source_month: date
    identity_id: int
    bot_id: int
    channel: str
    address: str
    locale: str
    message_class: MessageClass
    message: Outbound
    tries: int
    doubts: int
    fence: int


async def identities_of(session: AsyncSession, delivery_ids: Sequence[UUID]) -> list[int]:
    """Whose open replies these are."""
    query = select(ReplyRow.identity_id).where(ReplyRow.delivery_id.in_(delivery_ids)).distinct()
    return list((await session.scalars(query)).all())


async def overdue(session: AsyncSession, channels: Collection[str], limit: int) -> list[int]:
    """Identities with replies that nobody looked after: due, and not claimed or claimed by someone who vanished."""
    is_free = or_(ReplyRow.lease_until.is_(None), ReplyRow.lease_until < _SERVER_NOW, _OWNER_IS_GONE)
    served = select(members.identities.c.id).where(members.identities.c.channel.in_(channels))
    query = select(ReplyRow.identity_id).where(
        ReplyRow.due_at <= _SERVER_NOW,
        is_free,
        ReplyRow.identity_id.in_(served),
        ReplyRow.position > recovery.last_held_reply(),
    )
    query = query.group_by(ReplyRow.identity_id).order_by(func.min(ReplyRow.due_at)).limit(limit)
    return list((await session.scalars(query)).all())


async def claim_head(
    session: AsyncSession, identity_id: int, channels: Collection[str], owner: int | None = None
) -> Reply | None:
    """Claim the oldest open reply of a chat, which is the intent to send it, for the `owner` of a `Liveness`.

    None when there is none, or when it is not to be sent now: then the younger ones wait too, to keep their order.
    """
    # The oldest one may be concluded while its lock is waited for, here or by its gates; then the next is looked at.
    for _ in range(_LOOKS):
        head = await _head(session, identity_id)
        if head is None:
            if await session.scalar(_waiting(identity_id).limit(1)) is None:
                return None
        elif not _is_ripe(head, channels):
            return None
        elif head.status != "active":
            await _postpone(session, head.delivery_id, STOPPED_WAIT)
            return None
        elif not await _is_refused(session, head):
            return await _claim(session, head, owner)
    return None


def _is_ripe(head: Any, channels: Collection[str]) -> bool:
    return head.channel in channels and not head.is_leased and (head.is_due or head.fence == 0)


async def _is_refused(session: AsyncSession, head: Any) -> bool:
    """Whether this one is not to be sent, or not now; what is decided is written."""
    message_class = MessageClass(head.message_class)
    if head.was_lost and doubtful(message_class, head.doubts) == "uncertain":
        result = Result(head.delivery_id, head.identity_id, "uncertain", Reason.CRASH)
        await _conclude(session, result, head.source_month, head.fence)
        return True
    verdict = await reply_gates.judge_reply(session, head) if head.is_gated else None
    if verdict is None:
        return False
    if verdict.not_before is None:
        await _conclude(session, verdict, head.source_month, head.fence)
    else:
        await session.execute(_line(verdict, head.source_month, head.fence + 1))
        wait = verdict.not_before - await clock.now(session)
        await _postpone(session, head.delivery_id, wait, fence=head.fence + 1)
    return True


async def _claim(session: AsyncSession, head: Any, owner: int | None) -> Reply:
    values = {"fence": head.fence + 1, "doubts": head.doubts + (1 if head.was_lost else 0)}
    claimed = update(ReplyRow).where(ReplyRow.delivery_id == head.delivery_id)
    await session.execute(
        claimed.values(**values, lease_until=_SERVER_NOW + literal(LEASE, INTERVAL), lease_owner=owner)
    )
    return _reply(session, head)


async def expire_leases(session: AsyncSession) -> None:
    """End every lease: whoever held one is gone."""
    held = update(ReplyRow).where(ReplyRow.lease_until > _SERVER_NOW)
    await session.execute(held.values(lease_until=_SERVER_NOW))


def _waiting(identity_id: int) -> Select[Any]:
    """Open replies of a chat in their order; a reminder that waits for a later time does not hold up the others.

    In the safe mode those that stood open in the backup wait, and hold up nobody.
    """
    return (
        select(ReplyRow.delivery_id)
        .where(
            ReplyRow.identity_id == identity_id,
            ReplyRow.position > recovery.last_held_reply(),
            or_(~ReplyRow.is_gated, ReplyRow.fence == 0, ReplyRow.due_at <= _SERVER_NOW),
        )
        .order_by(ReplyRow.position)
    )


async def _head(session: AsyncSession, identity_id: int) -> Any:
    identity, member, bot = members.identities.c, members.members.c, bots.bots.c
    query = (
        _waiting(identity_id)
        .with_only_columns(
            *ReplyRow.__table__.c,
            identity.member_id,
            identity.bot_id,
            identity.channel,
            identity.address,
            identity.is_reachable,
            member.locale,
            bot.status,
            (_IS_RUNNING & ~_OWNER_IS_GONE).label("is_leased"),
            ReplyRow.lease_until.is_not(None).label("was_lost"),
            (ReplyRow.due_at <= _SERVER_NOW).label("is_due"),
        )
        .join(members.identities, identity.id == ReplyRow.identity_id)
        .join(members.members, member.id == identity.member_id)
        .join(bots.bots, bot.id == identity.bot_id)
        .limit(1)
        .with_for_update(of=ReplyRow)
    )
    return (await session.execute(query)).one_or_none()


def _reply(session: AsyncSession, head: Any) -> Reply:
    body = vault(session).open_bytes(head.body, place(head.delivery_id))
    return Reply(
        delivery_id=head.delivery_id,
        source_month=head.source_month,
        identity_id=head.identity_id,
        bot_id=head.bot_id,
        channel=head.channel,
        address=head.address,
        locale=head.locale,
        message_class=MessageClass(head.message_class),
        message=Outbound.from_json(orjson.loads(body)),
        tries=head.tries,
        doubts=head.doubts + (1 if head.was_lost else 0),
        fence=head.fence + 1,
    )


async def record(session: AsyncSession, reply: Reply, result: Result, wait: timedelta) -> bool:
    """Write what came of a reply; one to be sent again is due after `wait`. False when the claim was lost."""
    held = select(ReplyRow.delivery_id).where(ReplyRow.delivery_id == reply.delivery_id, ReplyRow.fence == reply.fence)
    if await session.scalar(held.with_for_update()) is None:
        return False
    if result.outcome not in OPEN:
        await _conclude(session, result, reply.source_month, reply.fence)
        return True
    await session.execute(_line(result, reply.source_month, reply.fence))
    await _postpone(
        session,
        reply.delivery_id,
        wait,
        tries=reply.tries + (result.outcome == "retry"),
        doubts=reply.doubts + (result.outcome == "repeat"),
    )
    return True


async def _postpone(session: AsyncSession, delivery_id: UUID, wait: timedelta, **values: int) -> None:
    due_at = _SERVER_NOW + literal(wait, INTERVAL)
    change = update(ReplyRow).where(ReplyRow.delivery_id == delivery_id)
    await session.execute(change.values(lease_until=None, due_at=due_at, **values))


async def _conclude(session: AsyncSession, result: Result, month: date, fence: int) -> None:
    await session.execute(_line(result, month, fence))
    await session.execute(delete(ReplyRow).where(ReplyRow.delivery_id == result.delivery_id))


def _line(result: Result, month: date, fence: int) -> Insert:
    values = asdict(result)
    values["awaits_receipt"] = 1 if result.awaits_receipt else None
    return insert(RESULTS).values(**values, chunk_id=0, source_month=month, fence=fence)

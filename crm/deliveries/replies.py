"""Rows of the interactive lane: inserted with the update they answer, claimed, concluded."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Insert, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.db import clock
from crm.db.session import vault
from crm.deliveries.models import RESULTS, DeliveryRow, ReplyRow
from crm.deliveries.policy import Result, doubtful
from crm.deliveries.tallies import OPEN
from crm.deliveries.types import MessageClass, Reason
from crm.kit.ids import uuid7
from crm.members import views as members
from crm.messages.types import Outbound

LEASE = timedelta(seconds=60)
"""Longer than any call may take."""
GRACE = timedelta(seconds=5)
"""What the committing process is given before a sweeper looks after its replies."""
_SERVER_NOW = func.clock_timestamp()
_PLACE = "delivery_replies.body"

STOPPED_WAIT = timedelta(minutes=1)


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


async def add(
    session: AsyncSession,
    *,
    member_id: int,
    identity_id: int,
    source_kind: str,
    source_id: str,
    source_month: date,
    step: int,
    message: Outbound,
    message_class: MessageClass,
) -> UUID:
    """Insert one reply; when this step of the source has one already, its id is answered and nothing changes."""
    delivery_id = uuid7(await clock.now(session))
    key = {"source_kind": source_kind, "source_id": source_id, "member_id": member_id, "step": step}
    made = await session.execute(
        upsert(DeliveryRow)
        .values(**key, source_month=source_month, id=delivery_id, chunk_id=0)
        .on_conflict_do_nothing()
        .returning(DeliveryRow.id)
    )
    if made.scalar_one_or_none() is None:
        present = select(DeliveryRow.id).filter_by(**key, source_month=source_month)
        return (await session.execute(present)).scalar_one()
    sealed = vault(session).seal(orjson.dumps(message.as_json()), f"{_PLACE}:{delivery_id}")
    await session.execute(
        insert(ReplyRow).values(
            delivery_id=delivery_id,
            source_month=source_month,
            identity_id=identity_id,
            member_id=member_id,
            message_class=message_class,
            body=sealed,
            due_at=_SERVER_NOW + literal(GRACE, INTERVAL),
        )
    )
    return delivery_id


async def identities_of(session: AsyncSession, delivery_ids: Sequence[UUID]) -> list[int]:
    """Whose open replies these are."""
    query = select(ReplyRow.identity_id).where(ReplyRow.delivery_id.in_(delivery_ids)).distinct()
    return list((await session.scalars(query)).all())


async def overdue(session: AsyncSession, channels: Collection[str], limit: int) -> list[int]:
    """Identities with replies that nobody looked after: due, and not claimed or claimed by someone who vanished."""
    is_free = or_(ReplyRow.lease_until.is_(None), ReplyRow.lease_until < _SERVER_NOW)
    served = select(members.identities.c.id).where(members.identities.c.channel.in_(channels))
    query = select(ReplyRow.identity_id).where(
        ReplyRow.due_at <= _SERVER_NOW, is_free, ReplyRow.identity_id.in_(served)
    )
    query = query.group_by(ReplyRow.identity_id).order_by(func.min(ReplyRow.due_at)).limit(limit)
    return list((await session.scalars(query)).all())


async def claim_head(session: AsyncSession, identity_id: int, channels: Collection[str]) -> Reply | None:
    """Claim the oldest open reply of a chat, which is the intent to send it.

    None when there is none, or when it is not to be sent now: then the younger ones wait too, to keep their order.
    """
    while True:
        head = await _head(session, identity_id)
        if head is None:
            # The oldest one may have been concluded while its lock was waited for; then the next is the head.
            if await session.scalar(select(exists().where(ReplyRow.identity_id == identity_id))):
                continue
            return None
        if head.channel not in channels or head.is_leased or not (head.is_due or head.fence == 0):
            return None
        if head.status != "active":
            await _postpone(session, head.delivery_id, STOPPED_WAIT)
            return None
        if not head.was_lost:
            break
        if doubtful(MessageClass(head.message_class), head.doubts) == "repeat":
            break
        result = Result(head.delivery_id, identity_id, "uncertain", Reason.CRASH)
        await _conclude(session, result, head.source_month, head.fence)
    claimed = (
        update(ReplyRow)
        .where(ReplyRow.delivery_id == head.delivery_id)
        .values(
            lease_until=_SERVER_NOW + literal(LEASE, INTERVAL),
            fence=ReplyRow.fence + 1,
            doubts=ReplyRow.doubts + (1 if head.was_lost else 0),
        )
    )
    await session.execute(claimed)
    return _reply(session, head)


async def _head(session: AsyncSession, identity_id: int) -> Any:
    identity, member, bot = members.identities.c, members.members.c, bots.bots.c
    query = (
        select(
            *ReplyRow.__table__.c,
            identity.bot_id,
            identity.channel,
            identity.address,
            member.locale,
            bot.status,
            func.coalesce(ReplyRow.lease_until > _SERVER_NOW, False).label("is_leased"),
            ReplyRow.lease_until.is_not(None).label("was_lost"),
            (ReplyRow.due_at <= _SERVER_NOW).label("is_due"),
        )
        .join(members.identities, identity.id == ReplyRow.identity_id)
        .join(members.members, member.id == identity.member_id)
        .join(bots.bots, bot.id == identity.bot_id)
        .where(ReplyRow.identity_id == identity_id)
        .order_by(ReplyRow.position)
        .limit(1)
        .with_for_update(of=ReplyRow)
    )
    return (await session.execute(query)).one_or_none()


def _reply(session: AsyncSession, head: Any) -> Reply:
    body = vault(session).open_bytes(head.body, f"{_PLACE}:{head.delivery_id}")
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

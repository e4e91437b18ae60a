"""Inserting replies of the interactive lane, with their sealed bodies."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import orjson
from sqlalchemy import func, insert, literal, select
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.deliveries.models import InteractiveDeliveryRow, ReplyRow
from crm.deliveries.types import MessageClass
from crm.kit.ids import uuid7
from crm.members.types import Identity
from crm.messages.types import Outbound

BODY = "delivery_replies.body"
GRACE = timedelta(seconds=5)
"""What the committing process is given before a sweeper looks after its replies."""


@dataclass(frozen=True)
class Source:
    """What is answered, and the partition that follows from it."""

    kind: str
    id: str
    month: date


def place(delivery_id: UUID) -> str:
    """What the body is sealed to."""
    return f"{BODY}:{delivery_id}"


async def add(
    session: AsyncSession,
    identity: Identity,
    source: Source,
    step: int,
    message: Outbound,
    *,
    message_class: MessageClass,
    is_gated: bool,
) -> UUID:
    """Insert one reply; when this step of the source has one already, its id is answered and nothing changes."""
    delivery_id = uuid7(await clock.now(session))
    key = {"source_kind": source.kind, "source_id": source.id, "source_month": source.month}
    key |= {"member_id": identity.member_id, "step": step}
    insertion = upsert(InteractiveDeliveryRow).values(**key, id=delivery_id).on_conflict_do_nothing()
    made = await session.execute(insertion.returning(InteractiveDeliveryRow.id))
    if made.scalar_one_or_none() is None:
        return (await session.execute(select(InteractiveDeliveryRow.id).filter_by(**key))).scalar_one()
    await session.execute(
        insert(ReplyRow).values(
            delivery_id=delivery_id,
            source_month=source.month,
            identity_id=identity.id,
            message_class=message_class,
            is_gated=is_gated,
            body=vault(session).seal(orjson.dumps(message.as_json()), place(delivery_id)),
            due_at=func.clock_timestamp() + literal(GRACE, INTERVAL),
        )
    )
    return delivery_id

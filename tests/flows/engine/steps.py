"""Steps and texts for flows that only tests know."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import CustomEvent
from crm.events.service import publish
from crm.events.views import events
from crm.kit.errors import ConflictError
from crm.messages.types import ChannelTraits, RenderedFlow
from flows.engine.flow import Flow
from flows.testing import Conversation, conversation


class Refusal(ConflictError):
    """The step does not want to."""


@dataclass(frozen=True)
class Receipt:
    """What `pay` answers."""

    number: int
    on: date


async def pay(session: AsyncSession, member_id: int, what: str = "tea") -> Receipt:
    """An effect that can be counted."""
    await publish(session, CustomEvent(member_id=member_id, name="paid", properties={"what": what}))
    return Receipt(len(await paid(session, member_id)), date(2026, 3, 1))


async def refuse(session: AsyncSession, member_id: int) -> None:
    """Does something, then refuses: the savepoint must undo it."""
    await pay(session, member_id, "refused")
    raise Refusal("not today", shop="closed")


async def explode(session: AsyncSession, member_id: int) -> None:
    """A bug."""
    await pay(session, member_id, "exploded")
    raise RuntimeError("a bug")


async def paid(session: AsyncSession, member_id: int) -> list[str]:
    """What `pay` did, in order."""
    mine = select(events.c.data).where(events.c.member_id == member_id, events.c.kind == "custom")
    rows = await session.scalars(mine.order_by(events.c.id))
    return [row["properties"]["what"] for row in rows]


async def outcomes(session: AsyncSession, member_id: int) -> list[tuple[str, str]]:
    """Flows that ended, and how."""
    mine = select(events.c.data).where(events.c.member_id == member_id, events.c.kind == "flow_ended")
    return [(row["flow"], row["outcome"]) for row in await session.scalars(mine.order_by(events.c.id))]


async def plain(
    session: AsyncSession, name: str, locale: str, values: dict[str, Any], traits: ChannelTraits
) -> RenderedFlow:
    """`[flow/step] a=1 b=2`."""
    del session, locale, traits
    return RenderedFlow(" ".join([f"[{name}]", *(f"{key}={value}" for key, value in values.items())]))


def talk(session: AsyncSession, *flows: Flow[Any], **options: Any) -> AbstractAsyncContextManager[Conversation]:
    """A conversation with these flows and plain texts."""
    return conversation(session, flows=flows, render=plain, **options)


@asynccontextmanager
async def with_other_flows(chat: Conversation, *flows: Flow[Any]) -> AsyncIterator[Conversation]:
    """The same conversation after a deploy that edited the flows."""
    async with talk(chat.session, *flows, bot_id=chat.contact.identity.bot_id) as other:
        other.contact = chat.contact
        other.said = chat.said
        yield other

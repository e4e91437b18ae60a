"""Audiences, broadcasts and senders for tests."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots.types import Bot
from crm.consent import service as consent
from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.rates import Unpaced
from crm.deliveries.rendering import Renderer
from crm.deliveries.sending import Desk
from crm.deliveries.testing import FakeRenderer, FakeSender
from crm.deliveries.types import DeliveryCounts, MessageClass
from crm.members.types import Contact
from crm.profiles.views import profiles
from tests.factories.bots import make_bot
from tests.factories.members import make_contact

KIND, ID = "campaign", 1


@dataclass
class Audience:
    """Members of one bot who agreed to news."""

    bot: Bot
    contacts: list[Contact]

    def select(self) -> Select[Any]:
        """Their ids."""
        ids = [contact.member.id for contact in self.contacts]
        return select(profiles.c.member_id).where(profiles.c.member_id.in_(ids))

    @property
    def addresses(self) -> list[str]:
        """Where they are reached, in the order of their ids."""
        return [contact.identity.address for contact in self.contacts]


async def make_audience(
    session: AsyncSession, size: int, *, rate: float = 1000.0, has_consent: bool = True
) -> Audience:
    """`size` members, each with one identity on the same bot."""
    bot = await make_bot(session)
    await session.execute(text("UPDATE bots SET bulk_rate = :rate WHERE id = :id"), {"rate": rate, "id": bot.id})
    await make_topic(session)
    contacts = [await make_contact(session, bot=bot, address=str(1000 + number)) for number in range(size)]
    for contact in contacts if has_consent else []:
        await agree(session, contact)
    return Audience(bot, contacts)


async def make_topic(session: AsyncSession) -> None:
    """Truncating fixtures take the shipped topic away."""
    await session.execute(
        text(
            "INSERT INTO consent_topics (key, name, is_default) VALUES ('news', '{\"en\": \"News\"}', true)"
            " ON CONFLICT DO NOTHING"
        )
    )


async def agree(session: AsyncSession, contact: Contact) -> None:
    """The member agrees to news on this channel."""
    await consent.give(
        session, contact.member.id, channel=contact.identity.channel, topic="news", text_version="1", source="test"
    )


async def launch(
    sessions: Sessions, size: int, *, message_class: MessageClass = MessageClass.MARKETING, rate: float = 1000.0
) -> Audience:
    """A committed broadcast to `size` members, ready to be sent."""
    async with sessions.begin() as session:
        audience = await make_audience(session, size, rate=rate)
        await service.start_broadcast(session, KIND, ID, audience.select(), message_class=message_class)
    return audience


def desk(sessions: Sessions, sender: FakeSender, *, owner: str = "one", renderer: Renderer | None = None) -> Desk:
    """A sender's desk without pacing."""
    senders = {sender.name: sender}
    return Desk(sessions, Unpaced(), senders, renderer or FakeRenderer(), owner, asyncio.Event(), drain=1.0)


async def figures(sessions: Sessions) -> dict[str, int]:
    """The counts that are not 0; they are compared with the rows on the way."""
    async with sessions.begin() as session:
        counts = await service.counts(session, KIND, ID)
        assert {key: number for key, number in counts.by_state.items() if number} == await _from_rows(session)
    return shown(counts)


async def _from_rows(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(
        text("SELECT state, count(*) AS number FROM delivery_states WHERE source_kind = :kind GROUP BY 1"),
        {"kind": KIND},
    )
    return {row.state: row.number for row in rows}


def shown(counts: DeliveryCounts) -> dict[str, int]:
    """States with at least one delivery; suppressed ones by reason."""
    plain = {key: number for key, number in counts.by_state.items() if number and key != "suppressed"}
    return plain | {f"suppressed:{reason}": number for reason, number in counts.suppressed.items()}


_EXPIRE = "UPDATE delivery_chunks SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_owner IS NOT NULL"
_DUE = (
    "UPDATE delivery_chunks SET not_before = siyu_now() - interval '1 s'",
    "ALTER TABLE delivery_results DISABLE TRIGGER delivery_results_append_only",
    "UPDATE delivery_results SET not_before = siyu_now() - interval '1 s' WHERE not_before IS NOT NULL",
    "ALTER TABLE delivery_results ENABLE TRIGGER delivery_results_append_only",
)


async def expire_leases(sessions: Sessions) -> None:
    """Let every lease run out, as if its owner had been away for long."""
    async with sessions.begin() as session:
        await session.execute(text(_EXPIRE))


async def make_due(sessions: Sessions) -> None:
    """Let the time for which chunks wait be over, and what defers single deliveries."""
    for statement in _DUE:
        async with sessions.begin() as session:
            await session.execute(text(statement))

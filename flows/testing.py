"""Testing flows as transcripts: what the member sends and taps, what the bot says. No network, no mock.

async with conversation(session, locale="en") as chat:
await chat.send("/start")
chat.expects("Welcome")
await chat.tap("Check in")
"""

import html
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.conversations import service as conversations
from crm.conversations import wakes
from crm.db import clock
from crm.members import service as members
from crm.members.types import Contact
from crm.messages.service import render_flow
from crm.messages.types import Button, ChannelTraits, Outbound
from flows.engine.engine import Engine
from flows.engine.inputs import Input, InputKind
from flows.engine.registry import Flows, discover
from flows.engine.turn import Renderer

_TAG = re.compile(r"<[^>]+>")


class UnexpectedTranscript(AssertionError):
    """The bot did not say what was expected."""


@dataclass
class Conversation:
    """A member on one channel, and all that was said to them."""

    session: AsyncSession
    engine: Engine
    contact: Contact
    traits: ChannelTraits
    said: list[Outbound] = field(default_factory=list)
    """Messages of the last turn."""
    _refs: int = 0

    @property
    def text(self) -> str:
        """What the last turn said, without markup."""
        return "\n\n".join(html.unescape(_TAG.sub("", message.text_html)) for message in self.said)

    @property
    def buttons(self) -> list[Button]:
        """The buttons of the last turn."""
        return [button for message in self.said for row in message.buttons for button in row]

    @property
    def member_id(self) -> int:
        """The member's id."""
        return self.contact.member.id

    async def send(self, text: str) -> None:
        """The member writes `text`."""
        await self.give(Input(InputKind.TEXT, text=text))

    async def open(self, payload: str = "") -> None:
        """The member opens the chat, perhaps by a deep link."""
        await self.give(Input(InputKind.START, payload=payload))

    async def tap(self, label: str) -> None:
        """The member taps the button of the last turn whose label contains `label`."""
        found = [button for button in self.buttons if label in button.label and button.data]
        if not found:
            labels = ", ".join(button.label for button in self.buttons) or "none"
            raise UnexpectedTranscript(f"no button says {label!r}; there are: {labels}")
        await self.tap_data(found[0].data)

    async def tap_data(self, data: str | None) -> None:
        """The member taps a button that carries `data`, perhaps an old one."""
        await self.give(Input(InputKind.BUTTON, data=data, message_ref=str(self._refs)))

    async def share_contact(self, phone: str, *, is_own: bool = True) -> None:
        """The member shares a contact card."""
        await self.give(Input(InputKind.CONTACT, phone=phone, is_own_phone=is_own))

    async def give(self, given: Input) -> None:
        """The member sends anything."""
        await self._refresh()
        self._refs += 1
        state = await self._state()
        self.said = await self.engine.handle(
            self.session, self.contact, state, replace(given, said_in=f"update:{self._refs}"), self.traits
        )
        await self.session.flush()

    async def wait(self, time: timedelta) -> None:
        """Time passes; what is due in the conversation happens."""
        later = await clock.now(self.session) + time
        await self.session.execute(sql("SELECT set_config('siyu.now', :now, true)"), {"now": later.isoformat()})
        clock.remember(self.session, later)
        await self.wake()

    async def wake(self) -> None:
        """Timers that are due and results of jobs arrive."""
        self.said = []
        for wake in await wakes.due(self.session):
            await self._refresh()
            said = await self.engine.wake(self.session, self.contact, await self._state(), wake, self.traits)
            if said is not None:
                await wakes.drop(self.session, wake.id)
                self.said += said

    def expects(self, *parts: str) -> None:
        """The last turn said each of these. Raises UnexpectedTranscript with what was said."""
        for part in parts:
            if part not in self.text:
                raise UnexpectedTranscript(f"expected {part!r}, but the bot said:\n{self.text or '(nothing)'}")

    def expects_not(self, *parts: str) -> None:
        """The last turn said none of these. Raises UnexpectedTranscript."""
        for part in parts:
            if part in self.text:
                raise UnexpectedTranscript(f"did not expect {part!r}, but the bot said:\n{self.text}")

    def expects_buttons(self, *labels: str) -> None:
        """The last turn showed a button for each of these labels. Raises UnexpectedTranscript."""
        shown = [button.label for button in self.buttons]
        for label in labels:
            if not any(label in one for one in shown):
                raise UnexpectedTranscript(f"expected a button {label!r}; there are: {', '.join(shown) or 'none'}")

    async def _refresh(self) -> None:
        identity = await members.identity(self.session, self.contact.identity.id)
        self.contact = Contact(identity, await members.get(self.session, identity.member_id), is_new=False)

    async def _state(self) -> Any:
        identity = self.contact.identity
        return await conversations.load(self.session, identity.id, bot_id=identity.bot_id, chat_key=identity.address)


@asynccontextmanager
async def conversation(
    session: AsyncSession,
    *,
    locale: str = "en",
    channel: str = "telegram",
    display_name: str = "Li Hua",
    flows: Iterable[Any] | None = None,
    render: Renderer = render_flow,
    traits: ChannelTraits | None = None,
    bot_id: int | None = None,
) -> AsyncIterator[Conversation]:
    """A stranger who is about to write to a bot; with all shipped flows unless `flows` are given."""
    if bot_id is None:
        bot_id = (await bots.add(session, channel=channel, name="Test bot", token=None)).id
    contact = await members.ensure_identity(
        session,
        bot_id=bot_id,
        channel=channel,
        address=str(secrets.randbits(40)),
        display_name=display_name,
        locale_hint=locale,
    )
    found = discover() if flows is None else Flows(flows)
    yield Conversation(session, Engine(found, render), contact, traits or ChannelTraits(channel))


def without_buttons(traits: ChannelTraits) -> ChannelTraits:
    """The same channel as if it could show text only."""
    return replace(traits, has_buttons=False, has_html=False, has_edit=False, has_menu=False, has_photos=False)

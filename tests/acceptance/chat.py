"""A pretend person who talks to the deployment's bot over the simulator's HTTP."""

import html
import re
from dataclasses import dataclass, field
from typing import Any, Self

from bot.channels.telegram.simulator.client import SimulatorClient

SECONDS = 60.0


@dataclass
class Person:
    """One chat with one bot, in English; remembers what was read."""

    client: SimulatorClient
    user_id: int
    bot: str
    last: dict[str, Any] = field(default_factory=dict)
    seen: int = 0

    @classmethod
    async def make(cls, client: SimulatorClient, bot: str, *, name: str = "Lin", phone: str = "") -> Self:
        """Somebody new."""
        user = await client.create_user(name, language_code="en", phone=phone)
        return cls(client, int(user["id"]), bot)

    async def start(self, payload: str = "") -> None:
        """Press Start."""
        await self.client.start(self.user_id, self.bot, payload)

    async def say(self, text: str) -> None:
        """Write something."""
        await self.client.send_text(self.user_id, self.bot, text)

    async def tap(self, label: str) -> None:
        """Tap a button of the last message."""
        await self.client.press_button(self.user_id, self.bot, int(self.last["message_id"]), text=label)

    async def hears(self, *parts: str) -> str:
        """The bot's next message with the first part; every part must be in it."""
        found = await self.client.wait_for_message(
            self.user_id, self.bot, contains=parts[0], after=self.seen, seconds=SECONDS
        )
        self.seen, self.last = int(found["sequence"]), found["message"]
        text = html.unescape(re.sub(r"<[^>]+>", "", str(self.last.get("text") or self.last.get("caption") or "")))
        for part in parts:
            assert part in text, text
        return text

    async def ask(self, text: str, *parts: str) -> str:
        """Write something and hear the answer."""
        await self.say(text)
        return await self.hears(*parts)

    async def sign_up(self, name: str = "Lin") -> None:
        """From Start to the menu, with everything skipped that may be."""
        await self.start()
        await self.hears("Joining takes half a minute")
        await self.tap("Agree, and keep me posted")
        await self.hears("What may I call you")
        await self.ask(name, "phone number")
        for question in ("birthday", "What are you into", "All set"):
            await self.say("/skip") if not self.last.get("reply_markup") else await self._skip()
            await self.hears(question)

    async def _skip(self) -> None:
        markup = self.last["reply_markup"]
        if "inline_keyboard" in markup:
            await self.tap("Skip")
        else:
            await self.client.press_key(self.user_id, self.bot, "Skip")

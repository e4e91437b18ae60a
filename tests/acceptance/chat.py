"""A pretend person who talks to the deployment's bot over the simulator's HTTP."""

import contextlib
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
        found = await self._next(parts[0])
        self.seen, self.last = int(found["sequence"]), found["message"]
        text = html.unescape(re.sub(r"<[^>]+>", "", str(self.last.get("text") or self.last.get("caption") or "")))
        for part in parts:
            assert part in text, text
        return text

    async def _next(self, contains: str) -> dict[str, Any]:
        """The simulator waits for a minute at most; a killed process may hold up a reply for as long."""
        for _ in range(2):
            with contextlib.suppress(TimeoutError):
                return await self.client.wait_for_message(
                    self.user_id, self.bot, contains=contains, after=self.seen, seconds=SECONDS
                )
        said = await self.client.messages(self.user_id, self.bot)
        raise AssertionError(f"the bot did not say {contains!r}, but: {said[-3:]}")

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
            await self.skip()
            await self.hears(question)

    async def skip(self) -> None:
        """Tap Skip, wherever it is shown."""
        if "reply_markup" in self.last:
            await self.tap("Skip")
        else:
            await self.client.press_key(self.user_id, self.bot, "Skip")

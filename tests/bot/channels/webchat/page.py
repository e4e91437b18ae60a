"""A visitor's page without a browser: it speaks the socket's protocol."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.bot.channels.webchat.house import ChatHouse

Json = dict[str, Any]


class Page:
    """One connection; frames that were not asked for are kept."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.frames: list[Json] = []
        self.token = ""
        self.welcome: Json = {}

    async def send(self, frame: Json) -> None:
        """Send a frame."""
        await self.line.send(json.dumps(frame))

    async def hello(self, token: str | None = None, **more: Any) -> Json:
        """Say hello; answers the welcome, or the error."""
        await self.send({"type": "hello", "token": token, "locale": "en", "start": None, **more})
        self.welcome = await self.next("welcome", "error")
        self.token = self.welcome.get("token", "")
        return self.welcome

    async def next(self, *kinds: str) -> Json:
        """The next frame of one of these kinds, of those that were kept first."""
        for index, frame in enumerate(self.frames):
            if frame["type"] in kinds:
                return self.frames.pop(index)
        while True:
            frame = json.loads(await self.line.recv())
            if frame["type"] in kinds:
                return dict(frame)
            self.frames.append(frame)

    async def say(self, text: str, *, frame_id: str | None = None) -> Json:
        """Say something; answers the acknowledgement."""
        await self.send({"type": "text", "id": frame_id or str(uuid4()), "text": text})
        return await self.next("ack", "error")

    async def tap(self, data: str, message_id: str | None = None) -> Json:
        """Tap a key; answers the acknowledgement."""
        await self.send({"type": "tap", "id": str(uuid4()), "data": data, "message_id": message_id})
        return await self.next("ack", "error")

    async def heard(self) -> Json:
        """The next message of the bot."""
        while True:
            message: Json = (await self.next("message"))["message"]
            if message["direction"] == "out":
                return message

    async def history(self, before: str | None = None) -> Json:
        """A stretch of the history."""
        await self.send({"type": "history", "before": before})
        return await self.next("history")


@asynccontextmanager
async def open_page(house: ChatHouse, *, origin: str | None = None, query: str = "") -> AsyncIterator[Page]:
    """A connection of a page of this origin, of the house's own unless another is given."""
    async with connect(house.socket + query, origin=origin or house.origin, open_timeout=60) as line:  # type: ignore[arg-type] # an Origin is a str
        yield Page(line)

"""Telegram's side of a webhook: what is not answered with 200 comes again, a chat's updates one after the other."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.channels.telegram.setup import WEBHOOK_PATH
from bot.channels.telegram.webhook import SECRET_HEADER
from crm.bots import service as bots
from crm.db.session import Sessions
from crm.kit.clock import monotonic
from flows.engine.buttons import start_data
from runtime.demo_data.dice import Dice
from tests.acceptance.webhooks import Door, tap_update, text_update

Update = dict[str, Any]
OK = 200
_REST = 0.1
_PATIENCE = 180.0
NO_ANSWER = 0
SURVEY = "chaos"
ANSWERS = ("10", "More jasmine", "4")
_BOTH = {"zh-CN": "问题"}
_QUESTIONS = [
    {"key": "nps", "type": "nps", "title": {"en": "Would you recommend us?", **_BOTH}},
    {"key": "wish", "type": "text", "title": {"en": "What shall we brew?", **_BOTH}},
    {"key": "stars", "type": "rating", "title": {"en": "How was your cup?", **_BOTH}},
]


async def door_of(sessions: Sessions, bot_id: int) -> Door:
    """The webhook of one bot."""
    async with sessions() as session:
        path = await bots.webhook_path_secret(session, bot_id)
        return Door(f"{WEBHOOK_PATH}/{path}", await bots.webhook_secret(session, bot_id))


async def publish_survey(office: httpx.AsyncClient, key: str = SURVEY) -> None:
    """Three questions that anybody may answer; harmless when it is there."""
    definition = {"intro": {"en": "Three.", **_BOTH}, "thanks": {"en": "Thank you!", **_BOTH}, "questions": _QUESTIONS}
    made = await office.post("surveys", json={"key": key, "name": key, "definition": definition})
    if made.status_code == httpx.codes.CREATED:
        published = await office.post(f"surveys/{made.json()['id']}/publish")
        assert published.status_code == OK, published.text


def morning(chat: int) -> list[Update]:
    """What one member does: checks in twice, answers the survey, looks at the points."""
    survey = [tap_update(chat, start_data("survey", SURVEY)), *(text_update(chat, said) for said in ANSWERS)]
    return [text_update(chat, "/checkin"), *survey, text_update(chat, "/checkin"), text_update(chat, "/points")]


@dataclass
class Post:
    """Pushes updates to any number of api processes and remembers how each try was answered."""

    door: Door
    bases: Sequence[str]
    dice: Dice
    seen: Counter[int] = field(default_factory=Counter)
    """Tries by status; 0 where there was no answer."""
    acknowledged: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds until each answer of 200."""
    _turn: int = 0

    async def push(self, client: httpx.AsyncClient, update: Update) -> int:
        """One try at the next process."""
        self._turn += 1
        base = self.bases[self._turn % len(self.bases)]
        begun = monotonic()
        try:
            answer = await client.post(
                base + self.door.path, json=update, headers={SECRET_HEADER: self.door.secret}, timeout=_PATIENCE
            )
            status = answer.status_code
        except httpx.TransportError:
            status = NO_ANSWER
        self.seen[status] += 1
        if status == OK:
            self.acknowledged += 1
            self.waits.append(monotonic() - begun)
        return status

    async def deliver(self, client: httpx.AsyncClient, update: Update) -> None:
        """Push until it is acknowledged. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            while await self.push(client, update) != OK:  # noqa: ASYNC110 - a process announces nothing
                await asyncio.sleep(_REST)  # as Telegram does, only sooner

    async def talk(
        self, client: httpx.AsyncClient, updates: Sequence[Update], *, copies: int = 1, rest: float = 0.0
    ) -> None:
        """One chat's updates in order, some seconds apart; each that was delivered may come again at any later time."""
        again: list[Update] = []
        for update in updates:
            await asyncio.sleep(rest)
            await self.deliver(client, update)
            again += [update] * (copies - 1)
            while again and self.dice.chance() < 0.5:
                await self.deliver(client, again.pop(self.dice.whole(0, len(again) - 1)))
        for update in again:
            await self.deliver(client, update)

    async def all(
        self, chats: Sequence[Sequence[Update]], *, at_once: int = 12, copies: int = 1, rest: float = 0.0
    ) -> None:
        """Every chat's updates, so many chats at once."""
        waiting = iter(chats)
        limits = httpx.Limits(max_connections=at_once * 2)
        async with httpx.AsyncClient(limits=limits) as client, asyncio.TaskGroup() as group:

            async def hand() -> None:
                for updates in waiting:
                    await self.talk(client, updates, copies=copies, rest=rest)

            for _ in range(at_once):
                group.create_task(hand())

    def percentile(self, part: float) -> float:
        """Milliseconds within which that part of the acknowledgements came."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000 if ordered else 0.0

    def __str__(self) -> str:
        tries = ", ".join(f"{number:,} x {status or 'no answer'}" for status, number in sorted(self.seen.items()))
        return f"{self.acknowledged:,} acknowledged ({tries})"

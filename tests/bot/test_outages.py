"""After an outage in which Telegram dropped taps the bot asks, once in each chat, to tap again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.types import InboundInput
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.conversations import service as conversations
from crm.db.session import Sessions
from crm.inbox import outages
from crm.inbox.outages import TAPS_LIVE, Outage
from crm.members import service as members
from crm.messages.service import render_flow
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Command, Flow, flow
from flows.engine.questions import Text
from tests.bot.loop import CHANNEL, House, LoopChannel, make_loop_bot
from tests.conftest import At

SAID = {
    "en": "I was away for a while",
    "zh-CN": "\u521a\u624d\u6709\u4e00\u9635\u5b50\u6ca1\u80fd\u6536\u5230\u6d88\u606f",
}
BEFORE, DURING, AFTER = "2026-03-01T10:00:00+00:00", "2026-03-01T10:02:29+00:00", "2026-03-01T10:05:00+00:00"


@flow("tea", starts=[Command("tea")])
async def tea(chat: Chat) -> None:
    kind = await chat.ask("engine/done_button", Choice("green", "black"))
    await chat.say("engine/noted", kind=kind)


@flow("name", starts=[Command("name")])
async def name(chat: Chat) -> None:
    await chat.ask("engine/skip_button", Text())


class Clocked(LoopChannel):
    """Messages carry the time when they were sent."""

    def parse(self, bot_id: int, payload: bytes) -> InboundInput | None:
        """The update; its time is text on the wire."""
        found = super().parse(bot_id, payload)
        if found is None or found.at is None:
            return found
        return InboundInput(**{**vars(found), "at": datetime.fromisoformat(str(found.at))})


class Teahouse:
    """A bot that is listened to at set times; what it said last."""

    def __init__(self, sessions: Sessions, bot: Bot, locale: str, *flows: Flow[Any]) -> None:
        self.house = House(sessions, *flows, render=render_flow)
        self.house.handler.channels = {CHANNEL: Clocked()}
        self.house.handler.outages.remember_seconds = 0
        self.sessions, self.bot, self.locale = sessions, bot, locale

    async def at(self, moment: str, *, is_listening: bool = True) -> None:
        """It is `moment`; by default a receiver gives a sign of life."""
        async with self.sessions.begin() as session:
            await session.execute(text("SELECT set_config('siyu.now', :now, false)"), {"now": moment})
            if is_listening:
                await outages.listening(session, self.bot.id)

    async def hears(self, words: str, **fields: Any) -> str:
        """What the bot answers to a message."""
        await self.house.receive(self.bot, "7", words, locale_hint=self.locale, **fields)
        await self.house.settle()
        async with self.sessions() as session:
            contact = await members.find_contact(session, self.bot.id, "7")
            assert contact is not None
            return (await conversations.transcript(session, contact.member.id, limit=1))[0].text


@pytest.fixture(params=["en", "zh-CN"])
async def shop(request: pytest.FixtureRequest, sessions: Sessions) -> Teahouse:
    """Open, and known to its one guest, who was asked what tea they like."""
    bot = await make_loop_bot(sessions)
    teahouse = Teahouse(sessions, bot, request.param, tea, name)
    await teahouse.at(BEFORE)
    await teahouse.hears("/tea")
    return teahouse


async def test_asks_once_to_tap_again_while_a_question_with_buttons_is_open(shop: Teahouse) -> None:
    await shop.at(AFTER)
    assert (await shop.hears("hello")).startswith(SAID[shop.locale])
    assert SAID[shop.locale] not in await shop.hears("hello")


async def test_a_short_silence_is_no_outage(shop: Teahouse) -> None:
    await shop.at(DURING)
    assert SAID[shop.locale] not in await shop.hears("hello")


async def test_a_message_that_waited_shows_an_outage_by_itself(shop: Teahouse) -> None:
    await shop.at(AFTER, is_listening=False)
    assert SAID[shop.locale] in await shop.hears("hello", at="2026-03-01T10:01:00+00:00")
    assert SAID[shop.locale] not in await shop.hears("hello", at="2026-03-01T10:01:01+00:00")


async def test_a_tap_that_arrives_needs_no_words(shop: Teahouse) -> None:
    await shop.at(AFTER)
    assert SAID[shop.locale] not in await shop.hears("", kind="button", data="a:1:1:0")
    assert SAID[shop.locale] not in await shop.hears("hello")


async def test_nothing_is_said_where_nothing_could_be_tapped(shop: Teahouse) -> None:
    await shop.hears("/cancel")
    await shop.hears("/name")
    await shop.at(AFTER)
    assert SAID[shop.locale] not in await shop.hears("Li")


async def test_buttons_of_the_last_message_count_for_a_day(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        bot = await bots.add(session, channel=CHANNEL, name="Loop", token=None)
    shop = Teahouse(sessions, bot, "en", tea)
    await shop.at(BEFORE)
    await shop.hears("/tea")
    async with sessions.begin() as session:
        await session.execute(text("UPDATE conversations SET runs = '[]'"))
    await shop.at("2026-03-03T09:50:00+00:00")
    await shop.at("2026-03-03T10:00:00+00:00")
    assert SAID["en"] not in await shop.hears("hello")
    await shop.hears("/tea")
    async with sessions.begin() as session:
        await session.execute(text("UPDATE conversations SET runs = '[]'"))
    await shop.at("2026-03-03T11:00:00+00:00")
    assert (await shop.hears("hello")).startswith(SAID["en"])


async def test_outages_are_told_by_signs_and_by_late_messages(session: AsyncSession, at: At) -> None:
    assert await outages.last(session, 1) is None
    begun = await at(session, BEFORE)
    await outages.listening(session, 1)
    await at(session, DURING)
    await outages.listening(session, 1)
    assert await outages.last(session, 1) is None
    later = await at(session, AFTER)
    await outages.listening(session, 1)
    known = await outages.last(session, 1)
    assert known == Outage(datetime.fromisoformat(DURING), later)
    found = await outages.note_late(session, 1, sent_at=begun, received_at=later + TAPS_LIVE)
    assert found == Outage(begun, later + TAPS_LIVE)
    assert await outages.last(session, 2) is None
    alone = await outages.note_late(session, 2, sent_at=begun, received_at=begun + timedelta(hours=1))
    assert alone == await outages.last(session, 2)
    assert alone.until.astimezone(UTC) == begun + timedelta(hours=1)

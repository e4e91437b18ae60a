from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.tickets import service as tickets
from flows.commands import COMMANDS
from flows.engine.inputs import Input, InputKind
from flows.engine.registry import discover
from flows.testing import without_buttons
from tests.flows.talking import member, stranger, words


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_menu_and_help(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        for word in ("/menu", words(locale, "MENU", "菜单")):
            await chat.send(word)
            chat.expects(words(locale, "What would you like to do?", "想做点什么"))
            assert chat.said[-1].menu is not None
        for word in ("/help", words(locale, "help", "帮助"), words(locale, "💬 Help", "💬 帮助"), "？"):
            await chat.send(word)
            chat.expects("/checkin", "/human", "/stop")
        await chat.tap(words(locale, "My profile", "我的资料"))
        chat.expects("Li Hua")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_a_person_is_called_and_what_follows_is_passed_on(session: AsyncSession, locale: str) -> None:
    async with stranger(session, locale) as chat:
        await chat.send(words(locale, "talk to a person", "人工"))
        chat.expects(words(locale, "What is it about", "大概是什么事"))
        await chat.send("my cup \x00 broke 👨‍👩‍👧 <b>")
        chat.expects(words(locale, "a colleague will answer", "同事稍后会在这里回复"))
        (ticket,) = (await tickets.listing(session)).items
        assert (ticket.member_id, ticket.identity_id) == (chat.member_id, chat.contact.identity.id)
        assert "my cup" in ticket.note
        await chat.wait(timedelta(minutes=1))
        await chat.send("and the saucer too")
        chat.expects(words(locale, "passed that on", "已经转给同事"))
        await chat.wait(timedelta(minutes=1))
        await chat.send("that is all")
        assert chat.said == []


async def test_a_person_can_be_called_without_a_word(session: AsyncSession) -> None:
    async with member(session) as chat:
        await chat.send("/human")
        await chat.tap("Skip")
        assert [ticket.note for ticket in (await tickets.listing(session)).items] == [""]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_what_is_not_understood_gets_a_helpful_answer(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        for text in ("qwerty", "x" * 10_000, "\u202e\u200b", "/nothing", "<script>", "{{ 7*7 }}"):
            await chat.send(text)
            chat.expects(words(locale, "/menu", "菜单"), words(locale, "/human", "人工"))
        for kind in (InputKind.STICKER, InputKind.PHOTO, InputKind.LOCATION, InputKind.OTHER, InputKind.CONTACT):
            await chat.give(Input(kind))
            chat.expects(words(locale, "/menu", "菜单"))
        for data in ("1:a:9:9:9", "", "junk", "1:s:nothing", "1:s:survey:" + "x" * 60, None):
            await chat.tap_data(data)
            assert chat.text


@pytest.mark.parametrize("word", ["hi", "Hello", "你好", "开始", "/start", "/START"])
async def test_a_greeting_of_a_stranger_is_answered_with_a_welcome(session: AsyncSession, word: str) -> None:
    async with stranger(session) as chat:
        await chat.send(word)
        chat.expects("Welcome to Tea & Co")


@pytest.mark.parametrize("word", ["/cancel", "cancel", "取消", " CANCEL "])
async def test_cancel_works_everywhere(session: AsyncSession, word: str) -> None:
    async with member(session) as chat:
        await chat.send(word)
        chat.expects("nothing to cancel")
        for start in ("/human", "/language", "/profile", "/link"):
            await chat.send(start)
            await chat.send(word)
            chat.expects("stopped here")


async def test_without_buttons_everything_can_be_typed(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        chat.traits = without_buttons(chat.traits)
        await chat.send("/start")
        chat.expects("1. Agree, and keep me posted", "3. Not now")
        await chat.send("2")
        await chat.send("1")
        chat.expects("Welcome, Li Hua")
        for _ in range(2):
            await chat.send("skip")
        await chat.send("1, 3")
        chat.expects("All set!")
        assert all(not message.buttons and message.menu is None for message in chat.said)


def test_every_listed_command_starts_something_and_fits_the_channels() -> None:
    known = {*discover().commands(), "cancel"}
    assert set(COMMANDS) == {"en", "zh-CN"}
    assert [name for name, _ in COMMANDS["en"]] == [name for name, _ in COMMANDS["zh-CN"]]
    for name, description in [item for listed in COMMANDS.values() for item in listed]:
        assert name in known
        assert 1 <= len(name) <= 32
        assert 1 <= len(description) <= 256


@pytest.mark.parametrize("start", ["/human", "/language", "/profile", "/link"])
async def test_who_wanders_off_is_left_in_peace(session: AsyncSession, start: str) -> None:
    async with member(session) as chat:
        await chat.send(start)
        old = chat.buttons[0].data
        await chat.wait(timedelta(days=1, minutes=1))
        assert chat.said == []
        await chat.send("so what is this")
        chat.expects("didn't quite catch")
        await chat.wait(timedelta(seconds=3))
        await chat.tap_data(old)
        chat.expects("earlier message")

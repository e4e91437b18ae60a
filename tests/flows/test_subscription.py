import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.consent.models import ConsentRow
from crm.sign_ups import service as sign_ups
from flows.testing import Conversation
from tests.flows.talking import is_signed_up, member, stranger, words


async def wants_news(chat: Conversation) -> bool:
    return any(status.is_given for status in await consent.status(chat.session, chat.member_id))


@pytest.mark.parametrize(
    "word", ["STOP", " stop ", "/stop", "/unsubscribe", "Unsubscribe", "退订", "TD", "td", "取消订阅"]
)
async def test_one_word_ends_the_news_on_every_channel(session: AsyncSession, word: str) -> None:
    async with member(session) as chat:
        terms = {"topic": "news", "text_version": "1", "source": "test"}
        await consent.give(session, chat.member_id, channel="webchat", **terms)
        assert await wants_news(chat)
        await chat.send(word)
        chat.expects("won't get any more news", "points are untouched")
        assert not await wants_news(chat)
        assert {status.channel for status in await consent.status(session, chat.member_id)} == {"telegram", "webchat"}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_stop_in_the_middle_ends_what_runs_and_what_was_agreed_there(session: AsyncSession, locale: str) -> None:
    async with stranger(session, locale) as chat:
        await chat.open()
        await chat.tap(words(locale, "keep me posted", "同意，并接收消息"))
        await chat.send("STOP")
        chat.expects(words(locale, "won't write unless", "我就不打扰"))
        chat.expects_not(words(locale, "What may I call you", "怎么称呼"))
        await chat.send("Lin")
        chat.expects(words(locale, "didn't quite catch", "没看懂"))
        assert not await is_signed_up(chat)
        (status,) = await consent.status(session, chat.member_id)
        assert (status.is_given, status.source) == (False, "stop")


async def test_each_decision_names_the_message_that_it_was_said_in(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        for says in (chat.open(), chat.tap("keep me posted"), chat.send("Lin"), chat.send("STOP")):
            await says
        await chat.send("subscribe")
        await chat.tap("Agree")
        query = select(ConsentRow.source, ConsentRow.proof).where(ConsentRow.member_id == chat.member_id)
        rows = [tuple(row) for row in await session.execute(query.order_by(ConsentRow.proof))]
    assert rows == [("sign_up", "update:2"), ("stop", "update:4"), ("subscribe", "update:6")]


async def test_a_sentence_with_the_word_in_it_is_no_stop(session: AsyncSession) -> None:
    async with member(session) as chat:
        await chat.send("please stop the rain")
        chat.expects("didn't quite catch")
        assert await wants_news(chat)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_coming_back_asks_for_consent_again(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send("/stop")
        await chat.send("/start")
        chat.expects(
            words(locale, "Good to see you again, Li Hua", "又见面啦"), words(locale, "switched off", "重新打开")
        )
        await chat.tap(words(locale, "Yes, send me news", "继续接收"))
        chat.expects(words(locale, "We keep your profile", "我们会保存您的资料"))
        await chat.tap(words(locale, "Not now", "以后再说"))
        assert not await wants_news(chat)
        await chat.send(words(locale, "subscribe", "订阅"))
        await chat.tap(words(locale, "Agree", "同意"))
        chat.expects(words(locale, "hear from us again", "有好消息会告诉你"))
        assert await wants_news(chat)
        await chat.open()
        chat.expects_not(words(locale, "switched off", "重新打开"))


async def test_who_never_wanted_news_is_not_signed_up_for_them_later(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await sign_ups.complete(session, chat.member_id, channel="telegram", wants_news=False)
        await chat.send("/checkin")
        assert not await wants_news(chat)

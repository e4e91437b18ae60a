"""Inviting friends in the chat: the status page, the poster, who comes through a link, and oneself."""

from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.media import service as media
from crm.referrals import poster
from crm.referrals.service import links, standing
from crm.referrals.types import Gift, Level
from flows.testing import Conversation, conversation
from tests.factories.loyalty import make_coupon
from tests.factories.referrals import befriend, make_programme, sign_up
from tests.flows.talking import member, open_shop, stranger, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])


async def _address(session: AsyncSession, chat: Conversation) -> str:
    """The bot that the member talks with is given a username, so that it can be linked to."""
    bot_id = chat.contact.identity.bot_id
    await bots.change(session, bot_id, settings={"start_link": "https://t.example/tea?start={code}"})
    return await links.link(session, chat.member_id, bot_id=bot_id)


@LOCALES
async def test_the_status_page(session: AsyncSession, locale: str) -> None:
    coupon = await make_coupon(session)
    await make_programme(session, levels=(Level(3, Gift(300, coupon.id)),))
    async with member(session, locale) as chat:
        url = await _address(session, chat)
        await chat.send(words(locale, "invite friends", "邀请好友"))
        chat.expects(url, words(locale, "Tea for two", "好茶成双"), words(locale, "Counted: 0", "已达成：0"))
        chat.expects_not(words(locale, "Rewards so far", "已得奖励"))
        await befriend(session, chat.member_id)
        await chat.send(words(locale, "my invitations", "我的邀请"))
        chat.expects(
            words(locale, "Friends who came: 1", "来过的好友：1"),
            words(
                locale, "2 more friends and you get 300 points and Ten off", "再邀请 2 位，额外得 300 积分和立减十元"
            ),
            words(locale, "Rewards so far: 100 points", "已得奖励：100 积分"),
        )


@LOCALES
async def test_the_poster_leads_to_the_link(session: AsyncSession, locale: str) -> None:
    await make_programme(session)
    async with member(session, locale, display_name="李华 <b>") as chat:
        url = await _address(session, chat)
        await chat.send("/invite")
        await chat.tap(words(locale, "My poster", "我的海报"))
        first = chat.said[-1].photo_media_id
        assert first is not None
        _, picture = await media.read(session, first)
        with Image.open(BytesIO(picture)) as image:
            (found,) = zxingcpp.read_barcodes(image)
        assert found.text == url
        await chat.send("/invite poster")
        assert chat.said[-1].photo_media_id == first


async def test_without_a_font_the_link_is_said(session: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_programme(session)
    monkeypatch.setattr(poster, "FONT", Path("/nowhere/font.otf"))
    async with member(session) as chat:
        url = await _address(session, chat)
        await chat.send("/invite poster")
        chat.expects("can't be drawn", url)


@LOCALES
async def test_a_friend_comes_through_the_link(session: AsyncSession, locale: str) -> None:
    await make_programme(session)
    async with member(session, locale, display_name="Li Hua") as chat:
        code = await links.code_of(session, chat.member_id)
        async with conversation(session, locale=locale, display_name="Wang Wei") as friend:
            await friend.open(code)
            friend.expects(
                words(locale, "Li Hua invited you", "Li Hua邀请你来"),
                words(locale, "You get 50 points once you have signed up", "注册后，你会得到 50 积分"),
            )
            assert (await standing.of_member(session, chat.member_id)).pending == 1
            referral = await sign_up(session, friend.member_id)
            assert referral is not None
            assert referral.referrer_id == chat.member_id
            await friend.open(code)
            friend.expects_not("Li Hua")


@LOCALES
async def test_nobody_invites_themselves(session: AsyncSession, locale: str) -> None:
    await make_programme(session)
    async with member(session, locale) as chat:
        await chat.open(await links.code_of(session, chat.member_id))
        chat.expects(words(locale, "That's your own link", "这是你自己的链接"))
        assert (await standing.of_member(session, chat.member_id)).joined == 0


@LOCALES
async def test_when_nothing_runs(session: AsyncSession, locale: str) -> None:
    await open_shop(session)
    async with member(session, locale) as chat:
        await chat.send("/invite")
        chat.expects(words(locale, "nothing to win", "没有邀请活动"))


async def test_a_code_of_nobody_opens_the_chat_all_the_same(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open("i-" + "x" * 16)
        chat.expects("Tea & Co")

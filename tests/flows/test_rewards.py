"""Looking through the rewards, taking one, showing its voucher; codes that are said to the bot."""

from datetime import timedelta
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import counter, holding
from crm.coupons.types import Verdict
from crm.db import clock
from crm.media import service as media
from crm.points import service as points
from crm.rewards.service import catalogue, fulfilment
from flows.engine.buttons import start_data
from tests.conftest import At
from tests.factories.loyalty import issue, make_coupon, make_reward
from tests.factories.points import give
from tests.flows.talking import member, stranger, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])


@LOCALES
async def test_from_the_shelf_to_the_counter(session: AsyncSession, locale: str) -> None:
    coupon = await make_coupon(session, valid_days=30)
    reward = await make_reward(session, points=120, coupon=coupon, stock=3)
    await make_reward(session, points=9000)
    async with member(session, locale) as chat:
        await give(session, chat.member_id, 100)
        await chat.send(words(locale, "🎁 Rewards", "兑换"))
        chat.expects(words(locale, "Tin of tea", "茶叶罐"), words(locale, "only 3 left", "仅剩 3 份"), "120", "9,000")
        await chat.tap(words(locale, "Tin of tea", "茶叶罐"))
        chat.expects(words(locale, "Take it for 120 points?", "用 120 积分兑换吗"))
        await chat.tap(words(locale, "Yes, please", "兑换"))
        chat.expects(words(locale, "It's yours!", "兑换成功"), words(locale, "Balance: 80", "还剩 80 积分"))
        (voucher,) = await holding.usable(session, chat.member_id)
        chat.expects(voucher.code, words(locale, "Ten off", "立减十元"))
        photo = chat.said[-1].photo_media_id
        assert photo is not None
        _, picture = await media.read(session, photo)
        assert (await counter.check(session, _read(picture), member_id=chat.member_id)).verdict is Verdict.VALID
        assert (await catalogue.get(session, reward.id)).stock == 2
        await chat.send(words(locale, "my coupons", "优惠券"))
        chat.expects(voucher.code)


def _read(picture: bytes) -> str:
    with Image.open(BytesIO(picture)) as image:
        (found,) = zxingcpp.read_barcodes(image)
    return found.text


@LOCALES
async def test_goods_that_are_sent(session: AsyncSession, locale: str) -> None:
    await make_reward(session, points=50, needs_address=True)
    async with member(session, locale) as chat:
        await chat.send("/rewards")
        await chat.tap(words(locale, "Tin of tea", "茶叶罐"))
        await chat.tap(words(locale, "Yes", "兑换"))
        chat.expects(words(locale, "Where shall we send it?", "寄到哪里"))
        await chat.send("x")
        await chat.send("Li Hua 13800138000 杭州市西湖区 1 号")
        chat.expects(words(locale, "is yours!", "是你的了"), words(locale, "on its way", "发货会通知"))
        (done,) = await fulfilment.recent(session, chat.member_id)
        chat.expects(done.id.hex[-8:].upper())
        assert await fulfilment.address(session, done.id) == "Li Hua 13800138000 杭州市西湖区 1 号"


async def test_second_thoughts_cost_nothing(session: AsyncSession) -> None:
    await make_reward(session, points=50)
    async with member(session) as chat:
        before = await points.balance(session, chat.member_id)
        await chat.send("/rewards")
        await chat.tap("Tin of tea")
        await chat.tap("Not now")
        chat.expects("your points stay with you")
        assert await points.balance(session, chat.member_id) == before


@LOCALES
async def test_why_not_is_said(session: AsyncSession, locale: str) -> None:
    dear, empty = await make_reward(session, points=9000), await make_reward(session, points=1, stock=0)
    async with member(session, locale) as chat:
        for reward, said in (
            (dear, words(locale, "not quite enough", "还差一点")),
            (empty, words(locale, "the last one is gone", "最后一份")),
        ):
            await chat.tap_data(start_data("rewards", str(reward.id)))
            chat.expects(said)
        await chat.tap(words(locale, "Check in", "去签到"))
        chat.expects(words(locale, "Checked in!", "签到成功"))


async def test_the_last_one_goes_while_one_hesitates(session: AsyncSession) -> None:
    reward = await make_reward(session, points=50, stock=1)
    async with member(session) as chat:
        await chat.send("/rewards")
        await chat.tap("Tin of tea")
        await catalogue.set_stock(session, reward.id, 0)
        await chat.tap("Yes")
        chat.expects("the last one is gone", "Your points are untouched")
        assert await points.balance(session, chat.member_id) == 100


@LOCALES
async def test_nothing_there(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send("/rewards")
        chat.expects(words(locale, "shelf is empty", "暂时空着"))
        await chat.send("/coupons")
        chat.expects(words(locale, "no coupon", "没有可用的优惠券"))
        await chat.tap(words(locale, "I have a code", "我有兑换码"))
        chat.expects(words(locale, "What does the code say?", "把兑换码发给我"))


@LOCALES
async def test_codes(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    day = timedelta(days=1)
    now = await clock.now(session)
    await make_coupon(session, shared_code="SPRING26")
    await make_coupon(session, shared_code="OLDCODE", ends_at=now - day)
    await make_coupon(session, shared_code="SOONER", starts_at=now + 5 * day)
    full = await make_coupon(session, shared_code="GONE", limit_total=1)
    async with member(session, locale) as chat:
        await chat.send("/code spring-26")
        chat.expects(words(locale, "Ten off", "立减十元"))
        for code, said in (
            ("SPRING26", words(locale, "had this one already", "已经领过")),
            ("old code", words(locale, "expired", "过期")),
            ("sooner", words(locale, "try again on Mar 6", "3月6日再试")),
            ("nothing", words(locale, "don't know this code", "没有这个码")),
        ):
            await chat.send(f"/code {code}")
            chat.expects(said)
        async with member(session) as other:
            await issue(session, other.member_id, full)
        await chat.send("/code")
        await chat.send("gone")
        chat.expects(words(locale, "been given out", "领完了"))


async def test_a_slip_in_a_code_is_asked_again(session: AsyncSession) -> None:
    await make_coupon(session, shared_code="SPRING26")
    async with member(session) as chat:
        await chat.send("/code")
        await chat.send("SPRIMG26")
        chat.expects("don't know this code", "What does the code say?")
        await chat.send("SPRING26")
        chat.expects("Ten off")
        await chat.send("/code nothing")
        chat.expects("What does the code say?")
        await chat.send("/points")
        chat.expects_not("What does the code say?")


async def test_several_vouchers_are_listed(session: AsyncSession) -> None:
    async with member(session) as chat:
        first = await issue(session, chat.member_id, await make_coupon(session, valid_days=3))
        second = await issue(session, chat.member_id, await make_coupon(session))
        await chat.send("coupons")
        chat.expects("Which one shall I show?")
        assert [button.label for button in chat.buttons] == ["Ten off", "Ten off"]
        listed = chat.buttons
        await chat.send("/points")
        chat.expects_not("Which one shall I show?")
        await chat.tap_data(str(listed[1].data))
        chat.expects(second.code)
        chat.expects_not(first.code)
        await chat.tap_data(start_data("vouchers", "somebody's"))
        chat.expects("Which one shall I show?")


@LOCALES
async def test_looking_at_the_shelf_leaves_no_question_behind(session: AsyncSession, locale: str) -> None:
    await make_reward(session, points=50)
    async with member(session, locale) as chat:
        await chat.send("/rewards")
        (button,) = chat.buttons
        await chat.send("/points")
        chat.expects_not(words(locale, "Tin of tea", "茶叶罐"))
        await chat.tap_data(str(button.data))
        await chat.send("/points")
        chat.expects_not(words(locale, "Take it for", "兑换吗"))


async def test_a_stranger_signs_up_first(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.send("/rewards")
        chat.expects("Welcome")


@LOCALES
async def test_a_voucher_of_somebody_else_is_not_shown(session: AsyncSession, locale: str) -> None:
    coupon = await make_coupon(session)
    async with member(session) as other:
        theirs = await issue(session, other.member_id, coupon)
    async with member(session, locale) as chat:
        mine = [await issue(session, chat.member_id, coupon) for _ in range(2)]
        for forged in (theirs.id, "0" * 32):
            await chat.tap_data(start_data("vouchers", str(forged)))
            chat.expects(words(locale, "Which one shall I show?", "要出示哪一张"))
            chat.expects_not(theirs.code)
        await chat.send(f"/code {theirs.code}")
        chat.expects(words(locale, "don't know this code", "没有这个码"))
        assert [entry.act for entry in await holding.history(session, theirs.id)] == ["issued"]
        assert {voucher.id for voucher in await holding.usable(session, chat.member_id)} == {one.id for one in mine}


async def test_what_the_chat_refuses_leaves_nothing_behind(session: AsyncSession) -> None:
    now = await clock.now(session)
    await make_coupon(session, shared_code="OLDCODE", ends_at=now - timedelta(days=1))
    empty = await make_reward(session, points=1, stock=0)
    async with member(session) as chat:
        before = await points.balance(session, chat.member_id)
        await chat.send("/code old code")
        chat.expects("has expired")
        await chat.tap_data(start_data("rewards", str(empty.id)))
        chat.expects("the last one is gone")
        await chat.tap_data(start_data("rewards", "9" * 30))
        assert await points.balance(session, chat.member_id) == before
        assert await holding.usable(session, chat.member_id) == []
        assert await fulfilment.recent(session, chat.member_id) == []
        assert (await catalogue.get(session, empty.id)).redeemed == 0

"""Draws, missions and badges in the chat."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import service as check_ins
from crm.db import clock
from crm.draws.service import definitions
from crm.draws.types import Prize, PrizeKind
from crm.events import service as events
from crm.events.catalogue import CheckedIn
from crm.missions import subscribers
from crm.missions.service import badges
from crm.missions.types import Rewards, Step
from crm.points import service as points
from flows.engine.buttons import start_data
from tests.factories.draws import NOTHING, lucky, make_badge, make_draw, make_mission, packets
from tests.factories.loyalty import make_coupon
from tests.factories.points import give
from tests.flows.talking import member, stranger, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])
SURE = Prize({"en": "50 points", "zh-CN": "50 积分"}, PrizeKind.POINTS, odds=1_000_000, points=50)


@LOCALES
async def test_playing_buying_and_verifying(session: AsyncSession, locale: str) -> None:
    draw = await make_draw(session, lucky(SURE, NOTHING), free_per_day=1, price=10, bought_per_day=1)
    assert draw.commitment is not None
    async with member(session, locale) as chat:
        await give(session, chat.member_id, 10)
        before = await points.balance(session, chat.member_id)
        await chat.send("/draw")
        chat.expects(draw.commitment, words(locale, "Spring draw", "春日抽奖"), "100 %")
        await chat.tap(words(locale, "Play", "抽一次"))
        chat.expects(words(locale, "🎉 50 points!", "抽中 50 积分"), words(locale, "attempt 1", "第 1 次"))
        await chat.tap(words(locale, "Buy a chance", "买机会"))
        chat.expects(words(locale, "one more chance", "多了一次机会"))
        await chat.tap(words(locale, "Play", "抽一次"))
        assert await points.balance(session, chat.member_id) == before + 90
        await chat.tap(words(locale, "That's all", "先到这里"))
        await chat.tap(words(locale, "Verify", "验证"))
        chat.expects(draw.commitment, words(locale, "sealed until", "封存的"))
        closed = await definitions.close(session, draw.id)
        assert closed.seed is not None
        chat.expects_not(closed.seed)
        await chat.send("/verify")
        chat.expects(
            closed.seed,
            words(locale, "✅ SHA-256 of the seed is the commitment", "✅ 种子的 SHA-256 就是承诺"),
            words(locale, "✅ Line 2, attempt 2", "✅ 第 2 行，第 2 次"),
            f"{draw.id}:{chat.member_id}:1",
        )
        chat.expects_not("❌")


@LOCALES
async def test_red_packets_run_out(session: AsyncSession, locale: str) -> None:
    await make_draw(session, packets(7, 1), free_per_day=5)
    async with member(session, locale) as chat:
        await chat.send(words(locale, "red packet", "红包"))
        chat.expects(words(locale, "1 packet with 7 points", "1 个红包，共 7 积分"))
        await chat.tap(words(locale, "Play", "抽一次"))
        chat.expects(words(locale, "7 points for you", "抢到 7 积分"), words(locale, "All packets", "已被领完"))


@LOCALES
async def test_prizes_of_other_kinds(session: AsyncSession, locale: str) -> None:
    coupon = await make_coupon(session)
    cup = {"en": "Cup", "zh-CN": "茶杯"}
    for kind, said in (
        (PrizeKind.GOODS, words(locale, "Show this message", "出示这条消息")),
        (PrizeKind.COUPON, "/coupons"),
    ):
        prize = Prize(cup, kind, odds=1_000_000, coupon_id=coupon.id if kind is PrizeKind.COUPON else None)
        draw = await make_draw(session, lucky(prize, NOTHING))
        async with member(session, locale) as chat:
            await chat.send("/draw")
            await chat.tap(words(locale, "Play", "抽一次"))
            chat.expects(words(locale, "🎉 Cup!", "抽中 茶杯"), said)
        await definitions.close(session, draw.id)


@LOCALES
async def test_there_is_nothing(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send("/draw")
        chat.expects(words(locale, "no draw for you", "没有你能参加的抽奖"))
        await chat.send("/verify")
        chat.expects(words(locale, "nothing to verify", "没有可以验证的"))
        await chat.send("/missions")
        chat.expects(words(locale, "no mission", "暂时没有任务"))
        await chat.send("/badges")
        chat.expects(words(locale, "no badge yet", "还没有徽章"))


async def test_several_draws_and_an_old_button(session: AsyncSession) -> None:
    await make_draw(session, packets(50, 5))
    draw = await make_draw(session, lucky(SURE, NOTHING))
    async with member(session) as chat:
        await chat.send("/draw")
        chat.expects("Which draw")
        await chat.tap_data(start_data("draws", str(draw.id)))
        chat.expects("100 %")
        await definitions.close(session, draw.id)
        await chat.tap("Play")
        chat.expects("The draw is over")
        await chat.send(f"/draw {10**30}")
        chat.expects("no draw for you")


@LOCALES
async def test_missions_and_badges(session: AsyncSession, locale: str) -> None:
    badge = await make_badge(session)
    steps = (Step("checked_in", 2),)
    await make_mission(session, *steps, rewards=Rewards(points=30, badge_id=badge.id, draw_id=1, draw_chances=2))
    async with member(session, locale) as chat:
        await check_ins.check_in(session, chat.member_id)
        for number in (1, 2):
            today = (await clock.now(session)).date()
            fact = CheckedIn(member_id=chat.member_id, local_date=today, streak=number, channel=None)
            await subscribers.count.handle(session, await events.publish(session, fact))
            await chat.send("/missions")
            bar = "▓▓▓▓▓░░░░░ 50 %" if number == 1 else "▓▓▓▓▓▓▓▓▓▓ 100 %"
            chat.expects(
                words(locale, "Tea month", "茶月任务"), bar, words(locale, "check-ins", "签到") + f" {number}/2"
            )
        chat.expects("✅")
        assert len(await badges.of_member(session, chat.member_id)) == 1
        await chat.tap(words(locale, "My badges", "我的徽章"))
        chat.expects(words(locale, "🍃 Tea friend", "🍃 茶友"))
        await chat.send("/profile")
        chat.expects(words(locale, "Badges: 🍃 Tea friend", "徽章：🍃 茶友"))


async def test_a_stranger_signs_up_first(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.send("/draw")
        chat.expects("Welcome")

"""Draws, missions and badges for tests."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws.service import definitions
from crm.draws.types import Draw, DrawKind, NewDraw, Prize, PrizeKind, Rules, Terms
from crm.missions.service import badges
from crm.missions.service import definitions as missions
from crm.missions.types import Badge, Mission, NewMission, Rewards, Step, Window

NOTHING = Prize({"en": "Next time", "zh-CN": "下次再来"}, PrizeKind.NOTHING)
FIFTY = Prize({"en": "50 points", "zh-CN": "50 积分"}, PrizeKind.POINTS, odds=300_000, points=50)
TEA = Prize({"en": "Tin of tea", "zh-CN": "茶叶罐"}, PrizeKind.GOODS, odds=100_000, stock=3)


def lucky(*prizes: Prize) -> Rules:
    """Points, three tins of tea, or nothing."""
    return Rules(DrawKind.LUCKY, prizes or (FIFTY, TEA, NOTHING))


def packets(points: int = 1000, many: int = 10) -> Rules:
    """Red packets."""
    return Rules(DrawKind.PACKETS, points=points, packets=many)


async def make_draw(session: AsyncSession, rules: Rules | None = None, *, is_open: bool = True, **terms: Any) -> Draw:
    """A spring draw, open unless said otherwise."""
    new = NewDraw({"en": "Spring draw", "zh-CN": "春日抽奖"}, rules or lucky(), terms=Terms(**terms))
    made = await definitions.create(session, new)
    return await definitions.open_draw(session, made.id) if is_open else made


async def make_badge(session: AsyncSession) -> Badge:
    """A tea leaf."""
    return await badges.create(session, {"en": "Tea friend", "zh-CN": "茶友"}, emoji="🍃")


async def make_mission(
    session: AsyncSession, *steps: Step, window: Window = Window.MONTHLY, rewards: Rewards | None = None, **more: Any
) -> Mission:
    """Three check-ins and an order in a month for 100 points, unless said otherwise."""
    new = NewMission(
        {"en": "Tea month", "zh-CN": "茶月任务"},
        steps or (Step("checked_in", 3), Step("order_placed", 1)),
        window,
        rewards or Rewards(points=100),
        **more,
    )
    return await missions.create(session, new)

"""What makes the demo shop's members come back: tiers, friends who are brought, missions with a badge, draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.draws.service import definitions as draws
from crm.draws.service import playing
from crm.draws.types import DrawKind, NewDraw, Prize, PrizeKind
from crm.draws.types import Rules as DrawRules
from crm.draws.types import Terms as DrawTerms
from crm.events import service as events
from crm.events.catalogue import CheckedIn, OrderPlaced
from crm.missions.service import badges, progress
from crm.missions.service import definitions as missions
from crm.missions.types import NewMission, Rewards, Step, Window
from crm.referrals.service import programmes as referrals
from crm.referrals.types import Act, Gift, Level
from crm.referrals.types import Terms as ReferralTerms
from crm.tiers.service import programmes as tiers
from crm.tiers.service import runs
from crm.tiers.types import Downgrade, Measure, Rules, Tier
from crm.tiers.types import Window as TierWindow
from runtime.demo_data.dice import Dice
from runtime.demo_data.moving import set_clock

BY = "demo"
_MISSION_DAYS = 30
_DRAWN_FROM, _DRAWN_UNTIL = 20, 13
"""Days ago, of the draw that is over."""
_COUNTED = [CheckedIn.kind, OrderPlaced.kind]
_PLAYS = 0.3
_MOST_EVENTS = 200
_TIERS = [
    Tier("silver", {"en": "Silver", "zh-CN": "银卡"}, Decimal(300), Decimal(200)),
    Tier("gold", {"en": "Gold", "zh-CN": "金卡"}, Decimal(1000), Decimal(800), Decimal("1.2")),
    Tier("black", {"en": "Black", "zh-CN": "黑卡"}, Decimal(2000), Decimal(1600), Decimal("1.5"), has_priority=True),
]


@dataclass(frozen=True)
class Visitor:
    """A member who may take part, and when they were last seen."""

    number: int
    member_id: int
    joined_days_ago: int
    last_seen_days_ago: int


async def begin(session: AsyncSession, since: datetime) -> bool:
    """Open the tiers and the referral programme at `since`, unless the brand has its own already.

    Answers whether friends can be brought.
    """
    await set_clock(session, since)
    if not await tiers.listing(session):
        rules = Rules(Measure.SPEND, TierWindow.ROLLING, _TIERS, months=12, downgrade=Downgrade.ONE_STEP)
        draft = await tiers.save_draft(session, rules, by=BY, is_demo=True)
        await tiers.publish(session, draft.version)
        while await runs.step(session):
            pass
    if any(programme.is_active for programme in await referrals.listing(session)):
        return False
    levels = (Level(3, Gift(100)), Level(8, Gift(400)))
    terms = ReferralTerms(Act.ORDER, Gift(80), Gift(40), levels, second_percent=10, minimum_order=Decimal(50))
    headline = {"en": "Good tea is better shared", "zh-CN": "好茶，和朋友一起喝"}
    await referrals.create(session, "Tea for two", terms, headline=headline, is_demo=True)
    return True


async def enliven(sessions: Sessions, visitors: Sequence[Visitor], cup_id: int | None, today: datetime) -> None:
    """Missions of the last month, a draw that is over and verified by anybody, and red packets that are open now."""
    async with sessions.begin() as session:
        since = today - timedelta(days=_MISSION_DAYS)
        await _make_missions(session, since)
        for visitor in visitors:
            if visitor.last_seen_days_ago <= _MISSION_DAYS:
                await _count(session, visitor.member_id, since)
    async with sessions.begin() as session:
        await _draw_prizes(session, visitors, cup_id, today)
    async with sessions.begin() as session:
        await _open_packets(session, visitors, today)


async def _make_missions(session: AsyncSession, since: datetime) -> None:
    badge = await badges.create(session, {"en": "Tea friend", "zh-CN": "茶友"}, emoji="🍃", is_demo=True)
    month = NewMission(
        {"en": "Tea month", "zh-CN": "茶月任务"},
        (Step(CheckedIn.kind, 3), Step(OrderPlaced.kind)),
        Window.MONTHLY,
        Rewards(points=50, badge_id=badge.id),
        {"en": "Three check-ins and an order in one month.", "zh-CN": "一个月内签到三次并下一单。"},
        starts_at=since,
    )
    week = NewMission(
        {"en": "Three mornings", "zh-CN": "三个早晨"},
        (Step(CheckedIn.kind, 3),),
        Window.WEEKLY,
        Rewards(points=10),
        starts_at=since,
        position=1,
    )
    for mission in (month, week):
        await missions.create(session, mission, is_demo=True)


async def _count(session: AsyncSession, member_id: int, since: datetime) -> None:
    found = await events.timeline(session, member_id, kinds=_COUNTED, limit=_MOST_EVENTS)
    for event in reversed(found):
        if event.occurred_at >= since:
            await progress.count(session, event)


async def _draw_prizes(session: AsyncSession, visitors: Sequence[Visitor], cup_id: int | None, today: datetime) -> None:
    """Played day by day by some of those who were still about, then closed."""
    opens, closes = (today - timedelta(days=days) for days in (_DRAWN_FROM, _DRAWN_UNTIL))
    await set_clock(session, opens)
    cup = Prize({"en": "A cup of tea", "zh-CN": "茶饮一杯"}, PrizeKind.COUPON, odds=250_000, coupon_id=cup_id)
    prizes = [
        *([cup] if cup_id is not None else []),
        Prize({"en": "Porcelain gaiwan", "zh-CN": "青瓷盖碗"}, PrizeKind.GOODS, odds=50_000, stock=2),
        Prize({"en": "Better luck next time", "zh-CN": "下次好运"}, PrizeKind.NOTHING),
    ]
    rules = DrawRules(DrawKind.LUCKY, tuple(prizes))
    name = {"en": "Autumn draw", "zh-CN": "秋日抽奖"}
    made = await draws.create(session, NewDraw(name, rules, terms=DrawTerms(ends_at=closes)), is_demo=True)
    await draws.open_draw(session, made.id)
    there = [one for one in visitors if one.joined_days_ago > _DRAWN_FROM and one.last_seen_days_ago <= _DRAWN_UNTIL]
    for moment, visitor in _moments(there, opens, closes, "draw"):
        await set_clock(session, moment)
        await playing.play(session, visitor.member_id, made.id, key=f"demo:draw:{made.id}:{visitor.number}")
    await set_clock(session, closes)
    await draws.close(session, made.id)


async def _open_packets(session: AsyncSession, visitors: Sequence[Visitor], today: datetime) -> None:
    """Some have had theirs, in the hour before now."""
    opens = today - timedelta(hours=1)
    await set_clock(session, opens)
    rules = DrawRules(DrawKind.PACKETS, points=2000, packets=200)
    terms = DrawTerms(ends_at=today + timedelta(days=14))
    name = {"en": "Red packets", "zh-CN": "红包雨"}
    made = await draws.create(session, NewDraw(name, rules, terms=terms), is_demo=True)
    await draws.open_draw(session, made.id)
    there = [one for one in visitors if not one.last_seen_days_ago]
    for moment, visitor in _moments(there, opens, today, "packet"):
        await set_clock(session, moment)
        await playing.play(session, visitor.member_id, made.id, key=f"demo:draw:{made.id}:{visitor.number}")


def _moments(visitors: Sequence[Visitor], first: datetime, last: datetime, what: str) -> list[tuple[datetime, Visitor]]:
    """Who plays when, in the order of time."""
    found = []
    for visitor in visitors:
        dice = Dice(f"{what} {visitor.number}")
        if dice.chance() < _PLAYS:
            found.append((first + (last - first) * dice.chance(), visitor))
    return sorted(found, key=lambda item: item[0])

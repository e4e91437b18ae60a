"""Points: the balance, what runs out soon, the last entries, and how to get more."""

from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import service as points
from crm.points.types import WayToEarn
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow
from flows.steps import tier_words, zones

_SHOWN = 5
"""Pending points that are told one by one."""


async def _ways(session: AsyncSession, member_id: int, locale: str) -> list[WayToEarn]:
    return await points.how_to_earn(session, locale, member_id)


@flow(
    "points",
    starts=[
        Command("points"),
        Keyword("积分", "我的积分", "查积分", "points", "my points", "balance"),
        Menu({"zh-CN": "⭐ 积分", "en": "⭐ Points"}),
        Button("points"),
    ],
)
async def show_points(chat: Chat) -> None:
    """Tells what there is and how it came, in days of the member's own zone."""
    await chat.member()
    found = await chat.look(points.summary)
    ways = await chat.look(_ways, chat.locale)
    named = await chat.look(zones.current)
    zone = ZoneInfo(named)
    tier = await chat.look(tier_words.of_tier, named) or {"following": None, "is_money": False, "unit": {}}
    expiring = [{"points": item.points, "on": item.at.astimezone(zone).date()} for item in found.expiring]
    entries = [
        {"on": item.at.astimezone(zone).date(), "points": item.points, "kind": str(item.kind), "reason": item.reason}
        for item in found.entries
    ]
    pending = [
        {"points": item.points, "on": item.activates_at.astimezone(zone).date() if item.activates_at else None}
        for item in found.pending[:_SHOWN]
    ]
    await chat.say(
        "points/summary",
        balance=found.balance,
        debt=found.debt,
        pending=pending,
        held=sum(item.points for item in found.held),
        expiring=expiring,
        entries=entries,
        ways=ways,
        tier_next=tier["following"],
        tier_bar=tier.get("bar"),
        tier_missing=tier.get("missing"),
        is_money=tier["is_money"],
        unit=tier["unit"],
        currency=tier.get("currency"),
        buttons=[[Opens("check_in"), Opens("survey"), *([Opens("tier")] if tier["following"] else [])]],
    )

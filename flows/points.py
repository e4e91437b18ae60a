"""Points: the balance, what runs out soon, the last entries, and how to get more."""

from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.paging import encode_cursor
from crm.points import service as points
from crm.points.types import Entry, WayToEarn
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow
from flows.steps import tier_words, zones
from flows.steps.numbers import number_in

_SHOWN = 5
"""Entries of the summary, and pending points that are told one by one."""
_PAGE = 10


async def _ways(session: AsyncSession, member_id: int, locale: str) -> list[WayToEarn]:
    return await points.how_to_earn(session, locale, member_id)


async def _entries(session: AsyncSession, member_id: int, before: str) -> list[Entry]:
    """A page of the statement and one entry more, if there is one."""
    sequence = number_in(before)
    cursor = None if sequence is None else encode_cursor(sequence)
    return (await points.statement(session, member_id, cursor=cursor, limit=_PAGE + 1)).items


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
        {
            "points": item.points,
            "on": item.activates_at.astimezone(zone).date() if item.activates_at else None,
            "act": item.act,
        }
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
        is_orders=tier.get("is_orders", False),
        unit=tier["unit"],
        currency=tier.get("currency"),
        buttons=[
            [Opens("check_in"), Opens("survey"), *([Opens("tier")] if tier["following"] else [])],
            *([[Opens("statement")]] if len(found.entries) == _SHOWN else []),
        ],
    )


@flow("statement", starts=[Keyword("积分明细", "明细", "statement", "points statement"), Button("statement")])
async def show_statement(chat: Chat, before: str = "") -> None:
    """Tells entry by entry what came and went, newest first, and offers older ones."""
    await chat.member()
    found = await chat.look(_entries, before)
    zone = ZoneInfo(await chat.look(zones.current))
    shown, this_year = found[:_PAGE], chat.now.astimezone(zone).year
    days = [item.at.astimezone(zone).date() for item in shown]
    entries = [
        {
            "on": day,
            "year": day.year if day.year != this_year else None,
            "points": item.points,
            "balance": item.balance,
            "kind": str(item.kind),
            "reason": item.reason,
        }
        for day, item in zip(days, shown, strict=True)
    ]
    older = [Opens("statement", str(shown[-1].sequence))] if len(found) > _PAGE else []
    await chat.say("points/statement", entries=entries, is_first=not before, buttons=[[*older, Opens("points")]])

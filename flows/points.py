"""Points: the balance, what runs out soon, the last entries, and how to get more."""

from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import service as points
from crm.points.types import WayToEarn
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow
from flows.steps import zones


async def _ways(session: AsyncSession, member_id: int, locale: str) -> list[WayToEarn]:
    del member_id
    return await points.how_to_earn(session, locale)


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
    zone = ZoneInfo(await chat.look(zones.current))
    expiring = [{"points": item.points, "on": item.at.astimezone(zone).date()} for item in found.expiring]
    entries = [
        {"on": item.at.astimezone(zone).date(), "points": item.points, "kind": str(item.kind), "reason": item.reason}
        for item in found.entries
    ]
    await chat.say(
        "points/summary",
        balance=found.balance,
        debt=found.debt,
        expiring=expiring,
        entries=entries,
        ways=ways,
        buttons=[[Opens("check_in"), Opens("survey")]],
    )

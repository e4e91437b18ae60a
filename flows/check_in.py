"""The daily check-in: points, streak, milestone, and the month at a glance."""

from datetime import date, datetime
from typing import Any

from crm.check_ins import service as check_ins
from crm.check_ins.types import CheckInResult
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow
from flows.steps import milestones, month

_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60


@flow(
    "check_in",
    starts=[
        Command("checkin"),
        Keyword("签到", "打卡", "check in", "check-in", "checkin"),
        Menu({"zh-CN": "📅 签到", "en": "📅 Check in"}),
        Button("check_in"),
    ],
)
async def check_in(chat: Chat) -> None:
    """Checks in once a local day, or says when to come back."""
    await chat.member()
    result = await chat.do(check_ins.check_in, channel=chat.channel)
    values = _values(result, chat.now)
    buttons = [[Opens("calendar")]] if result.has_programme else []
    if not result.is_new:
        await chat.say("check_in/already", **values, buttons=buttons)
    elif result.points + result.bonus > 0:
        await chat.say("check_in/done", **values, buttons=buttons)
    else:
        await chat.say("check_in/done_without_points", **values, buttons=buttons)


def _values(result: CheckInResult, now: datetime) -> dict[str, Any]:
    minutes = max(1, -int((now - result.next_at).total_seconds() // _SECONDS_PER_MINUTE))
    return {
        "points": result.points,
        "bonus": result.bonus,
        "pending": result.pending,
        "streak": result.streak,
        "milestone": result.milestone,
        "balance": result.balance,
        "hours": minutes // _MINUTES_PER_HOUR,
        "minutes": minutes % _MINUTES_PER_HOUR,
        "month": date(result.year, result.month, 1),
        "calendar": month.draw(result.year, result.month, result.calendar, result.filled),
        "has_filled": bool(result.filled),
        "saved": len(result.saved),
        "gifts": milestones.of_gifts(result.gifts),
    }

"""The calendar of check-ins, month by month, with the ways to fill missed days and to the leaderboard."""

import re
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import programmes
from crm.check_ins import service as check_ins
from crm.check_ins.types import Programme
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.steps import month as months

_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")


async def _programme(session: AsyncSession, member_id: int) -> Programme:
    """What operators offer is the same for everybody."""
    del member_id
    return await programmes.current(session)


@flow("calendar", starts=[Command("calendar"), Keyword("签到日历", "日历", "calendar"), Button("calendar")])
async def calendar(chat: Chat, wanted: str = "") -> None:
    """Shows a month, this one unless `wanted` names another such as 2026-02."""
    await chat.member()
    found = await chat.look(check_ins.calendar, _month(wanted))
    programme = await chat.look(_programme)
    first = date(found.year, found.month, 1)
    paging = []
    if found.has_earlier:
        paging.append(_page(date(found.year - (found.month == 1), (found.month - 2) % 12 + 1, 1), "◀ {}"))
    if not found.is_this_month:
        paging.append(_page(date(found.year + (found.month == 12), found.month % 12 + 1, 1), "{} ▶"))  # noqa: PLR2004 - December
    more = [Opens("make_up")] if programme.days_back else []
    more += [Opens("leaderboard")] if programme.has_leaderboard else []
    await chat.say(
        "calendar/shown",
        month=first,
        calendar=months.draw(found.year, found.month, found.days, found.filled),
        has_filled=bool(found.filled),
        is_this_month=found.is_this_month,
        streak=found.streak,
        best=found.best,
        total=found.total,
        badge=found.badge,
        buttons=[row for row in (paging, more) if row],
    )


def _month(wanted: str) -> date | None:
    found = _MONTH.fullmatch(wanted.strip())
    return None if found is None else date(int(found[1]), int(found[2]), 1)


def _page(first: date, label: str) -> Opens:
    named = f"{first:%Y-%m}"
    return Opens("calendar", named, label=label.format(named))

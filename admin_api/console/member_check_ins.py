"""A member's check-ins: the month, missed days to fill, and make-up cards."""

import calendar
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.api import check_ins as api
from admin_api.console.forms import Text, address, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.member_frame import HERE, actor_names, framed
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.check_ins import cards, filling
from crm.check_ins import service as check_ins
from crm.check_ins.types import CheckInCalendar
from crm.kit.errors import DomainError
from crm.members import service
from crm.operators.permissions import Permission

router = page_router(HERE)
_READ, _ASSIST = allow(Permission.CHECK_INS_READ), allow(Permission.CHECK_INS_ASSIST)
_PAGE = "members/check_ins"
_WEEKS = calendar.Calendar(firstweekday=calendar.MONDAY)


@router.get("/{member_id}/check-ins", dependencies=[_READ], name="member.check_ins_page")
async def check_ins_page(edge: EdgeOf, member_id: IdPath, month: Annotated[str, Query(max_length=10)] = "") -> Response:
    """The month that `month` (such as 2026-02) names, else this one."""
    return await render(edge, _PAGE, nav="members", **await _values(edge, member_id, month), form={})


@router.post("/{member_id}/check-ins/cards", dependencies=[_ASSIST], name="member.give_cards_by_form")
async def give_cards(edge: EdgeOf, member_id: IdPath, count: Text = "", reason: Text = "") -> Response:
    """As many as the member may still hold."""
    form = {"count": count, "reason": reason}
    try:
        await api.give_cards(edge, member_id, body_of(api.CardsBody, count=count, reason=reason))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, _PAGE, error, nav="members", **await _values(edge, member_id), form=form)
    return redirect(edge, f"{HERE}/{member_id}/check-ins", done="The cards are given.")


@router.post("/{member_id}/check-ins/make-ups", dependencies=[_ASSIST], name="member.make_up_by_form")
async def make_up(edge: EdgeOf, member_id: IdPath, day: Text = "", why: Text = "") -> Response:
    """Without a card, beyond the limits of the settings."""
    try:
        await api.make_up(edge, member_id, body_of(api.MakeUpBody, day=day, reason=why))
    except DomainError as error:
        await edge.session.rollback()
        values = {**await _values(edge, member_id), "form": {"day": day, "why": why}}
        return await again(edge, _PAGE, error, nav="members", **values)
    return redirect(edge, f"{HERE}/{member_id}/check-ins", done="The day is filled.")


async def _values(edge: Edge, member_id: int, month: str = "") -> dict[str, Any]:
    member = await service.get(edge.session, member_id)
    found = await check_ins.calendar(edge.session, member_id, _first(month))
    here, offer = f"{HERE}/{member_id}/check-ins", await filling.offered(edge.session, member_id)
    later = date(found.year + found.month // 12, found.month % 12 + 1, 1)
    earlier = date(found.year - (found.month == 1), (found.month - 2) % 12 + 1, 1)
    return {
        "found": found,
        "shown_month": date(found.year, found.month, 1),
        "weeks": [[_mark(day, found) for day in week] for week in _WEEKS.monthdayscalendar(found.year, found.month)],
        "earlier_href": address(here, month=f"{earlier:%Y-%m}") if found.has_earlier else "",
        "later_href": "" if found.is_this_month else address(here, month=f"{later:%Y-%m}"),
        "offer": offer,
        "moves": await cards.moves(edge.session, member_id),
        "badge_words": in_locale(edge.acting, found.badge),
        "actors": await actor_names(edge),
        **await framed(edge, member, "check_ins"),
    }


def _first(month: str) -> date | None:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        return None


def _mark(day: int, found: CheckInCalendar) -> dict[str, Any]:
    state = "checked" if day in found.days else "filled" if day in found.filled else ""
    return {"day": day or "", "state": state, "is_today": bool(day) and day == found.today}

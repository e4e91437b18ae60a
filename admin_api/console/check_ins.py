"""Check-ins: the settings with the milestones, one milestone, and the leaderboard."""

from typing import Annotated, Any

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import check_ins as api
from admin_api.console import check_in_values
from admin_api.console.check_in_values import MilestoneForm, ProgrammeForm
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.check_ins import leaderboards, programmes
from crm.check_ins.types import Board, Milestone
from crm.coupons.service import definitions as coupons
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission

HERE = f"{ROOT}/check-ins"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.CHECK_INS_READ), allow(Permission.CHECK_INS_WRITE)
_ASSIST = allow(Permission.CHECK_INS_ASSIST)
_NAV, _PLACES = "check_ins", 50
Posted = Annotated[ProgrammeForm, Form()]
PostedMilestone = Annotated[MilestoneForm, Form()]


@router.get("", dependencies=[_READ], name="check_in.page")
async def settings_page(edge: EdgeOf) -> Response:
    """What is offered now, and the milestones."""
    return await render(edge, "check_ins/settings", nav=_NAV, **await _settings(edge))


@router.post("", dependencies=[_WRITE], name="check_in.choose_by_form")
async def choose(edge: EdgeOf, posted: Posted) -> Response:
    """In force from now on."""
    try:
        await api.choose_settings(edge, check_in_values.programme_body(posted))
    except DomainError as error:
        await edge.session.rollback()
        values = {**await _settings(edge), "form": posted.model_dump()}
        return await again(edge, "check_ins/settings", error, nav=_NAV, **values)
    return redirect(edge, HERE, done="Saved.")


@router.get("/leaderboard", dependencies=[_READ], name="check_in.leaderboard_page")
async def leaderboard_page(edge: EdgeOf, board: Annotated[str, Query(max_length=10)] = "") -> Response:
    """The first places, as members see them."""
    chosen = Board(board) if board in {item.value for item in Board} else Board.WEEK
    is_on = (await programmes.current(edge.session)).has_leaderboard
    found = await leaderboards.show(edge.session, chosen, places=_PLACES) if is_on else None
    badges = {place.member_id: in_locale(edge.acting, place.badge) for place in found.places} if found else {}
    return await render(edge, "check_ins/leaderboard", nav=_NAV, found=found, board=chosen.value, badges=badges)


@router.post("/leaderboard/{member_id}/remove", dependencies=[_ASSIST], name="check_in.remove_leader_by_form")
async def remove(edge: EdgeOf, member_id: IdPath) -> Response:
    """At once; they may join again."""
    await api.remove_leader(edge, member_id)
    return redirect(edge, f"{HERE}/leaderboard", done="The member is on the board no more.")


@router.get("/milestones/new", dependencies=[_WRITE], name="check_in.new_milestone_page")
async def new_milestone_page(edge: EdgeOf) -> Response:
    """The form of a new milestone."""
    return await render(edge, "check_ins/milestone", nav=_NAV, **await _form(edge, None, MilestoneForm().model_dump()))


@router.post("/milestones", dependencies=[_WRITE], name="check_in.add_milestone_by_form")
async def add_milestone(edge: EdgeOf, posted: PostedMilestone) -> Response:
    """For every streak that reaches its day from now on."""
    try:
        await api.add_milestone(edge, check_in_values.milestone_body(posted))
    except DomainError as error:
        await edge.session.rollback()
        values = await _form(edge, None, posted.model_dump())
        return await again(edge, "check_ins/milestone", error, nav=_NAV, **values)
    return redirect(edge, HERE, done="The milestone is there.")


@router.get("/milestones/{milestone_id}", dependencies=[_WRITE], name="check_in.milestone_page")
async def milestone_page(edge: EdgeOf, milestone_id: IdPath) -> Response:
    """One milestone with its form."""
    found = await programmes.milestone(edge.session, milestone_id)
    values = await _form(edge, found, check_in_values.milestone_form(found))
    return await render(edge, "check_ins/milestone", nav=_NAV, **values)


@router.post("/milestones/{milestone_id}", dependencies=[_WRITE], name="check_in.change_milestone_by_form")
async def change_milestone(edge: EdgeOf, milestone_id: IdPath, posted: PostedMilestone) -> Response:
    """What was given before stays."""
    return await _changed(edge, milestone_id, posted, None)


@router.post("/milestones/{milestone_id}/switch", dependencies=[_WRITE], name="check_in.switch_milestone_by_form")
async def switch_milestone(edge: EdgeOf, milestone_id: IdPath, is_active: Annotated[bool, Form()] = False) -> Response:
    """Give it no more, or again."""
    return await _changed(edge, milestone_id, None, api.MilestoneChange(is_active=is_active))


async def _changed(
    edge: Edge, milestone_id: int, posted: MilestoneForm | None, body: api.MilestoneChange | None
) -> Response:
    try:
        change = body or check_in_values.milestone_change(posted or MilestoneForm())
        await api.change_milestone(edge, milestone_id, change)
    except DomainError as error:
        await edge.session.rollback()
        found = await programmes.milestone(edge.session, milestone_id)
        form = posted.model_dump() if posted else check_in_values.milestone_form(found)
        return await again(edge, "check_ins/milestone", error, nav=_NAV, **await _form(edge, found, form))
    return redirect(edge, HERE, done="Saved.")


async def _settings(edge: Edge) -> dict[str, Any]:
    programme, found = await programmes.current(edge.session), await programmes.milestones(edge.session)
    return {
        "programme": programme,
        "form": check_in_values.programme_form(programme),
        "milestones": found,
        "badges": {one.id: in_locale(edge.acting, one.badge) for one in found},
        "coupon_names": await _coupon_names(edge, active_only=False),
        "kinds": sorted(programmes.CARD_KINDS),
    }


async def _form(edge: Edge, milestone: Milestone | None, form: dict[str, Any]) -> dict[str, Any]:
    names = await _coupon_names(edge, active_only=True)
    return {"milestone": milestone, "form": form, "coupons": [{"value": k, "label": v} for k, v in names.items()]}


async def _coupon_names(edge: Edge, *, active_only: bool) -> dict[int, str]:
    found = await coupons.listing(edge.session, active_only=active_only)
    return {coupon.id: in_locale(edge.acting, coupon.name) for coupon in found}

"""Missions and badges: the lists, a new one, and one mission."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import missions as api
from admin_api.console import mission_values
from admin_api.console.forms import Text, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.mission_values import MissionForm
from admin_api.console.pages import again, redirect, render, say
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.coupons.service import definitions as coupons
from crm.draws.service import definitions as draws
from crm.draws.types import DrawStatus
from crm.events.catalogue import CATALOGUE
from crm.kit.errors import DomainError
from crm.missions.policy import COUNTED_KINDS
from crm.missions.service import badges, definitions
from crm.missions.types import Window
from crm.operators.permissions import Permission

HERE = f"{ROOT}/missions"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.MISSIONS_READ), allow(Permission.MISSIONS_WRITE)
Posted = Annotated[MissionForm, Form()]


@router.get("", dependencies=[_READ], name="mission.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Missions in their order, badges below."""
    return await render(edge, "missions/list", nav="missions", **await _lists(edge))


@router.get("/new", dependencies=[_WRITE], name="mission.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new mission."""
    form = MissionForm().model_dump()
    return await render(edge, "missions/form", nav="missions", form=form, mission=None, **await _choices(edge))


@router.post("", dependencies=[_WRITE], name="mission.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Counts from now on, or from its start."""
    try:
        mission = await api.create_mission(edge, await mission_values.new_body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        values = {"form": posted.model_dump(), "mission": None, **await _choices(edge)}
        return await again(edge, "missions/form", error, nav="missions", **values)
    return redirect(edge, f"{HERE}/{mission.id}", done="The mission is there.")


@router.post("/badges", dependencies=[_WRITE], name="badge.create_by_form")
async def create_badge(edge: EdgeOf, *, name_zh: Text = "", name_en: Text = "", emoji: Text = "") -> Response:
    """A badge; missions may give it."""
    names = {locale: text for locale, text in (("zh-CN", name_zh), ("en", name_en)) if text.strip()}
    try:
        await api.create_badge(edge, body_of(api.BadgeBody, name=names, emoji=emoji))
    except DomainError as error:
        await edge.session.rollback()
        typed = {"name_zh": name_zh, "name_en": name_en, "emoji": emoji}
        return await again(edge, "missions/list", error, nav="missions", **{**await _lists(edge), "typed": typed})
    return redirect(edge, HERE, done="The badge is there.")


@router.get("/{mission_id}", dependencies=[_READ], name="mission.page")
async def mission_page(edge: EdgeOf, mission_id: IdPath) -> Response:
    """One mission with what may be changed of it."""
    mission = await definitions.get(edge.session, mission_id)
    values = {"form": mission_values.form_of(mission), **await _one(edge, mission_id)}
    return await render(edge, "missions/form", nav="missions", **values)


@router.post("/{mission_id}", dependencies=[_WRITE], name="mission.change_by_form")
async def change(edge: EdgeOf, mission_id: IdPath, posted: Posted) -> Response:
    """What was completed before keeps what it gave."""
    try:
        await api.change_mission(edge, mission_id, mission_values.change_body(posted))
    except DomainError as error:
        await edge.session.rollback()
        values = {"form": posted.model_dump(), **await _one(edge, mission_id)}
        return await again(edge, "missions/form", error, nav="missions", **values)
    return redirect(edge, f"{HERE}/{mission_id}", done="Saved.")


@router.post("/{mission_id}/switch", dependencies=[_WRITE], name="mission.switch_by_form")
async def switch(edge: EdgeOf, mission_id: IdPath, is_active: Annotated[bool, Form()] = False) -> Response:
    """Offer it no more, or again."""
    await api.change_mission(edge, mission_id, api.MissionChange(is_active=is_active))
    return redirect(edge, f"{HERE}/{mission_id}", done="Saved.")


async def _lists(edge: Edge) -> dict[str, Any]:
    found, known = await definitions.listing(edge.session), await badges.listing(edge.session)
    return {
        "missions": found,
        "titles": {mission.id: in_locale(edge.acting, mission.name) for mission in found},
        "badges": known,
        "badge_titles": {badge.id: in_locale(edge.acting, badge.name) for badge in known},
        "typed": {"name_zh": "", "name_en": "", "emoji": "🏅"},
    }


async def _one(edge: Edge, mission_id: int) -> dict[str, Any]:
    mission = await definitions.get(edge.session, mission_id)
    steps = [(say(edge, CATALOGUE[step.event].title), step.count, mission_values.asked(step)) for step in mission.steps]
    heading = in_locale(edge.acting, mission.name)
    return {"mission": mission, "steps": steps, "heading": heading, **await _choices(edge)}


async def _choices(edge: Edge) -> dict[str, Any]:
    offered = await coupons.listing(edge.session, active_only=True)
    known = await badges.listing(edge.session)
    running = await draws.listing(edge.session, [DrawStatus.DRAFT, DrawStatus.OPEN])
    return {
        "coupons": [{"value": one.id, "label": in_locale(edge.acting, one.name)} for one in offered],
        "badges": [{"value": one.id, "label": f"{one.emoji} {in_locale(edge.acting, one.name)}"} for one in known],
        "draws": [{"value": one.id, "label": in_locale(edge.acting, one.name)} for one in running],
        "windows": [window.value for window in Window],
        "countable": {kind: CATALOGUE[kind].title for kind in sorted(COUNTED_KINDS) if kind in CATALOGUE},
    }

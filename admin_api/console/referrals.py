"""Referrals: programmes with their forms, the list of referrals, and the queue of what waits for a decision."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import referrals as api
from admin_api.console import referral_values
from admin_api.console.forms import Text, address, body_of
from admin_api.console.pages import again, redirect, render
from admin_api.console.referral_values import ProgrammeForm
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.referrals.service import programmes, standing
from crm.referrals.types import Status

router = page_router(f"{ROOT}/referrals")
HERE = f"{ROOT}/referrals"
_READ, _WRITE = allow(Permission.REFERRALS_READ), allow(Permission.REFERRALS_WRITE)
_REVIEW = allow(Permission.REFERRALS_REVIEW)
_NAV = "referrals"
_PAGE = 50
Posted = Annotated[ProgrammeForm, Form()]


@router.get("", dependencies=[_READ], name="referral_programme.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every programme."""
    waiting = await standing.page(edge.session, status=Status.REVIEW, limit=1)
    return await render(
        edge,
        "referrals/list",
        nav=_NAV,
        programmes=await programmes.listing(edge.session),
        has_reviews=bool(waiting.items),
    )


@router.get("/new", dependencies=[_WRITE], name="referral_programme.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new programme."""
    form = ProgrammeForm().model_dump()
    return await render(edge, "referrals/new", nav=_NAV, form=form, **await referral_values.choices(edge))


@router.post("", dependencies=[_WRITE], name="referral_programme.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Runs from now on, or from its start."""
    try:
        view = await api.create_programme(edge, await referral_values.new_body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        values = await referral_values.choices(edge)
        return await again(edge, "referrals/new", error, nav=_NAV, form=posted.model_dump(), **values)
    return redirect(edge, f"{HERE}/{view.programme.id}", done="The programme is there; members invite with /invite.")


@router.get("/all", dependencies=[_READ], name="referral.list_page")
async def referrals_page(
    edge: EdgeOf, status: Annotated[str, Query(max_length=20)] = "", cursor: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """Referrals, newest first; those in review with the form that decides."""
    return await render(edge, "referrals/all", nav=_NAV, **await _listed(edge, status, cursor))


@router.post("/all/{referral_id}/{verdict}", dependencies=[_REVIEW], name="referral.decide_by_form")
async def decide(edge: EdgeOf, referral_id: UUID, verdict: str, reason: Text = "") -> Response:
    """Approve, or reject with anything else."""
    try:
        body = body_of(api.Reason, reason=reason)
        if verdict == "approve":
            await api.approve_referral(edge, referral_id, body)
        else:
            await api.reject_referral(edge, referral_id, body)
    except DomainError as error:
        await edge.session.rollback()
        values = await _listed(edge, Status.REVIEW, "")
        return await again(edge, "referrals/all", error, nav=_NAV, decided=referral_id, **values)
    return redirect(edge, address(f"{HERE}/all", status=Status.REVIEW), done="Decided.")


@router.get("/{programme_id}", dependencies=[_READ], name="referral_programme.page")
async def programme_page(edge: EdgeOf, programme_id: IdPath) -> Response:
    """One programme with its figures and form."""
    values = await _detail(edge, programme_id)
    form = await referral_values.form_of(edge, values["programme"])
    return await render(edge, "referrals/detail", nav=_NAV, form=form, **values)


@router.post("/{programme_id}", dependencies=[_WRITE], name="referral_programme.change_by_form")
async def change(edge: EdgeOf, programme_id: IdPath, posted: Posted) -> Response:
    """Friends who are pending are judged by the new terms."""
    try:
        await api.change_programme(edge, programme_id, await referral_values.change_body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        values = await _detail(edge, programme_id)
        return await again(edge, "referrals/detail", error, nav=_NAV, form=posted.model_dump(), **values)
    return redirect(edge, f"{HERE}/{programme_id}", done="Saved.")


@router.post("/{programme_id}/switch", dependencies=[_WRITE], name="referral_programme.switch_by_form")
async def switch(edge: EdgeOf, programme_id: IdPath, is_active: Text = "true") -> Response:
    """End it, or let it run again."""
    try:
        await api.change_programme(edge, programme_id, api.ProgrammeChange(is_active=is_active == "true"))
    except DomainError as error:
        await edge.session.rollback()
        values = await _detail(edge, programme_id)
        form = await referral_values.form_of(edge, values["programme"])
        return await again(edge, "referrals/detail", error, nav=_NAV, form=form, **values)
    return redirect(edge, f"{HERE}/{programme_id}", done="Saved.")


async def _detail(edge: Edge, programme_id: int) -> dict[str, Any]:
    return {
        "programme": await programmes.get(edge.session, programme_id),
        "counts": {
            status.value: many for status, many in (await programmes.counts(edge.session, programme_id)).items()
        },
        **await referral_values.choices(edge),
    }


async def _listed(edge: Edge, status: str, cursor: str) -> dict[str, Any]:
    wanted = Status(status) if status in set(Status) else None
    found = await standing.page(edge.session, status=wanted, limit=_PAGE, cursor=cursor or None)
    following = address(f"{HERE}/all", status=status, cursor=found.next_cursor) if found.next_cursor else ""
    return {
        "referrals": found.items,
        "names": await standing.names(edge.session, found.items),
        "chosen": wanted.value if wanted else "",
        "statuses": [item.value for item in Status],
        "next_href": following,
    }

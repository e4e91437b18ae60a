"""Journeys: list, form, detail with its steps, figures and members."""

from typing import Annotated, Any

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import journeys as api
from admin_api.console import journey_triggers, message_forms
from admin_api.console.journey_forms import EMPTY, JourneyForm, form_of, graph_of, trigger_of
from admin_api.console.journey_values import detail_values, names_of, trigger_words
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.coupons.service import definitions as coupons
from crm.journeys import service
from crm.journeys.nodes.send import SendParameters
from crm.journeys.triggers import every_sample, samples
from crm.journeys.types import Journey
from crm.kit.errors import DomainError, NotFoundError
from crm.operators.permissions import Permission
from crm.segments import service as segments

router = page_router(f"{ROOT}/journeys")
HERE = f"{ROOT}/journeys"
_READ, _WRITE = allow(Permission.JOURNEYS_READ), allow(Permission.JOURNEYS_WRITE)
_MANY = 200
Posted = Annotated[JourneyForm, Form()]


class NodeNotFoundError(NotFoundError):
    """This journey has no such message."""


@router.get("", dependencies=[_READ], name="journey.list_page")
async def list_page(edge: EdgeOf, archived: bool = False, cursor: Cursor = None) -> Response:
    """Every journey with its figures."""
    page = await service.listing(edge.session, with_archived=archived, cursor=cursor)
    shown: dict[str, Any] = {
        "page": page,
        "archived": archived,
        "counts": {item.id: await service.counts(edge.session, item.id) for item in page.items},
        "triggers": {item.id: trigger_words(edge, item) for item in page.items},
        "names": names_of(edge, page.items),
    }
    return await render(edge, "journeys/list", nav="journeys", cursor=cursor, **shown)


@router.get("/new", dependencies=[_WRITE], name="journey.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """An empty form."""
    return await render(edge, "journeys/form", nav="journeys", journey=None, form=EMPTY, **await _editor(edge))


@router.post("", dependencies=[_WRITE], name="journey.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Save a draft."""
    try:
        trigger = trigger_of(posted)
        graph = await graph_of(edge, posted, trigger)
        wanted = api.NewJourney.model_construct(name=posted.name, trigger=trigger, graph=graph)
        journey = await api.create_journey(edge, wanted)
    except DomainError as error:
        return await _again(edge, error, None, posted)
    return redirect(
        edge, f"{HERE}/{journey.id}", done="The journey is saved. It takes in nobody until it is activated."
    )


@router.post("/preview", dependencies=[_WRITE], name="journey.preview_typed_piece")
async def preview_typed(edge: EdgeOf, body: message_forms.PreviewBody) -> Response:
    """The typed message in a phone, with made-up values for what any trigger might say; nothing is saved."""
    edge.is_question = True
    return await render(edge, "messages/preview", **await message_forms.typed_preview(edge, body, every_sample()))


@router.get("/{journey_id}", dependencies=[_READ], name="journey.page")
async def journey_page(
    edge: EdgeOf, journey_id: IdPath, cursor: Cursor = None, version: Annotated[int, Query(ge=0, le=10**6)] = 0
) -> Response:
    """Steps, figures and members; earlier versions can be looked at."""
    values = await detail_values(edge, journey_id, cursor=cursor, version=version)
    return await render(edge, "journeys/detail", nav="journeys", cursor=cursor, **values)


@router.get("/{journey_id}/preview/{version}/{node}", dependencies=[_READ], name="journey.preview_piece")
async def preview_piece(edge: EdgeOf, journey_id: IdPath, version: IdPath, node: str, member_id: str = "") -> Response:
    """The message of one step as a member sees it."""
    trigger = (await service.get(edge.session, journey_id)).trigger
    spec = (await service.graph_of(edge.session, journey_id, version)).nodes.get(node)
    if spec is None or spec.kind != "send":
        raise NodeNotFoundError
    content = SendParameters.model_validate(spec.parameters).message
    return await render(
        edge, "messages/preview", **await message_forms.preview(edge, content, member_id, begun=samples(trigger))
    )


@router.get("/{journey_id}/edit", dependencies=[_WRITE], name="journey.edit_page")
async def edit_page(edge: EdgeOf, journey_id: IdPath) -> Response:
    """The form with what is saved."""
    journey = await service.get(edge.session, journey_id)
    form = form_of(journey)
    if form is None:
        return redirect(edge, f"{HERE}/{journey_id}", done="This journey has more steps than the form can show.")
    return await render(edge, "journeys/form", nav="journeys", journey=journey, form=form, **await _editor(edge))


@router.post("/{journey_id}", dependencies=[_WRITE], name="journey.change_by_form")
async def change(edge: EdgeOf, journey_id: IdPath, posted: Posted) -> Response:
    """Save a new version; members on their way keep theirs."""
    journey = await service.get(edge.session, journey_id)
    try:
        trigger = trigger_of(posted)
        graph = await graph_of(edge, posted, trigger)
        is_same = trigger == journey.trigger and graph == journey.graph
        changed: dict[str, Any] = {} if is_same else {"trigger": trigger, "graph": graph}
        await api.change_journey(edge, journey_id, api.JourneyChange.model_construct(name=posted.name, **changed))
    except DomainError as error:
        return await _again(edge, error, journey, posted)
    return redirect(edge, f"{HERE}/{journey_id}", done="The journey is saved.")


@router.post("/{journey_id}/activate", dependencies=[_WRITE], name="journey.activate_by_form")
async def activate(edge: EdgeOf, journey_id: IdPath) -> Response:
    """Takes in members from now on."""
    try:
        await api.activate_journey(edge, journey_id)
    except DomainError as error:
        return await _refused(edge, journey_id, error)
    return redirect(edge, f"{HERE}/{journey_id}", done="The journey is active.")


@router.post("/{journey_id}/pause", dependencies=[_WRITE], name="journey.pause_by_form")
async def pause(edge: EdgeOf, journey_id: IdPath) -> Response:
    """Members on their way wait."""
    try:
        await api.pause_journey(edge, journey_id)
    except DomainError as error:
        return await _refused(edge, journey_id, error)
    return redirect(edge, f"{HERE}/{journey_id}", done="The journey is paused.")


@router.post("/{journey_id}/archive", dependencies=[_WRITE], name="journey.archive_by_form")
async def archive(edge: EdgeOf, journey_id: IdPath) -> Response:
    """Out of the lists."""
    try:
        await api.change_journey(edge, journey_id, api.JourneyChange(is_archived=True))
    except DomainError as error:
        return await _refused(edge, journey_id, error)
    return redirect(edge, HERE, done="The journey is archived.")


@router.post("/{journey_id}/unarchive", dependencies=[_WRITE], name="journey.unarchive_by_form")
async def unarchive(edge: EdgeOf, journey_id: IdPath) -> Response:
    """Into the lists again."""
    await api.change_journey(edge, journey_id, api.JourneyChange(is_archived=False))
    return redirect(edge, f"{HERE}/{journey_id}", done="The journey is back.")


async def _editor(edge: Edge) -> dict[str, Any]:
    found = await segments.listing(edge.session, limit=_MANY)
    offered = {**await message_forms.composer_values(edge), **await message_forms.sending_options(edge)}
    return {
        **offered,
        "segments": found.items,
        "coupons": [
            {"value": item.id, "label": in_locale(edge.acting, item.name)}
            for item in await coupons.listing(edge.session)
            if item.is_active
        ],
        "preview_url": f"{HERE}/preview",
        **journey_triggers.offered(edge),
    }


async def _again(edge: Edge, error: DomainError, journey: Journey | None, posted: JourneyForm) -> Response:
    values = await _editor(edge)
    return await again(edge, "journeys/form", error, nav="journeys", journey=journey, form=posted.shown(), **values)


async def _refused(edge: Edge, journey_id: int, error: DomainError) -> Response:
    await edge.session.rollback()
    values = await detail_values(edge, journey_id, cursor=None, version=0)
    return await again(edge, "journeys/detail", error, nav="journeys", **values)

"""Campaigns: list, composer, detail with its live progress, recipients."""

from typing import Annotated, Any

from fastapi import Form, Query, Response
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import campaigns as api
from admin_api.console import json_fields, message_forms, typed
from admin_api.console.campaign_values import detail_values, progress_values, reason_words, segment_names
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.campaigns import service
from crm.campaigns.service import SOURCE
from crm.campaigns.types import Campaign, CampaignStatus
from crm.deliveries import service as deliveries
from crm.deliveries.types import Delivery, DeliveryState
from crm.kit.errors import DomainError, NotFoundError
from crm.kit.paging import Page
from crm.messages import recipients
from crm.messages import service as messages
from crm.operators.permissions import Permission
from crm.segments import service as segments

router = page_router(f"{ROOT}/campaigns")
HERE = f"{ROOT}/campaigns"
_READ, _WRITE = allow(Permission.CAMPAIGNS_READ), allow(Permission.CAMPAIGNS_WRITE)
_EMPTY: dict[str, Any] = {"text": {}, "buttons": []}
_MANY = 200
Text = Annotated[str, Field(max_length=2000)]


class CampaignForm(BaseModel):
    """What the composer's form posts."""

    name: Text = ""
    segment_id: Text = ""
    message: Annotated[str, Field(max_length=json_fields.MOST_CHARACTERS)] = ""
    topic: Text = "news"
    message_class: Text = ""
    send_before: Text = ""
    max_lateness_minutes: Text = ""


Posted = Annotated[CampaignForm, Form()]


@router.get("", dependencies=[_READ], name="campaign.list_page")
async def list_page(
    edge: EdgeOf,
    *,
    query: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    archived: bool = False,
    cursor: Cursor = None,
) -> Response:
    """Every campaign, newest first."""
    wanted = CampaignStatus(status) if status in set(CampaignStatus) else None
    page = await service.listing(edge.session, status=wanted, query=query, with_archived=archived, cursor=cursor)
    names = await segment_names(edge, page.items)
    shown: dict[str, Any] = {
        "page": page,
        "segment_names": names,
        "query": query,
        "chosen": status,
        "archived": archived,
    }
    return await render(edge, "campaigns/list", nav="campaigns", cursor=cursor, statuses=list(CampaignStatus), **shown)


@router.get("/new", dependencies=[_WRITE], name="campaign.new_page")
async def new_page(edge: EdgeOf, segment_id: int = 0, template_id: int = 0) -> Response:
    """The composer, perhaps with a segment or a message of the library."""
    form: dict[str, Any] = {**CampaignForm().model_dump(), "message": _EMPTY, "message_class": "marketing"}
    form["segment_id"] = segment_id or ""
    if template_id:
        template = await messages.get_template(edge.session, template_id)
        form |= {"name": template.name, "message": message_forms.composer_message(template.content)}
    return await render(edge, "campaigns/form", nav="campaigns", campaign=None, form=form, **await _editor(edge))


@router.post("", dependencies=[_WRITE], name="campaign.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Save a draft."""
    form = posted.model_dump()
    try:
        campaign = await api.create_campaign(edge, api.NewCampaignBody.model_construct(**await _read(edge, form)))
    except DomainError as error:
        return await _again(edge, error, None, form)
    return redirect(edge, f"{HERE}/{campaign.id}", done="The draft is saved. Send yourself a test, then launch it.")


@router.get("/{campaign_id}", dependencies=[_READ], name="campaign.page")
async def campaign_page(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """How it stands, what it says, what can be done with it."""
    values = await detail_values(edge, campaign_id)
    options = {"readers": await message_forms.readers(edge), **await message_forms.sending_options(edge)}
    return await render(edge, "campaigns/detail", nav="campaigns", **values, **options)


@router.get("/{campaign_id}/progress", dependencies=[_READ], name="campaign.progress_piece")
async def progress_piece(edge: EdgeOf, campaign_id: IdPath, status: str = "") -> Response:
    """The live piece alone; a changed status loads the page anew, for other actions are possible then."""
    progress = await service.progress(edge.session, campaign_id)
    if status and status != progress.campaign.status:
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return await render(edge, "campaigns/progress", **await progress_values(edge, progress))


@router.get("/{campaign_id}/figures", dependencies=[_READ], name="campaign.figures_piece")
async def figures_piece(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """A small meter for lists."""
    progress = await service.progress(edge.session, campaign_id)
    return await render(edge, "campaigns/figures", **await progress_values(edge, progress))


@router.get("/{campaign_id}/preview", dependencies=[_READ], name="campaign.preview_piece")
async def preview_piece(edge: EdgeOf, campaign_id: IdPath, member_id: str = "") -> Response:
    """The message as a member sees it."""
    campaign = await service.get(edge.session, campaign_id)
    shown = await message_forms.preview(edge, campaign.message, member_id)
    return await render(edge, "messages/preview", **shown)


@router.get("/{campaign_id}/edit", dependencies=[_WRITE], name="campaign.edit_page")
async def edit_page(edge: EdgeOf, campaign_id: IdPath) -> Response:
    """The composer with what is saved; only a draft can be changed."""
    campaign = await service.get(edge.session, campaign_id)
    if campaign.status is not CampaignStatus.DRAFT:
        return redirect(edge, f"{HERE}/{campaign_id}", done="Only a draft can be changed; clone it instead.")
    form = {**vars(campaign), "message": message_forms.composer_message(campaign.message)}
    return await render(edge, "campaigns/form", nav="campaigns", campaign=campaign, form=form, **await _editor(edge))


@router.post("/{campaign_id}", dependencies=[_WRITE], name="campaign.change_by_form")
async def change(edge: EdgeOf, campaign_id: IdPath, posted: Posted) -> Response:
    """Save the draft."""
    campaign = await service.get(edge.session, campaign_id)
    form = posted.model_dump()
    try:
        wanted = api.CampaignChange.model_construct(**await _read(edge, form))
        await api.change_campaign(edge, campaign_id, wanted)
    except DomainError as error:
        return await _again(edge, error, campaign, form)
    return redirect(edge, f"{HERE}/{campaign_id}", done="The draft is saved.")


@router.get("/{campaign_id}/recipients", dependencies=[_READ], name="campaign.recipients_page")
async def recipients_page(
    edge: EdgeOf, campaign_id: IdPath, state: Annotated[str, Query(max_length=20)] = "", cursor: Cursor = None
) -> Response:
    """Who was to get it, with state and reason."""
    campaign = await service.get(edge.session, campaign_id)
    wanted = DeliveryState(state) if state in set(DeliveryState) else None
    page: Page[Delivery] = Page([], None)
    if campaign.started_at is not None:
        page = await deliveries.recipients(edge.session, SOURCE, campaign_id, state=wanted, cursor=cursor)
    found = await recipients.recipients(edge.session, [item.member_id for item in page.items])
    shown: dict[str, Any] = {
        "campaign": campaign,
        "page": page,
        "names": {member_id: item.member["name"] for member_id, item in found.items()},
        "reasons": {item.reason: reason_words(edge, item.reason) for item in page.items if item.reason},
        "states": list(DeliveryState),
        "state": state,
    }
    return await render(edge, "campaigns/recipients", nav="campaigns", cursor=cursor, **shown)


async def _editor(edge: Edge) -> dict[str, Any]:
    found = await segments.listing(edge.session, limit=_MANY)
    library = await messages.list_templates(edge.session, limit=_MANY)
    values = {"segments": found.items, "library": library}
    return {**values, **await message_forms.composer_values(edge), **await message_forms.sending_options(edge)}


async def _read(edge: Edge, form: dict[str, str]) -> dict[str, Any]:
    """The form as the API's fields. Raises what is wrong with it."""
    return {
        "name": form["name"],
        "segment_id": typed.chosen(form["segment_id"]),
        "message": message_forms.typed_message(form["message"]),
        "topic": form["topic"],
        "message_class": message_forms.message_class(form["message_class"]),
        "send_before": await typed.moment(edge, form["send_before"]),
        "max_lateness_minutes": typed.whole(form["max_lateness_minutes"], 60),
    }


async def _again(edge: Edge, error: DomainError, campaign: Campaign | None, form: dict[str, str]) -> Response:
    if isinstance(error, NotFoundError):
        error = typed.NothingChosenError()
    shown = {**form, "message": json_fields.read_or(form["message"], _EMPTY)}
    values = await _editor(edge)
    return await again(edge, "campaigns/form", error, nav="campaigns", campaign=campaign, form=shown, **values)

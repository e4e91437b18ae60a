"""The library of messages, and the previews that every composer asks for."""

from typing import Annotated, Any

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import messages as api
from admin_api.console import json_fields, message_forms
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.kit.errors import DomainError
from crm.kit.paging import decode_cursor, page_of
from crm.messages import service
from crm.messages.service import SavedTemplate
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/messages")
HERE = f"{ROOT}/messages"
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
_EMPTY: dict[str, Any] = {"text": {}, "buttons": []}
_PAGE = 50
Text = Annotated[str, Form(max_length=2000)]


@router.get("", dependencies=[_READ], name="template.list_page")
async def list_page(edge: EdgeOf, archived: bool = False, cursor: Cursor = None) -> Response:
    """Every message of the library, oldest first."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    found = await service.list_templates(edge.session, with_archived=archived, after_id=after, limit=_PAGE + 1)
    page = page_of(found, _PAGE, lambda item: item, lambda item: (item.id,))
    return await render(edge, "messages/list", nav="messages", page=page, archived=archived, cursor=cursor)


@router.get("/new", dependencies=[_WRITE], name="template.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """An empty composer."""
    return await _form(edge, None, {"name": "", "message": _EMPTY})


@router.get("/readers", dependencies=[allow(Permission.MEMBERS_READ)], name="message.readers_piece")
async def readers_piece(edge: EdgeOf, reader_query: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Members whom a preview can be for, as options."""
    return await render(edge, "messages/readers", readers=await message_forms.readers(edge, reader_query))


@router.post("/preview", dependencies=[_READ], name="message.preview_piece")
async def preview_piece(edge: EdgeOf, body: message_forms.PreviewBody) -> Response:
    """The message in a phone, drawn by the code that sends; nothing is saved."""
    edge.is_question = True
    return await render(edge, "messages/preview", **await message_forms.typed_preview(edge, body))


@router.post("", dependencies=[_WRITE], name="template.create_by_form")
async def create(edge: EdgeOf, name: Text = "", message: message_forms.MessageField = "") -> Response:
    """Keep a message under a name."""
    try:
        wanted = api.NewTemplate.model_construct(name=name, message=message_forms.typed_message(message))
        template = await api.create_template(edge, wanted)
    except DomainError as error:
        return await _again(edge, error, None, name, message)
    return redirect(edge, f"{HERE}/{template.id}", done="The message is saved.")


@router.get("/{template_id}", dependencies=[_READ], name="template.page")
async def template_page(edge: EdgeOf, template_id: IdPath) -> Response:
    """One message: for those who may, in the composer."""
    template = await service.get_template(edge.session, template_id)
    if not edge.may(Permission.MESSAGES_WRITE) or template.is_archived:
        readers = await message_forms.readers(edge)
        return await render(edge, "messages/detail", nav="messages", saved=template, readers=readers)
    form = {"name": template.name, "message": message_forms.composer_message(template.content)}
    return await _form(edge, template, form)


@router.get("/{template_id}/preview", dependencies=[_READ], name="template.preview_piece")
async def template_preview(edge: EdgeOf, template_id: IdPath, member_id: str = "") -> Response:
    """The saved message in a phone."""
    template = await service.get_template(edge.session, template_id)
    return await render(edge, "messages/preview", **await message_forms.preview(edge, template.content, member_id))


@router.post("/{template_id}", dependencies=[_WRITE], name="template.change_by_form")
async def change(
    edge: EdgeOf, template_id: IdPath, name: Text = "", message: message_forms.MessageField = ""
) -> Response:
    """Save the composer; what used the message keeps the text that it had."""
    template = await service.get_template(edge.session, template_id)
    try:
        wanted = api.TemplateChange.model_construct(name=name, message=message_forms.typed_message(message))
        await api.change_template(edge, template_id, wanted)
    except DomainError as error:
        return await _again(edge, error, template, name, message)
    return redirect(edge, f"{HERE}/{template_id}", done="The message is saved.")


@router.post("/{template_id}/archive", dependencies=[_WRITE], name="template.archive_by_form")
async def archive(edge: EdgeOf, template_id: IdPath) -> Response:
    """Out of the library."""
    await api.change_template(edge, template_id, api.TemplateChange(is_archived=True))
    return redirect(edge, HERE, done="The message is archived.")


@router.post("/{template_id}/unarchive", dependencies=[_WRITE], name="template.unarchive_by_form")
async def unarchive(edge: EdgeOf, template_id: IdPath) -> Response:
    """Into the library again."""
    await api.change_template(edge, template_id, api.TemplateChange(is_archived=False))
    return redirect(edge, f"{HERE}/{template_id}", done="The message is back.")


async def _form(edge: Edge, template: SavedTemplate | None, form: dict[str, Any]) -> Response:
    values = await message_forms.composer_values(edge)
    return await render(edge, "messages/form", nav="messages", saved=template, form=form, **values)


async def _again(edge: Edge, error: DomainError, template: SavedTemplate | None, name: str, message: str) -> Response:
    form = {"name": name, "message": json_fields.read_or(message, _EMPTY)}
    values = await message_forms.composer_values(edge)
    return await again(edge, "messages/form", error, nav="messages", saved=template, form=form, **values)

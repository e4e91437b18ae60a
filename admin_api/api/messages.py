"""The operators' library of messages, and previews by the renderer that sends."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.message_bodies import MessageBody, content_of
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, PageOf, page_from
from crm.kit.paging import decode_cursor
from crm.messages import service
from crm.messages.service import SavedTemplate
from crm.messages.types import Outbound
from crm.operators.permissions import Permission

router = api_router("/api/v1/messages", "Messages")
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewTemplate(Body):
    """A message under a name."""

    name: Name
    message: MessageBody


class TemplateChange(Body):
    """Fields to change; what is left out stays."""

    name: Name | None = None
    message: MessageBody | None = None
    is_archived: bool | None = None


class PreviewOf(Body):
    """A message, and the member who would read it."""

    message: MessageBody
    member_id: Id


class PreviewView(BaseModel):
    """What the member would see."""

    message: Outbound


@router.post("/preview", dependencies=[_READ], name="message.preview", summary="Preview a message as a member sees it")
async def preview(edge: EdgeOf, body: PreviewOf) -> PreviewView:
    """Rendered by the code that sends; nothing is saved."""
    content = await content_of(edge.session, body.message)
    return PreviewView(message=await service.preview(edge.session, content, body.member_id))


@router.get("/templates", dependencies=[_READ], name="template.list", summary="List message templates")
async def list_templates(
    edge: EdgeOf, with_archived: Annotated[bool, Query()] = False, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[SavedTemplate]:
    """Oldest first."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    found = await service.list_templates(edge.session, with_archived=with_archived, after_id=after, limit=limit + 1)
    return page_from(found, limit, lambda template: template, lambda template: (template.id,))


@router.post("/templates", dependencies=[_WRITE], name="template.create", summary="Save a template", status_code=201)
async def create_template(edge: EdgeOf, body: NewTemplate) -> SavedTemplate:
    """Every fault of the text is named with its place."""
    content = await content_of(edge.session, body.message)
    template = await service.create_template(edge.session, body.name, content)
    edge.note("template.create", f"template:{template.id}", after={"name": template.name})
    return template


@router.get("/templates/{template_id}", dependencies=[_READ], name="template.read", summary="Read a template")
async def read_template(edge: EdgeOf, template_id: IdPath) -> SavedTemplate:
    """One message of the library."""
    return await service.get_template(edge.session, template_id)


@router.patch("/templates/{template_id}", dependencies=[_WRITE], name="template.change", summary="Change a template")
async def change_template(edge: EdgeOf, template_id: IdPath, body: TemplateChange) -> SavedTemplate:
    """What used it keeps the text that it had."""
    content = await content_of(edge.session, body.message) if body.message else None
    template = await service.get_template(edge.session, template_id)
    if body.name is not None or content is not None:
        template = await service.change_template(edge.session, template_id, name=body.name, content=content)
    if body.is_archived is not None:
        template = await service.archive_template(edge.session, template_id, is_archived=body.is_archived)
    edge.note("template.change", f"template:{template_id}", after={"fields": sorted(body.model_fields_set)})
    return template

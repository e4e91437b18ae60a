"""Fields that a brand adds to its members: list, form, archive."""

from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.forms import Text, parts
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.kit.errors import DomainError, NotFoundError
from crm.members import attributes
from crm.members.attributes import AttributeDefinition, AttributeType
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/settings/attributes")
HERE = f"{ROOT}/settings/attributes"
_READ, _WRITE = allow(Permission.BRAND_READ), allow(Permission.BRAND_WRITE)


class AttributeNotFound(NotFoundError):
    """There is no such attribute."""


async def _values(edge: Edge) -> dict[str, Any]:
    return {
        "definitions": await attributes.definitions(edge.session, with_archived=True),
        "types": list(AttributeType),
    }


async def _one(edge: Edge, key: str) -> AttributeDefinition:
    found = [item for item in await attributes.definitions(edge.session, with_archived=True) if item.key == key]
    if not found:
        raise AttributeNotFound
    return found[0]


@router.get("", dependencies=[_READ], name="attribute.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """All attributes, archived ones too, and the form of a new one."""
    return await render(edge, "settings/attributes", nav="settings", **await _values(edge))


@router.post("", dependencies=[_WRITE], name="attribute.define")
async def define(
    edge: EdgeOf,
    *,
    key: Text = "",
    label_zh: Text = "",
    label_en: Text = "",
    type: Text = "text",  # noqa: A002 - the name in the form
    choices: Text = "",
    is_personal: Text = "",
) -> Response:
    """A new attribute; its type and secrecy stay as they are for ever."""
    labels = _labels(label_zh, label_en)
    try:
        made = await attributes.define(
            edge.session, key.strip(), label=labels, type=type, choices=parts([choices]), is_personal=bool(is_personal)
        )
    except DomainError as error:
        await edge.session.rollback()
        typed = {
            "key": key,
            "label_zh": label_zh,
            "label_en": label_en,
            "type": type,
            "choices": choices,
            "is_personal": is_personal,
        }
        return await again(edge, "settings/attributes", error, nav="settings", typed=typed, **await _values(edge))
    edge.note("attribute.define", f"attribute:{made.key}", after={"type": made.type, "is_personal": made.is_personal})
    return redirect(edge, HERE, done="The attribute is there.")


@router.get("/{key}", dependencies=[_READ], name="attribute.page")
async def attribute_page(edge: EdgeOf, key: str) -> Response:
    """One attribute."""
    return await render(edge, "settings/attribute", nav="settings", item=await _one(edge, key))


@router.post("/{key}", dependencies=[_WRITE], name="attribute.change")
async def change(edge: EdgeOf, key: str, label_zh: Text = "", label_en: Text = "", choices: Text = "") -> Response:
    """Other labels or choices."""
    before = await _one(edge, key)
    try:
        kept = parts([choices]) if before.type is AttributeType.CHOICE else None
        await attributes.change_definition(edge.session, key, label=_labels(label_zh, label_en), choices=kept)
    except DomainError as error:
        await edge.session.rollback()
        typed = {"label_zh": label_zh, "label_en": label_en, "choices": choices}
        return await again(edge, "settings/attribute", error, nav="settings", item=before, typed=typed)
    edge.note("attribute.change", f"attribute:{key}", before={"choices": before.choices}, after={"choices": kept})
    return redirect(edge, f"{HERE}/{key}", done="Saved.")


@router.post("/{key}/archive", dependencies=[_WRITE], name="attribute.archive")
async def archive(edge: EdgeOf, key: str, is_archived: Text = "true") -> Response:
    """Offer it no more, or again; values stay where they are."""
    await _one(edge, key)
    is_wanted = is_archived == "true"
    await attributes.change_definition(edge.session, key, is_archived=is_wanted)
    edge.note("attribute.archive", f"attribute:{key}", after={"is_archived": is_wanted})
    return redirect(edge, HERE, done="Saved.")


def _labels(label_zh: str, label_en: str) -> dict[str, str]:
    return {locale: text for locale, text in (("zh-CN", label_zh), ("en", label_en)) if text.strip()}

"""What operators want to know of members: typed attributes."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, PageOf
from crm.members import attributes
from crm.members.attributes import AttributeDefinition, AttributeType
from crm.operators.permissions import Permission

router = api_router("/api/v1/attributes", "Attributes")
_READ, _WRITE = allow(Permission.MEMBERS_READ), allow(Permission.MEMBERS_WRITE)
Key = Annotated[str, Path(min_length=1, max_length=64)]
Label = Annotated[dict[str, str], Field(max_length=8, examples=[{"en": "City", "zh-CN": "城市"}])]
Choices = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=200)]


class NewAttribute(Body):
    """An attribute to be kept of members; `is_personal` seals its values."""

    key: Annotated[str, Field(min_length=1, max_length=64, examples=["city"])]
    label: Label
    type: AttributeType
    choices: Choices | None = None
    is_personal: bool = False


class AttributeChange(Body):
    """Fields to change; type and secrecy stay, because values exist."""

    label: Label | None = None
    choices: Choices | None = None
    is_archived: bool | None = None


@router.get("", dependencies=[_READ], name="attribute.list", summary="List attributes")
async def list_attributes(edge: EdgeOf, *, with_archived: bool = False) -> PageOf[AttributeDefinition]:
    """All of them, by key; there are few."""
    return PageOf(items=await attributes.definitions(edge.session, with_archived=with_archived))


@router.post("", dependencies=[_WRITE], name="attribute.define", summary="Define an attribute", status_code=201)
async def define(edge: EdgeOf, body: NewAttribute) -> AttributeDefinition:
    """From now on members can carry it."""
    made = await attributes.define(
        edge.session,
        body.key,
        label=body.label,
        type=body.type,
        choices=body.choices,
        is_personal=body.is_personal,
    )
    edge.note("attribute.define", f"attribute:{made.key}", after=body.model_dump(mode="json"))
    return made


@router.patch("/{key}", dependencies=[_WRITE], name="attribute.change", summary="Change an attribute")
async def change(edge: EdgeOf, key: Key, body: AttributeChange) -> AttributeDefinition:
    """Label, choices, archived or not."""
    values = body.model_dump(exclude_unset=True)
    changed = await attributes.change_definition(edge.session, key, **values)
    edge.note("attribute.change", f"attribute:{key}", after=values)
    return changed

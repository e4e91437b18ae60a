"""Tags, and the rules that put them on members."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, PageOf
from crm.operators.permissions import Permission
from crm.tags import rules, service
from crm.tags.types import Tag, TagRule

router = api_router("/api/v1/tags", "Tags")
_READ, _WRITE = allow(Permission.TAGS_READ), allow(Permission.TAGS_WRITE)
Label = Annotated[str, Field(min_length=1, max_length=200, examples=["likes:oolong"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Where = Annotated[dict[str, Any], Field(max_length=20, description="By field of the event's data.")]


class TagView(BaseModel):
    """A label for members."""

    id: int
    tag: str
    group: str
    name: str
    is_archived: bool
    members_count: int


class NewTag(Body):
    """`group:name`, or a name alone."""

    tag: Label


class TagChange(Body):
    """Another name, or archived or not."""

    tag: Label | None = None
    is_archived: bool | None = None


class NewTagRule(Body):
    """When an event of this kind and data is recorded, its member gets the tag."""

    name: Name
    event_kind: Annotated[str, Field(max_length=100, examples=["order_placed"])]
    tag: Label
    where: Annotated[Where, Field(default_factory=dict)]


class TagRuleChange(Body):
    """Fields to change; what is left out stays."""

    name: Name | None = None
    tag: Label | None = None
    where: Where | None = None
    is_active: bool | None = None


def tag_view(tag: Tag) -> TagView:
    """As the API shows a tag."""
    return TagView(**vars(tag), tag=tag.label)


@router.get("", dependencies=[_READ], name="tag.list", summary="List tags")
async def list_tags(edge: EdgeOf, with_archived: Annotated[bool, Query()] = False) -> PageOf[TagView]:
    """By group and name, each with how many members carry it."""
    found = await service.listing(edge.session, with_archived=with_archived)
    return PageOf(items=[tag_view(tag) for tag in found])


@router.post("", dependencies=[_WRITE], name="tag.create", summary="Make a tag", status_code=201)
async def create_tag(edge: EdgeOf, body: NewTag) -> TagView:
    """A tag that nobody carries yet."""
    tag = await service.create(edge.session, body.tag)
    edge.note("tag.create", f"tag:{tag.id}", after={"tag": tag.label})
    return tag_view(tag)


@router.get("/rules", dependencies=[_READ], name="tag_rule.list", summary="List tag rules")
async def list_rules(edge: EdgeOf) -> PageOf[TagRule]:
    """By id."""
    return PageOf(items=await rules.listing(edge.session))


@router.post("/rules", dependencies=[_WRITE], name="tag_rule.create", summary="Make a tag rule", status_code=201)
async def create_rule(edge: EdgeOf, body: NewTagRule) -> TagRule:
    """Applies to events from now on."""
    rule = await rules.create(edge.session, name=body.name, event_kind=body.event_kind, tag=body.tag, where=body.where)
    edge.note("tag_rule.create", f"tag_rule:{rule.id}", after=body.model_dump(mode="json"))
    return rule


@router.get("/rules/{rule_id}", dependencies=[_READ], name="tag_rule.read", summary="Read a tag rule")
async def read_rule(edge: EdgeOf, rule_id: IdPath) -> TagRule:
    """One rule."""
    return await rules.get(edge.session, rule_id)


@router.patch("/rules/{rule_id}", dependencies=[_WRITE], name="tag_rule.change", summary="Change a tag rule")
async def change_rule(edge: EdgeOf, rule_id: IdPath, body: TagRuleChange) -> TagRule:
    """Tags that were put on stay."""
    rule = await rules.change(edge.session, rule_id, **body.model_dump(exclude_unset=True))
    edge.note("tag_rule.change", f"tag_rule:{rule_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return rule


@router.get("/{tag_id}", dependencies=[_READ], name="tag.read", summary="Read a tag")
async def read_tag(edge: EdgeOf, tag_id: IdPath) -> TagView:
    """One tag."""
    return tag_view(await service.get(edge.session, tag_id))


@router.patch("/{tag_id}", dependencies=[_WRITE], name="tag.change", summary="Rename or archive a tag")
async def change_tag(edge: EdgeOf, tag_id: IdPath, body: TagChange) -> TagView:
    """Members keep it; segments that ask for it by its old name must be changed."""
    before = await service.get(edge.session, tag_id)
    tag = await service.change(edge.session, tag_id, tag=body.tag, is_archived=body.is_archived)
    after = {"tag": tag.label, "is_archived": tag.is_archived}
    edge.note(
        "tag.change", f"tag:{tag_id}", before={"tag": before.label, "is_archived": before.is_archived}, after=after
    )
    return tag_view(tag)

"""What members may agree to be told about."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, PageOf
from crm.consent import service
from crm.consent.types import Topic
from crm.operators.permissions import Permission

router = api_router("/api/v1/topics", "Topics")
_READ, _WRITE = allow(Permission.BRAND_READ), allow(Permission.BRAND_WRITE)
Key = Annotated[str, Path(min_length=1, max_length=64)]
Name = Annotated[dict[str, str], Field(max_length=8, examples=[{"en": "News and offers", "zh-CN": "新品与优惠"}])]


class NewTopic(Body):
    """`is_default`: asked for at sign-up."""

    key: Annotated[str, Field(min_length=1, max_length=64, examples=["events"])]
    name: Name
    is_default: bool = False


class TopicChange(Body):
    """Fields to change; decisions of members stay."""

    name: Name | None = None
    is_default: bool | None = None
    is_archived: bool | None = None


@router.get("", dependencies=[_READ], name="topic.list", summary="List topics")
async def list_topics(edge: EdgeOf, *, with_archived: bool = False) -> PageOf[Topic]:
    """All of them, by key; there are few."""
    return PageOf(items=await service.topics(edge.session, with_archived=with_archived))


@router.post("", dependencies=[_WRITE], name="topic.create", summary="Add a topic", status_code=201)
async def create(edge: EdgeOf, body: NewTopic) -> Topic:
    """Nobody has agreed to it yet."""
    edge.note("topic.create", f"topic:{body.key}", after=body.model_dump(mode="json"))
    return await service.create_topic(edge.session, body.key, name=body.name, is_default=body.is_default)


@router.patch("/{key}", dependencies=[_WRITE], name="topic.change", summary="Change a topic")
async def change(edge: EdgeOf, key: Key, body: TopicChange) -> Topic:
    """Name, default or not, archived or not."""
    values = body.model_dump(exclude_unset=True)
    edge.note("topic.change", f"topic:{key}", after=values)
    return await service.change_topic(edge.session, key, **values)

"""The texts of conversations: the shipped ones and the operators' own wording."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, PageOf
from crm.messages import wording
from crm.messages.wording import Wording
from crm.operators.permissions import Permission

router = api_router("/api/v1/messages/texts", "Messages")
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
LocaleName = Literal["zh-CN", "en"]
TextName = Annotated[str, Path(max_length=100, pattern=r"^[a-z0-9_]+/[a-z0-9_]+$")]


class NewWording(Body):
    """Another text; a template like the shipped one."""

    text: Annotated[str, Field(min_length=1, max_length=16_000)]


@router.get("", dependencies=[_READ], name="text.list", summary="List the texts of conversations")
async def list_texts(edge: EdgeOf, locale: Annotated[LocaleName, Query()]) -> PageOf[Wording]:
    """Every text of a language, with the own wording where there is one."""
    return PageOf(items=await wording.listing(edge.session, locale))


@router.put("/{locale}/{name:path}", dependencies=[_WRITE], name="text.change", summary="Word a text anew")
async def change_text(edge: EdgeOf, locale: LocaleName, name: TextName, body: NewWording) -> Wording:
    """Wins over the shipped text until it is reset."""
    edge.note("text.change", f"text:{name}.{locale}")
    return await wording.change(edge.session, name, locale, body.text)


@router.delete("/{locale}/{name:path}", dependencies=[_WRITE], name="text.reset", summary="Reset a text")
async def reset_text(edge: EdgeOf, locale: LocaleName, name: TextName) -> Wording:
    """Back to the shipped text."""
    edge.note("text.reset", f"text:{name}.{locale}")
    return await wording.reset(edge.session, name, locale)

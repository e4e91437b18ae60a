"""Keywords: what operators answer to words that no conversation understands."""

from typing import Annotated, Any

from fastapi import Form, Response
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console import typed
from admin_api.console.message_forms import actions
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.conversations import keywords as service
from crm.conversations.keywords import InvalidKeyword, Keyword, Match, NewKeyword
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.tags import service as tags

router = page_router(f"{ROOT}/keywords")
HERE = f"{ROOT}/keywords"
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
_NEW = {"name": "", "words": [], "match": "exact", "priority": 0, "tag": "", "flow": "", "reply": {}, "is_active": True}
Short = Annotated[str, Field(max_length=200)]
Reply = Annotated[str, Field(max_length=4000)]


class KeywordForm(BaseModel):
    """What the form posts; the words come one by one, or in one field with commas."""

    name: Short = ""
    words: Annotated[list[Short], Field(max_length=100)] = []
    match: Short = ""
    priority: Short = ""
    tag: Short = ""
    flow: Short = ""
    reply_zh: Reply = ""
    reply_en: Reply = ""
    is_active: Short = ""

    def shown(self) -> dict[str, Any]:
        """As the page takes it."""
        spoken = [part.strip() for given in self.words for part in given.replace("，", ",").split(",")]
        return {
            **self.model_dump(include={"name", "match", "priority", "tag", "flow"}),
            "words": [word for word in spoken if word],
            "reply": {"zh-CN": self.reply_zh, "en": self.reply_en},
            "is_active": bool(self.is_active),
        }


Posted = Annotated[KeywordForm, Form()]


@router.get("", dependencies=[_READ], name="keyword.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every keyword, in the order in which they are looked at."""
    found = await service.listing(edge.session)
    names = {item["value"]: item["label"] for item in await actions(edge)}
    return await render(edge, "messages/keywords", nav="messages", keywords=found, flow_names=names)


@router.get("/new", dependencies=[_WRITE], name="keyword.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """An empty form."""
    return await render(edge, "messages/keyword", nav="messages", keyword=None, form=_NEW, **await _values(edge))


@router.get("/{keyword_id}", dependencies=[_READ], name="keyword.page")
async def keyword_page(edge: EdgeOf, keyword_id: IdPath) -> Response:
    """One keyword."""
    keyword = await service.get(edge.session, keyword_id)
    form = {**vars(keyword), "match": keyword.match.value}
    return await render(edge, "messages/keyword", nav="messages", keyword=keyword, form=form, **await _values(edge))


@router.post("", dependencies=[_WRITE], name="keyword.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Add a keyword."""
    form = posted.shown()
    try:
        keyword = await service.create(edge.session, await _read(edge, form))
    except DomainError as error:
        return await _again(edge, error, None, form)
    edge.note("keyword.create", f"keyword:{keyword.id}", after={"name": keyword.name, "words": keyword.words})
    return redirect(edge, HERE, done="The keyword is saved.")


@router.post("/{keyword_id}", dependencies=[_WRITE], name="keyword.change_by_form")
async def change(edge: EdgeOf, keyword_id: IdPath, posted: Posted) -> Response:
    """Change a keyword; one that is switched off is kept and not looked at."""
    before = await service.get(edge.session, keyword_id)
    form = posted.shown()
    try:
        after = await service.change(edge.session, keyword_id, await _read(edge, form))
    except DomainError as error:
        return await _again(edge, error, before, form)
    noted = [{"name": item.name, "words": item.words, "is_active": item.is_active} for item in (before, after)]
    edge.note("keyword.change", f"keyword:{keyword_id}", before=noted[0], after=noted[1])
    return redirect(edge, HERE, done="The keyword is saved.")


async def _read(edge: Edge, form: dict[str, Any]) -> NewKeyword:
    """The form as the keyword that it describes. Raises InvalidKeyword, WrongNumberError, InvalidTag."""
    if form["match"] not in set(Match):
        raise InvalidKeyword
    tag = form["tag"].strip()
    return NewKeyword(
        name=form["name"],
        words=form["words"],
        match=Match(form["match"]),
        priority=typed.whole(form["priority"]),
        tag=(await tags.usable(edge.session, tag)).label if tag else None,
        flow=form["flow"] or None,
        reply=form["reply"],
        is_active=form["is_active"],
    )


async def _values(edge: Edge) -> dict[str, Any]:
    known = [tag.label for tag in await tags.listing(edge.session)]
    return {"actions": await actions(edge), "tags": known}


async def _again(edge: Edge, error: DomainError, keyword: Keyword | None, form: dict[str, Any]) -> Response:
    values = await _values(edge)
    return await again(edge, "messages/keyword", error, nav="messages", keyword=keyword, form=form, **values)

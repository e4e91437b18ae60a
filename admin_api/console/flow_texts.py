"""The texts of conversations: what is shipped, the own wording, and the way back."""

from typing import Annotated, Any

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import flow_texts as api
from admin_api.api.flow_texts import LocaleName, TextName
from admin_api.console.pages import again, redirect, render, say
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.kit.errors import DomainError, NotFoundError
from crm.messages import wording
from crm.messages.errors import UnknownTextError
from crm.messages.wording import Wording
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/texts")
HERE = f"{ROOT}/texts"
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
_FLOWS = {
    "start": "Welcome",
    "sign_up": "Sign up",
    "check_in": "Check in",
    "points": "My points",
    "rewards": "Rewards",
    "vouchers": "Vouchers",
    "notices": "Notices",
    "survey": "Survey",
    "menu": "Main menu",
    "help": "Help",
    "language": "Language",
    "profile": "My profile",
    "time_zone": "Time zone",
    "person": "Ask a person",
    "link": "Link another chat",
    "subscription": "News on and off",
    "hints": "Hints about answers",
    "errors": "When something does not work",
    "engine": "Around conversations",
}
OwnText = Annotated[str, Form(max_length=16_000)]


def flow_name(edge: Edge, flow: str) -> str:
    """What a conversation is called."""
    return say(edge, _FLOWS.get(flow, flow))


@router.get("", dependencies=[_READ], name="text.list_page")
async def list_page(
    edge: EdgeOf,
    *,
    locale: Annotated[str, Query(max_length=10)] = "",
    flow: Annotated[str, Query(max_length=60)] = "",
    query: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Every text of a language, by conversation."""
    chosen = locale if locale in {"zh-CN", "en"} else edge.acting.locale
    found = await wording.listing(edge.session, chosen)
    flows = {item.name.partition("/")[0] for item in found}
    shown = [item for item in found if _fits(item, flow, query)]
    groups: dict[str, list[Wording]] = {}
    for item in shown:
        groups.setdefault(item.name.partition("/")[0], []).append(item)
    ordered = sorted(flows, key=lambda name: list(_FLOWS).index(name) if name in _FLOWS else len(_FLOWS))
    names = {name: flow_name(edge, name) for name in ordered}
    values: dict[str, Any] = {"groups": groups, "flows": names, "flow": flow, "chosen": chosen, "query": query}
    return await render(edge, "messages/texts", nav="messages", own=sum(1 for item in found if item.own), **values)


def _fits(item: Wording, flow: str, query: str) -> bool:
    is_of_flow = not flow or item.name.partition("/")[0] == flow
    sought = query.strip().casefold()
    return is_of_flow and (not sought or sought in f"{item.name} {item.own or item.shipped}".casefold())


@router.get("/{locale}/{name:path}", dependencies=[_READ], name="text.page")
async def text_page(edge: EdgeOf, locale: LocaleName, name: TextName) -> Response:
    """One text beside the shipped one."""
    return await render(edge, "messages/text", nav="messages", **await _values(edge, locale, name))


@router.post("/{locale}/reset/{name:path}", dependencies=[_WRITE], name="text.reset_by_form")
async def reset(edge: EdgeOf, locale: LocaleName, name: TextName) -> Response:
    """Back to the shipped text."""
    await api.reset_text(edge, locale, name)
    return redirect(edge, f"{HERE}/{locale}/{name}", done="The shipped text is used again.")


@router.post("/{locale}/change/{name:path}", dependencies=[_WRITE], name="text.change_by_form")
async def change(edge: EdgeOf, locale: LocaleName, name: TextName, text: OwnText = "") -> Response:
    """Word it anew; a text that could fail is refused with its place."""
    values = await _values(edge, locale, name)
    try:
        await api.change_text(edge, locale, name, api.NewWording.model_construct(text=text.replace("\r\n", "\n")))
    except NotFoundError:
        raise
    except DomainError as error:
        return await again(edge, "messages/text", error, nav="messages", typed=text, **values)
    return redirect(edge, f"{HERE}/{locale}/{name}", done="Your wording is used from now on.")


async def _values(edge: Edge, locale: str, name: str) -> dict[str, Any]:
    found = await wording.listing(edge.session, locale)
    item = next((item for item in found if item.name == name), None)
    if item is None:
        raise UnknownTextError
    flow = name.partition("/")[0]
    beside = [other for other in found if other.name.partition("/")[0] == flow]
    return {"text": item, "flow": flow, "flow_name": flow_name(edge, flow), "beside": beside}

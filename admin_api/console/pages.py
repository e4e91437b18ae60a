"""Rendering of pages: one template environment per language, and what every page needs."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from admin_api import cookies
from admin_api.addresses import ROOT, is_local
from admin_api.console import locale as locales
from admin_api.edge import Edge
from admin_api.errors import as_problem
from crm.alerts import service as alerts
from crm.brand import service as brands
from crm.brand.types import Brand
from crm.db import clock
from crm.kit.assets import asset_url
from crm.kit.errors import DomainError
from crm.kit.resources import TEMPLATES
from crm.operators.permissions import Permission
from crm.recovery import service as recovery
from crm.tickets import service as tickets

INSECURE = (
    "This console is open over http: passwords travel unencrypted, and the session cookie has a plain name "
    "without protection. Put it behind https before real use."
)

SAFE_MODE = "Safe mode: this data was restored from a backup. Siyu answers new messages and sends nothing else."


@cache
def environment(locale: str) -> Environment:
    """The templates in one language; everything that is put in is escaped."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}
    made.globals["_"] = locales.translator(locale)
    made.globals["asset_url"] = asset_url
    made.globals["console_root"] = ROOT
    return made


def locale_of(edge: Edge) -> str:
    """The operator's language, else the browser's."""
    return edge.principal.locale if edge.principal else locales.of_request(edge.request)


def say(edge: Edge, sentence: str) -> str:
    """`sentence` in the language of this request."""
    return locales.translator(locale_of(edge))(sentence)


def reason(edge: Edge, error: DomainError) -> str:
    """What a domain error says, translated where the catalogue knows the sentence."""
    return say(edge, error.detail)


async def render(
    edge: Edge, template: str, *, status: int = 200, nav: str = "", title: str = "", **values: Any
) -> HTMLResponse:
    """The page `console/<template>.html`. `nav` is the entry of the menu that is lit.

    Besides `values`, pages get brand, operator, may(permission), now, day, moment, clock, ago, number, percent,
    money, locale, csrf_token, banners, flashes, here, open_requests and open_alerts. A template
    without the frame makes a fragment.
    """
    brand = await brands.get(edge.session)
    locale = locale_of(edge)
    formats = locales.Formats(locale, brand.time_zone, brand.currency)
    now = await clock.now(edge.session)
    known: dict[str, Any] = {
        "brand": brand_view(brand),
        "operator": _operator_view(edge),
        "may": lambda name: edge.may(Permission(name)),
        "now": now,
        "ago": lambda value: formats.ago(value, now),
        **{
            name: getattr(formats, name)
            for name in ("day", "month", "moment", "clock", "field", "number", "percent", "money")
        },
        "zone": brand.time_zone,
        "locale": locale,
        "csrf_token": edge.csrf_token,
        "banners": await _banners(edge),
        "flashes": _taken_flashes(edge),
        "here": _here(edge.request),
        "nav_active": nav,
        "page_title": title,
        "open_requests": await tickets.count_open(edge.session) if edge.may(Permission.TICKETS_READ) else 0,
        "open_alerts": await alerts.count_open(edge.session) if edge.may(Permission.ALERTS_READ) else None,
    }
    html = environment(locale).get_template(f"console/{template}.html").render({**known, **values})
    return HTMLResponse(html, status)


async def formats_of(edge: Edge) -> locales.Formats:
    """Dates and numbers of this request, for words that are put together in Python."""
    brand = await brands.get(edge.session)
    return locales.Formats(locale_of(edge), brand.time_zone, brand.currency)


def is_fragment(edge: Edge) -> bool:
    """Whether a script asks for a piece of a page alone."""
    return edge.request.headers.get("hx-request") == "true"


async def again(
    edge: Edge, template: str, error: DomainError, *, nav: str = "", title: str = "", **values: Any
) -> HTMLResponse:
    """The form once more with what is wrong: nothing of the request is kept.

    Pages get `error`, and `errors` by field where the error names its fields.
    """
    await edge.session.rollback()
    problem = as_problem(error)
    assert problem is not None
    errors = {item.path: say(edge, item.message) for item in problem.errors if item.path}
    values = {**values, "errors": errors, "error": reason(edge, error)}
    return await render(edge, template, status=problem.status, nav=nav, title=title, **values)


def fragment(edge: Edge, template: str, **values: Any) -> HTMLResponse:
    """A piece of a page without the frame, for what is loaded later."""
    html = environment(locale_of(edge)).get_template(f"console/{template}.html").render(values)
    return HTMLResponse(html)


def redirect(edge: Edge, path: str, *, done: str = "", tone: str = "success") -> Response:
    """Go to `path` after a form was handled, and say there what was done."""
    if done:
        flash = json.dumps({"tone": tone, "text": say(edge, done)[:500]}, ensure_ascii=False)
        edge.cookies[cookies.FLASH] = base64.urlsafe_b64encode(flash.encode()).decode()
    if edge.request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def safe_next(path: str | None, default: str = f"{ROOT}/") -> str:
    """`path` when it is an address of our own console, so that nobody is led elsewhere."""
    if path and path.startswith(f"{ROOT}/") and "\\" not in path and path.isprintable() and "//" not in path:
        return path
    return default


def brand_view(brand: Brand) -> Mapping[str, Any]:
    """What the frame shows of the brand."""
    logo = f"{ROOT}/logo?v={brand.logo_media_id}" if brand.logo_media_id else ""
    return {"name": brand.name, "logo_url": logo, "time_zone": brand.time_zone, "currency": brand.currency}


def _operator_view(edge: Edge) -> Mapping[str, Any] | None:
    acting = edge.principal
    if acting is None:
        return None
    return {"id": acting.id, "name": acting.name, "role": say(edge, str(acting.role or ""))}


async def _banners(edge: Edge) -> list[dict[str, str]]:
    is_safe = edge.is_https or is_local(edge.request)
    found = [] if is_safe else [{"tone": "warning", "text": say(edge, INSECURE)}]
    if edge.principal is not None and await recovery.is_on(edge.session):
        found.append({"tone": "danger", "text": say(edge, SAFE_MODE)})
        if edge.may(Permission.SENDING_RESUME):
            found[-1] |= {"href": f"{ROOT}/settings/data", "link_label": say(edge, "Look and confirm")}
    return found


def _taken_flashes(edge: Edge) -> list[dict[str, str]]:
    sent = cookies.read(edge.request, cookies.FLASH)
    if not sent:
        return []
    edge.cookies.setdefault(cookies.FLASH, None)
    try:
        flash = json.loads(base64.urlsafe_b64decode(sent))
        return [{"tone": str(flash["tone"]), "text": str(flash["text"])[:500]}]
    except (ValueError, KeyError, TypeError):
        return []


def _here(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}" if request.method == "GET" else ""

"""The page itself, by itself and framed, rendered from the shipped template."""

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crm.brand import service as brands
from crm.brand.types import Brand
from crm.kit.assets import asset_url
from crm.kit.resources import TEMPLATES

from .desk import Desk
from .policy import headers, is_own, may_embed, origin_of, page_locale
from .setup import served_bot
from .views import brand_view

_NOT_FOUND, _FORBIDDEN = 404, 403
_WORDS = {
    "zh-CN": {
        "closed": ("聊天暂未开放", "请稍后再来。如果您是运营人员，请在设置中启用一个网页聊天机器人。"),
        "not_here": ("此处不能打开聊天", "这个网站没有获得嵌入许可。运营人员可以在品牌设置中添加网站地址。"),
    },
    "en": {
        "closed": ("The chat is closed", "Please come back later. Operators can start a web chat bot in the settings."),
        "not_here": (
            "The chat cannot be opened here",
            "This site may not show it. Operators can add the site's address in the brand's settings.",
        ),
    },
}


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    made.globals["asset_url"] = asset_url
    return made


async def chat_page(desk: Desk, request: Request) -> Response:
    """The chat on a page of its own."""
    return await _page(desk, request, is_framed=False)


async def framed_page(desk: Desk, request: Request) -> Response:
    """The chat within another page, if that page's origin is allowed; the browser checks it a second time."""
    return await _page(desk, request, is_framed=True)


async def _page(desk: Desk, request: Request, *, is_framed: bool) -> Response:
    asked = request.query_params
    async with desk.sessions() as session:
        brand = await brands.get(session)
        bot = await served_bot(session, asked.get("bot"))
    if is_framed and not _may_frame(desk, brand, request):
        return _refusal(brand, request, "not_here", _FORBIDDEN)
    if bot is None:
        return _refusal(brand, request, "closed", _NOT_FOUND)
    values: dict[str, Any] = {
        "brand": brand_view(desk.vault, brand),
        "locale": _locale(brand, request),
        "locales": brand.locales,
        "embed": is_framed,
        "bot": bot.id if asked.get("bot") else "",
        "socket_path": f"/chat/ws?bot={bot.id}" if asked.get("bot") else "/chat/ws",
        "start": "",
    }
    frames = ["'self'", *filter(None, map(origin_of, brand.embed_origins))] if is_framed else []
    body = _environment().get_template("webchat/page.html").render(values)
    return HTMLResponse(body, headers=headers(request.headers.get("host"), frames))


def _may_frame(desk: Desk, brand: Brand, request: Request) -> bool:
    """A framing page that does not say who it is, is judged by the browser alone."""
    framing = request.headers.get("referer")
    if framing is None:
        return bool(brand.embed_origins)
    return is_own(framing, request.headers.get("host"), desk.public_url) or may_embed(brand, framing)


def _locale(brand: Brand, request: Request) -> str:
    return page_locale(brand, request.query_params.get("locale"), request.headers.get("accept-language"))


def _refusal(brand: Brand, request: Request, reason: str, status: int) -> Response:
    locale = _locale(brand, request)
    title, text = _WORDS[locale if locale in _WORDS else "en"][reason]
    values = {"locale": locale, "title": title, "text": text}
    body = _environment().get_template("webchat/closed.html").render(values)
    return HTMLResponse(body, status, headers={"content-security-policy": _refusal_policy()})


def _refusal_policy() -> str:
    """A page that says why there is no chat may be shown in any frame: nothing can be done on it."""
    return "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

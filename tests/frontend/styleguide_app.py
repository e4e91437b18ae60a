"""Serves the style guide under the console's real content policy, for browsers that look at it."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from crm.kit.assets import ASSETS_FOLDER, ASSETS_PATH, asset_url

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
SAMPLES = Path(__file__).parent / "samples.json"
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


def environment(locale: str = "en") -> Environment:
    """Templates as the console renders them: autoescape on, words in `locale`."""
    catalogue = json.loads((TEMPLATES / "console" / "locale" / "zh-CN.json").read_text("utf-8"))
    words = catalogue if locale == "zh-CN" else {}
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    made.globals.update(_=lambda text: words.get(text, text), asset_url=asset_url)
    return made


def frame(locale: str = "en") -> dict[str, Any]:
    """The variables that every page of the console gets."""
    return {
        "brand": {"name": "云间茶铺 Cloud Tea", "logo_url": ""},
        "operator": {"id": 3, "name": "周雨", "email": "zhou@example.org", "role": "Owner"},
        "nav_active": "campaigns",
        "locale": locale,
        "csrf_token": "sample-token",
        "here": "/",
        "banners": [{"tone": "warning", "text": "Served over http: the session cookie is not Secure."}],
        "flashes": [{"tone": "success", "text": "Campaign saved."}],
        "open_requests": 2,
    }


def page(name: str, request: Request, **values: Any) -> Response:
    """Render a console template with the frame's variables and the real policy."""
    locale = request.query_params.get("locale", "en")
    body = environment(locale).get_template(name).render({**frame(locale), **values})
    return HTMLResponse(body, headers={"Content-Security-Policy": CONTENT_POLICY})


async def style_guide(request: Request) -> Response:
    """Every component."""
    samples = json.loads(SAMPLES.read_text("utf-8"))
    return page("console/styleguide.html", request, preview_url="/count", message_preview_url="/preview", **samples)


async def sign_in(request: Request) -> Response:
    """The page before the frame."""
    return page("console/sign_in.html", request, form_action="/", error="Email or password is wrong.", banners=[])


async def error(request: Request) -> Response:
    """The page for what went wrong."""
    values = {"status": 404, "heading": "Not found", "text": "It may have been archived.", "request_id": "01J"}
    return page("console/error.html", request, **values)


async def count(request: Request) -> Response:
    """A live count that depends on the rule, refused without the token."""
    if request.headers.get("x-csrf-token") != "sample-token":
        return JSONResponse({"detail": "The page is too old, load it again."}, status_code=403)
    rule = (await request.json())["rule"]
    sample = [{"display_name": "林小满"}, {"display_name": "Amelia Hart"}]
    return JSONResponse({"count": 1000 - len(json.dumps(rule)), "sample": sample})


async def preview(request: Request) -> Response:
    """The message as bubbles, made with the macros that pages use."""
    asked = await request.json()
    message, locale = asked["message"], asked["locale"]
    shown = {
        "direction": "out",
        "text": message["text"].get(locale, ""),
        "html": True,
        "at_label": "09:30",
        "buttons": [[{"label": row[0]["label"].get(locale, "?")}] for row in message["buttons"]],
    }
    source = '{% from "console/components/chat.html" import phone_preview %}{{ phone_preview([m], "Cloud Tea") }}'
    return HTMLResponse(environment().from_string(source).render(m=shown))


def create_app() -> Starlette:
    """The application."""
    return Starlette(
        routes=[
            Route("/", style_guide),
            Route("/sign-in", sign_in),
            Route("/error", error),
            Route("/count", count, methods=["POST"]),
            Route("/preview", preview, methods=["POST"]),
            Mount(ASSETS_PATH, StaticFiles(directory=ASSETS_FOLDER)),
        ]
    )

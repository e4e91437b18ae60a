"""What holds at every address of a whole deployment: headers, bounds, and nobody let in by accident."""

import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import ValidationError
from redis.asyncio import Redis
from starlette.routing import WebSocketRoute

from admin_api.access import AccessKind
from admin_api.routing import EdgeRoute
from crm.config.settings import HttpSettings, Settings
from crm.db.session import Sessions
from crm.kit.assets import ASSETS_PATH
from crm.kit.crypto import Vault
from runtime.container import Container
from runtime.conversing import open_conversing
from runtime.endpoints import Servers
from runtime.measuring.measures import make_measures
from runtime.processes.api import make_app
from tests.admin_api.routes import mounted

HEADERS = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-request-id",
}
MAY_BE_KEPT = {"/chat/embed.js", "/chat/media/{media_id}", ASSETS_PATH}
HUGE = 64 * 1024 * 1024
_PARAMETER = re.compile(r"\{\w+(?::\w+)?\}")


@pytest.fixture
async def whole(sessions: Sessions, valkey: Redis, vault: Vault, valkey_url: str) -> AsyncIterator[FastAPI]:
    """The application as runtime puts it together, with all channels."""
    settings = Settings(_env_file=None)
    container = Container(
        settings,
        Servers("", valkey_url),
        vault,
        valkey,
        sessions,
        sessions,
        make_measures(sessions, sessions, valkey),
    )
    async with open_conversing(container) as conversing:
        yield make_app(container, conversing)


def _client(app: FastAPI, address: str = "203.0.113.9") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="https://siyu.test")


def _every(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Method, pattern and an address of everything that is served."""
    for path, route in mounted(app):
        if isinstance(route, WebSocketRoute) or "websocket" in type(route).__name__.lower():
            continue
        methods = getattr(route, "methods", None) or {"GET"}
        for method in sorted(methods):
            yield method, path, _PARAMETER.sub("00000000-0000-7000-8000-000000000000", path)
    yield from (("GET", "nothing", path) for path in ("/nothing", "/console/nothing", f"{ASSETS_PATH}/x.js"))
    yield from (("POST", "webhook", path) for path in ("/webhooks/telegram/x", "/webhooks/nothing/x"))


async def test_every_answer_of_every_address_has_the_headers(whole: FastAPI) -> None:
    wrong, seen = [], set()
    async with _client(whole) as client:
        for method, path, address in _every(whole):
            answer = await client.request(method, address)
            seen.add(path)
            missing = HEADERS - set(answer.headers)
            if missing or answer.status_code >= 500:
                wrong.append(f"{method} {path} answered {answer.status_code} without {missing}")
            if path not in MAY_BE_KEPT and not address.startswith(ASSETS_PATH):
                wrong += [] if answer.headers["cache-control"] == "no-store" else [f"{path} may be kept"]
            if "unsafe" in answer.headers["content-security-policy"]:
                wrong.append(f"{path} allows what is unsafe")
    assert wrong == []
    assert {"/chat", "/chat/embed", "/chat/embed.js", "/console/sign-in", "/livez"} <= seen
    assert any(path.startswith("/webhooks/") for path in seen)


async def test_nobody_changes_anything_without_a_name_nor_with_a_body_without_end(whole: FastAPI) -> None:
    wrong = []
    async with _client(whole) as client:
        for path, route in mounted(whole):
            for method in sorted(getattr(route, "methods", None) or ()):
                if method in {"GET", "HEAD", "OPTIONS"}:
                    continue
                address = _PARAMETER.sub("nothing", path)
                answer = await client.request(method, address, headers={"Content-Length": str(HUGE)}, content=b"x")
                if answer.status_code not in {303, 401, 403, 404, 413, 422}:
                    wrong.append(f"{method} {path} answered {answer.status_code}")
    assert wrong == []


def test_what_is_public_is_known(whole: FastAPI) -> None:
    """Whoever adds a way in without a key has to write it down here."""
    routes = [(path, route) for path, route in mounted(whole) if isinstance(route, APIRoute)]
    open_ones = {
        path for path, route in routes if not isinstance(route, EdgeRoute) or route.access.kind is AccessKind.PUBLIC
    }
    assert open_ones == {
        *("/", "/livez", "/readyz", "/metrics"),
        *("/chat", "/chat/embed", "/chat/embed.js", "/chat/media/{media_id}"),
        "/webhooks/telegram/{path_secret}",
        *("/console/sign-in", "/console/locale", "/console/logo"),
        *(f"/console/{name}/{{token}}" for name in ("setup", "invitation", "password")),
    }


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("testclient", {}, 404),
    ],
)
async def test_figures_are_for_this_machine(whole: FastAPI, address: str, headers: dict[str, str], status: int) -> None:
    async with _client(whole, address) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("siyu_http" in answer.text) == (status == 200)


def test_networks_that_are_none_are_refused_at_start() -> None:
    assert HttpSettings(metrics_from="10.0.0.0/8, ::1").metrics_from == "10.0.0.0/8,::1/128"
    with pytest.raises(ValidationError):
        HttpSettings(metrics_from="everyone")

"""Around everything: request ids, security headers, one log line and one count per request, no unhandled error."""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from admin_api.errors import unforeseen
from admin_api.metrics import HttpMetrics
from admin_api.problems import ProblemError
from crm.kit.clock import monotonic
from crm.kit.ids import token

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_HSTS = "max-age=31536000; includeSubDomains"
_GONE = 499
"""What is noted where the browser went away before it was answered: nobody's error, and nobody hears of it."""
Respond = Callable[[Request, ProblemError], Awaitable[Response]]
log = structlog.get_logger("siyu.http")


class Guard:
    """ASGI middleware. A header that the answer sets itself is kept."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics, respond: Respond) -> None:
        self._app = app
        self._metrics = metrics
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; WebSockets pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = token(size=12)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = monotonic(), 0

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id, is_https=scope["scheme"] == "https")
            await send(message)

        try:
            with bound_contextvars(request_id=request_id):
                await self._app(scope, receive, guarded_send)
        except ClientDisconnect:
            status = status or _GONE
        except Exception as error:
            log.error(  # noqa: TRY400 - a trace with its values may hold personal data and keys
                "request_failed", request_id=request_id, route=_route(scope), **_what(error)
            )
            if status:
                raise
            response = await self._respond(Request(scope, receive), unforeseen())
            await response(scope, receive, guarded_send)
        finally:
            self._note(scope, status, monotonic() - started, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = _route(scope)
        self._metrics.count(scope["method"], route, status, seconds)
        edge = scope.get("state", {}).get("edge")
        actor = edge.principal.actor if edge is not None and edge.principal is not None else None
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
            actor=actor,
        )


def _what(error: Exception) -> dict[str, object]:
    """Kind and places of an error; its words and values may be personal, so they stay out of the log."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    causes = [type(error).__name__]
    cause = error.__cause__
    while cause is not None:
        causes.append(type(cause).__name__)
        cause = cause.__cause__
    return {"error": causes, "where": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]}


def _add_headers(headers: MutableHeaders, request_id: str, *, is_https: bool) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if is_https:
        headers.setdefault("strict-transport-security", _HSTS)
    headers["x-request-id"] = request_id


def _route(scope: Scope) -> str:
    """The route's pattern, never the address itself: it may hold a token or a name."""
    return str(getattr(scope.get("route"), "path", "unmatched"))

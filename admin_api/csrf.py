"""Unsafe requests of browsers must come from our own pages: Origin check and a token made from the cookie."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request

from admin_api.deps import deps_of
from admin_api.edge import Edge
from admin_api.problems import ProblemError

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"


async def check(edge: Edge) -> None:
    """Raises ProblemError unless the request's origin is ours and its token fits the browser's cookie."""
    _check_origin(edge.request)
    sent = edge.request.headers.get(HEADER) or await _from_form(edge.request)
    expected = edge.csrf_token
    if not expected or not hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode()):
        raise ProblemError(403, "csrf_token_wrong", "This page is too old; load it again and repeat what you did.")


def _check_origin(request: Request) -> None:
    """A browser that hides the origin (our pages send no referrer) must at least not admit to another site."""
    origin = request.headers.get("origin")
    if origin is not None and origin != "null":
        is_ours = origin in _own_origins(request)
    else:
        is_ours = request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
    if not is_ours:
        raise ProblemError(403, "foreign_origin", "This request came from another site.")


def _own_origins(request: Request) -> set[str]:
    origins = {f"{request.url.scheme}://{request.url.netloc}"}
    public = deps_of(request).settings.public.url
    if public is not None:
        parts = urlsplit(str(public))
        origins.add(f"{parts.scheme}://{parts.netloc}")
    return origins


async def _from_form(request: Request) -> str:
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return ""
    form = await request.form()
    if any(isinstance(value, str) and "\x00" in value for value in form.values()):
        raise ProblemError(422, "nul_character", "Text may not hold the NUL character.")
    value = form.get(FIELD, "")
    return value if isinstance(value, str) else ""

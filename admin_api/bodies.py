"""Bounds a body, and looks at JSON before anybody parses it: depth, numbers, text that nothing of ours can hold."""

import re

from fastapi import Request
from starlette.types import Message

from admin_api.problems import ProblemError

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile(
    rb"(?<!\\)(?:\\\\)*(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F])"
)


def limited(request: Request, limit: int) -> Request:
    """The request with a body that may have `limit` bytes; reading more of it raises ProblemError (413)."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return Request(request.scope, receive)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "content_too_large", f"The body may have {limit} bytes at most.")


async def check_json(request: Request, *, depth: int) -> None:
    """Raises ProblemError for a JSON body that is nested too deep or holds NUL, half characters or no numbers."""
    if "json" not in request.headers.get("content-type", ""):
        return
    body = await request.body()
    bare = _STRINGS.sub(b"", body)
    if _depth(bare) > depth:
        raise ProblemError(422, "json_too_deep", f"JSON may be nested {depth} levels deep at most.")
    if b"NaN" in bare or b"Infinity" in bare:
        raise ProblemError(422, "not_a_number", "NaN and Infinity are not JSON.")
    if b"\x00" in body or _NUL.search(body):
        raise ProblemError(422, "nul_character", "Text may not hold the NUL character (\\u0000).")
    if _SURROGATE.search(body):
        raise ProblemError(422, "half_character", "Text holds half of a character (a lone surrogate).")
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        raise ProblemError(400, "not_utf8", "The body must be UTF-8.") from wrong


def check_address(request: Request) -> None:
    """Raises ProblemError when path or query hold a NUL character."""
    if "\x00" in request.url.path or b"%00" in request.scope.get("query_string", b""):
        raise ProblemError(422, "nul_character", "The address may not hold the NUL character.")


def _depth(bare: bytes) -> int:
    level = deepest = 0
    for byte in bare.translate(None, _NOT_BRACKETS):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        else:
            level -= 1
    return deepest

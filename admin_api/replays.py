"""Idempotency-Key: a repeated write is answered as the first one was, without a second effect."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from admin_api.edge import Edge
from admin_api.problems import ProblemError
from crm.operators import idempotency
from crm.operators.types import StoredResponse

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_LONGEST_KEY = 255
_FIRST_ERROR = 400


async def answer_once(edge: Edge, inner: Callable[[Request], Awaitable[Response]]) -> Response:
    """What `inner` answers, or what it answered to the same key before. Errors are not kept: nothing was done.

    Raises IdempotencyInFlightError, IdempotencyMismatchError, ProblemError for an unusable key.
    """
    request = edge.request
    key = request.headers.get(HEADER)
    if key is None or edge.principal is None:
        return await inner(request)
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise ProblemError(422, "idempotency_key_invalid", f"{HEADER} has 1 to {_LONGEST_KEY} printable characters.")
    body = await request.body()
    operation = f"{request.method} {request.url.path}?{request.url.query}"
    actor = edge.principal.actor
    known = await idempotency.claim(edge.session, principal=actor, key=key, operation=operation, body=body)
    if known is not None:
        edge.note("request.replay", request.url.path)
        return Response(known.body, known.status, {REPLAYED: "true"}, known.content_type or None)
    response = await inner(request)
    # A file that is streamed only reads: sent again, it is made again.
    if response.status_code < _FIRST_ERROR and not isinstance(response, StreamingResponse):
        kept = StoredResponse(response.status_code, response.headers.get("content-type", ""), bytes(response.body))
        await idempotency.keep(edge.session, principal=actor, key=key, operation=operation, body=body, response=kept)
    return response

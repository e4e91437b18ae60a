"""The common shape of the `/simulator` endpoints: JSON in, `{"ok": true, "result": ...}` out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.channels.telegram.simulator.api import json_response
from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import BotApiError
from bot.channels.telegram.simulator.parameters import Parameters
from bot.channels.telegram.simulator.request_reading import read_parameters


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the simulator itself: its address's parts and its parameters."""

    simulator: Simulator
    path: Mapping[str, Any]
    given: Parameters

    def part(self, name: str) -> str:
        """A part of the address."""
        return str(self.path[name])


Handler = Callable[[Ask], Awaitable[Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(simulator: Simulator, handler: Handler, *, changes: bool = True) -> Endpoint:
    """Wrap a handler; a change is written to the store before it is answered.

    Changes are taken as JSON only: a form of a foreign web page cannot send that unasked.
    """

    async def answer(request: Request) -> Response:
        try:
            _require_json(request)
            result = await handler(Ask(simulator, request.path_params, await read_parameters(request)))
        except BotApiError as error:
            return json_response(error.body(), error.code)
        if changes:
            await simulator.store.flush()
        return json_response({"ok": True, "result": result})

    return answer


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in {"GET", "HEAD"} and kind != "application/json":
        raise BotApiError(415, "Unsupported Media Type: send application/json")

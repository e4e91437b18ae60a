"""The addresses of all `/simulator` endpoints."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.channels.telegram.simulator.core import Simulator

from . import people, reading, scripting
from .answers import Handler, endpoint

_CHAT = "/simulator/users/{person}/chats/{peer}"
_READS: tuple[tuple[str, Handler], ...] = (
    ("/simulator/bots", people.list_bots),
    ("/simulator/users", reading.list_people),
    ("/simulator/users/{person}/chats", reading.list_chats),
    (f"{_CHAT}/messages", reading.list_messages),
    (f"{_CHAT}/wait", reading.wait_for_message),
    ("/simulator/callbacks/{query}", reading.callback_answer),
    ("/simulator/faults", scripting.list_faults),
    ("/simulator/limits", scripting.show_limits),
    ("/simulator/statistics", scripting.show_statistics),
)
_CHANGES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/simulator/bots", scripting.create_bot),
    ("DELETE", "/simulator/bots/{bot}", scripting.remove_bot),
    ("POST", "/simulator/bots/{bot}/revoke", scripting.revoke_token),
    ("POST", "/simulator/users", people.create_person),
    ("PATCH", "/simulator/users/{person}", people.change_person),
    ("POST", f"{_CHAT}/start", people.start),
    ("POST", f"{_CHAT}/messages", people.write),
    ("POST", f"{_CHAT}/press", people.press),
    ("POST", f"{_CHAT}/keyboard", people.press_key),
    ("POST", f"{_CHAT}/block", people.block),
    ("POST", f"{_CHAT}/unblock", people.unblock),
    ("POST", "/simulator/groups", people.create_group),
    ("POST", "/simulator/groups/{group}", people.change_group),
    ("POST", "/simulator/faults", scripting.add_fault),
    ("DELETE", "/simulator/faults", scripting.lift_faults),
    ("DELETE", "/simulator/faults/{fault:int}", scripting.lift_faults),
    ("PATCH", "/simulator/limits", scripting.change_limits),
)


def admin_routes(simulator: Simulator) -> list[BaseRoute]:
    """The routes, bound to one simulator."""

    async def stream(request: Request) -> Response:
        return await reading.stream(simulator, request)

    async def show_file(request: Request) -> Response:
        return await reading.show_file(simulator, request)

    bind = partial(endpoint, simulator)
    return [
        Route("/simulator/users/{person}/events", stream),
        Route("/simulator/files/{bot:int}/{file}", show_file),
        *(Route(path, bind(handler, changes=False)) for path, handler in _READS),
        *(Route(path, bind(handler), methods=[verb]) for verb, path, handler in _CHANGES),
    ]

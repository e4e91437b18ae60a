"""The simulated Bot API server as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .admin.routes import admin_routes
from .api import answer_method, call_in_answer, download_file
from .config import SimulatorConfig
from .core import Simulator
from .json_types import Json
from .page.routes import page_routes
from .world.bots import Bot


class SimulatorApp:
    """An ASGI application; `simulator` is the server behind it."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.simulator = Simulator(config, self._call_in_answer)
        download = Route("/file/bot{token}/{path:path}", self._download)
        routes = [download, *admin_routes(self.simulator), *page_routes()]
        self._inner = Starlette(routes=routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; method calls take a short way past the router."""
        scope["siyu.send"] = send
        if scope["type"] == "http" and scope["path"].startswith("/bot"):
            token, _, method = scope["path"].removeprefix("/bot").partition("/")
            scope["path_params"] = {"token": token, "method": method}
            response = await answer_method(self.simulator, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _download(self, request: Request) -> Response:
        return await download_file(self.simulator, request)

    async def _call_in_answer(self, bot: Bot, call: Json) -> None:
        await call_in_answer(self.simulator, bot, call)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self.simulator.running():
            yield


def create_simulator_app(config: SimulatorConfig) -> SimulatorApp:
    """Make the application; its lifespan starts and ends the work behind it."""
    return SimulatorApp(config)

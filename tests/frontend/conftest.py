"""The pages under test on a real server, and a browser that notices every fault."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page
from starlette.applications import Starlette

from crm.kit.assets import AssetsMissingError, asset_url
from tests.frontend.chat_app import Room, routes, sample_room
from tests.frontend.styleguide_app import create_app
from tests.requirements import absent


@dataclass
class Site:
    """A running server with its address."""

    address: str
    room: Room
    server: uvicorn.Server

    def drop(self) -> None:
        """Cut every connection, as a bad line does."""
        for connection in list(self.server.server_state.connections):
            connection.transport.close()


@dataclass
class Faults:
    """What a page complained about."""

    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect errors, policy violations and failed requests of `page`."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.found.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(message.text)


@pytest.fixture(scope="session")
def built_assets() -> None:
    """The built assets, without which no page can be looked at."""
    try:
        asset_url("console.js")
    except AssetsMissingError as missing:
        absent(str(missing))


@pytest.fixture
async def site(built_assets: None) -> AsyncIterator[Site]:
    """The style guide and a chat room of its own."""
    room = sample_room()
    app: Starlette = create_app()
    app.router.routes.extend(routes(room))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", room, server)
    server.should_exit = True
    server.force_exit = True
    await serving


@pytest.fixture
def faults() -> Faults:
    """Empty, until a page complains."""
    return Faults()


@pytest.fixture
async def page(chromium: Browser, site: Site, faults: Faults) -> AsyncIterator[Page]:
    """A page on the site, not yet led anywhere."""
    context = await chromium.new_context(base_url=site.address, viewport={"width": 1440, "height": 900})
    opened = await context.new_page()
    faults.watch(opened)
    yield opened
    await context.close()

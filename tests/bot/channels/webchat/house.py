"""The web chat as one process has it: real database, Valkey, dispatcher, flows and HTTP server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import uvicorn
from redis.asyncio import Redis

from admin_api.app import create_app
from admin_api.deps import AdminDeps
from bot import replies
from bot.channels.contract import ChannelContext
from bot.channels.webchat import inbound, routes, sender, setup
from bot.channels.webchat.limits import Limits
from bot.channels.webchat.manifest import NAME
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from bot.intake import Intake
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.config.settings import Settings
from crm.db.session import Sessions
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.messages.service import render_flow
from flows.engine.engine import Engine
from flows.engine.registry import discover

QUICK = Limits(poll_seconds=0.3, calm_poll_seconds=1.5)


@dataclass
class ChatHouse:
    """A running web chat."""

    address: str
    bot: Bot
    sessions: Sessions
    valkey: Redis
    context: ChannelContext
    sender: sender.WebchatSender
    dispatcher: Dispatcher
    server: uvicorn.Server

    @property
    def origin(self) -> str:
        """Of its own pages."""
        return self.address

    @property
    def socket(self) -> str:
        """Address of the WebSocket."""
        return self.address.replace("http:", "ws:") + "/chat/ws"


@asynccontextmanager
async def open_house(
    sessions: Sessions, valkey: Redis, *, limits: Limits = QUICK, settings: Settings | None = None
) -> AsyncIterator[ChatHouse]:
    """One process; open two of them over the same database and Valkey to have two processes."""
    context = ChannelContext(settings or Settings(_env_file=None), sessions, valkey)
    sending = sender.make(context)
    lane = InteractiveLane(sessions, Unpaced(), {NAME: sending})

    async def deliver(delivery_ids: Sequence[UUID]) -> None:
        await lane.deliver_now(delivery_ids)

    handler = Handler(
        sessions, {NAME: inbound.make(context)}, Engine(discover(), render_flow), replies.enqueue, deliver
    )
    dispatcher = Dispatcher(sessions, handler)
    context = replace(context, intake=Intake(sessions, dispatcher))
    await setup.start(context)
    async with sessions() as session:
        bot = next(one for one in await bots.listing(session, NAME) if not one.is_demo)
    deps = AdminDeps(sessions, context.settings, valkey, routers=[routes.make(context, limits)])
    config = uvicorn.Config(create_app(deps), log_level="error", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield ChatHouse(address, bot, sessions, valkey, context, sending, dispatcher, server)
    finally:
        server.should_exit = True
        await serving
        await dispatcher.close()

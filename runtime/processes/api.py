"""`siyu api`: the admin API, the console, the web chat and webhooks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from admin_api.app import create_app
from admin_api.deps import AdminDeps, BotAccount
from crm.kit.errors import InvalidError
from crm.kit.parts import load_part
from runtime.container import Container
from runtime.conversing import Conversing, listen_to_webhooks, open_conversing, sweep, tell_providers
from runtime.http import listen, serving
from runtime.processes.frame import process
from runtime.settled import read_settings


async def serve() -> None:
    """Serve until told to stop."""
    async with process("api", read_settings()) as (container, stop):
        listener = listen(container.settings.http)
        async with open_conversing(container) as conversing:
            await tell_providers(conversing, stop)
            async with serving(make_app(container, conversing), listener, container.settings.http):
                await asyncio.gather(stop.wait(), sweep(conversing, stop), listen_to_webhooks(conversing, stop))


@dataclass(frozen=True)
class TokenCheck:
    """Implements `admin_api.deps.CheckBotToken` by the channel's own part."""

    conversing: Conversing

    async def __call__(self, channel: str, token: str) -> BotAccount:
        """The account behind the token. Raises a DomainError that says what is wrong."""
        manifest = self.conversing.manifests.get(channel)
        if manifest is None or manifest.check_token is None:
            raise InvalidError(f"Bots of the channel {channel!r} have no token.")
        account = await load_part(manifest.check_token)(self.conversing.context, token)
        return BotAccount(account.name, account.username)


def _routers(conversing: Conversing) -> Sequence[APIRouter]:
    manifests = conversing.manifests.values()
    return [load_part(item.router)(conversing.context) for item in manifests if item.router is not None]


def make_app(container: Container, conversing: Conversing) -> FastAPI:
    """The application over everything."""
    deps = AdminDeps(
        sessions=container.sessions,
        settings=container.settings,
        valkey=container.valkey,
        routers=_routers(conversing),
        channels=tuple(conversing.manifests),
        modes={name: manifest.modes for name, manifest in conversing.manifests.items()},
        check_bot_token=TokenCheck(conversing),
        deliver=conversing.lane.deliver_now,
        metrics=container.measures.registry,
        refresh_metrics=container.measures.state.refresh,
    )
    return create_app(deps)

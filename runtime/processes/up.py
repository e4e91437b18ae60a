"""`siyu up`: everything in one process, for one machine."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from rich.console import Console

from crm.config.settings import Settings
from crm.deliveries import service as deliveries
from crm.operators import links
from crm.operators import service as operators
from runtime.addresses import public_address
from runtime.container import Container, open_container
from runtime.conversing import listen_to_webhooks, open_conversing, poll, sweep, tell_providers
from runtime.defaults import ensure_defaults
from runtime.demo_data.filling import fill
from runtime.garbage import collect_seldom
from runtime.http import listen, serving
from runtime.logs import set_up_logs
from runtime.measuring.measures import living
from runtime.migrate import migrate
from runtime.processes.api import make_app
from runtime.processes.sender import send
from runtime.processes.worker import work
from runtime.secret import open_vault
from runtime.servers import own_servers
from runtime.settled import read_settings
from runtime.signals import stop_on_signals
from runtime.simulated import Simulated, ensure_bot, simulated
from runtime.ticks import discover_ticks, run_ticks

_OUT = Console(highlight=False, soft_wrap=True)
_SIMULATOR_NAME = "Siyu (simulated)"
_ROLES = ("api", "poller", "scheduler", "sender", "worker")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running:
    """A Siyu in which everything runs."""

    container: Container
    base_url: str
    simulator: Simulated | None


async def serve(demo: bool = False) -> None:
    """Start everything, say where it is, run until told to stop, stop everything."""
    settings = read_settings()
    set_up_logs(settings.log)
    stop = stop_on_signals()
    async with everything(settings, stop, demo=demo, say=_say) as running:
        await _announce(running)
        await stop.wait()
        _say("Stopping ...")
    _say("Everything is stopped.")


@asynccontextmanager
async def everything(
    settings: Settings, stop: asyncio.Event, *, demo: bool = False, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Running]:
    """All processes in this one, until the block ends; `stop` ends the block's loops."""
    listener = listen(settings.http)
    try:
        open_vault(settings)
        say("Starting PostgreSQL and Valkey ..." if settings.database.url is None else "Connecting ...")
        async with own_servers(settings) as servers:
            say("Bringing the database to this version ...")
            await migrate(servers.database_url)
            async with open_container(settings, servers, application="up") as container:
                await ensure_defaults(container, with_history=demo)
                if settings.database.url is None:
                    await _take_over(container)
                if demo:
                    say("Filling the tea shop with 300 members ...")
                    await fill(container.sessions)
                async with _telegram(container) as simulator, _working(container, listener, stop):
                    port = listener.getsockname()[1]
                    yield Running(container, public_address(settings, port), simulator)
    finally:
        listener.close()


async def _take_over(container: Container) -> None:
    """On servers of our own nobody else can be sending: what a killed Siyu left is looked after at once."""
    async with container.sessions.begin() as session:
        await deliveries.abandon_leases(session)


@asynccontextmanager
async def _telegram(container: Container) -> AsyncIterator[Simulated | None]:
    """The simulator, unless a token was given."""
    settings = container.settings
    if settings.telegram.bot_token is not None:
        yield None
        return
    wanted = settings.http.port + 1 if settings.http.port else 0
    async with simulated(settings.data.dir, port=wanted, name=_SIMULATOR_NAME) as running:
        await ensure_bot(container.sessions, running, name=_SIMULATOR_NAME)
        yield running


@asynccontextmanager
async def _working(container: Container, listener: socket.socket, stop: asyncio.Event) -> AsyncIterator[None]:
    async with open_conversing(container) as conversing:
        await tell_providers(conversing, stop)
        app = make_app(container, conversing)
        async with (
            living(container.measures, container.sessions, _ROLES),
            serving(app, listener, container.settings.http),
            asyncio.TaskGroup() as group,
        ):
            group.create_task(poll(conversing, stop))
            group.create_task(sweep(conversing, stop))
            group.create_task(listen_to_webhooks(conversing, stop))
            group.create_task(work(container, stop))
            group.create_task(send(container, stop))
            group.create_task(run_ticks(container.sessions, discover_ticks(), stop))
            collect_seldom()
            try:
                yield
            finally:
                stop.set()


async def _announce(running: Running) -> None:
    console = f"{running.base_url}/console/"
    async with running.container.sessions.begin() as session:
        if not await operators.exists_any(session):
            console = f"{running.base_url}/console/setup/{(await links.issue_setup(session)).token}"
    _OUT.print("\n[bold green]Siyu is running.[/] Ctrl-C stops it; your data stays.\n")
    _OUT.print(f"  Console     {console}", markup=False)
    _OUT.print(f"  Web chat    {running.base_url}/chat", markup=False)
    if running.simulator is not None:
        _OUT.print(f"  Telegram    {running.simulator.base_url}/  (simulated)", markup=False)
    else:
        _OUT.print("  Telegram    your own bot; open it in Telegram", markup=False)
    _OUT.print()


def _say(text: str) -> None:
    _OUT.print(text, markup=False)

"""Everything that a process needs, put together in one place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.deliveries import channels
from crm.events import subscriptions
from crm.jobs.service import PORT as JOB_QUEUE
from crm.kit import egress
from crm.kit.addresses import PUBLIC_URL
from crm.kit.crypto import Vault
from crm.kit.parts import make_part
from crm.messages import flow_texts
from runtime.addresses import public_address
from runtime.channels import discover_channels
from runtime.endpoints import Servers
from runtime.measuring.measures import Measures, make_measures
from runtime.ports import Ports
from runtime.secret import open_vault

if TYPE_CHECKING:
    from crm.config.settings import Settings


@dataclass(frozen=True)
class Container:
    """The parts that every process shares."""

    settings: "Settings"
    servers: Servers
    vault: Vault
    valkey: Redis
    sessions: Sessions
    """For operators, jobs and bulk work."""
    interactive: Sessions
    """For conversations alone: bulk work cannot take their connections."""
    measures: Measures
    """What /metrics shows of this process."""


def make_ports(settings: "Settings", known: subscriptions.Subscriptions | None = None) -> Ports:
    """What services reach through their session, each made when it is first asked for.

    `known` are the subscriptions of a process that handles no events.
    """
    return Ports(
        {
            JOB_QUEUE: partial(make_part, "runtime.queue:PgqueuerJobQueue"),
            subscriptions.PORT: subscriptions.discover if known is None else lambda: known,
            flow_texts.PORT: flow_texts.FlowTexts,
            "conditions": partial(make_part, "crm.segments.catalogue:discover"),
            channels.PORT: lambda: {name: manifest.traits for name, manifest in discover_channels().items()},
            PUBLIC_URL: partial(public_address, settings),
            egress.PORT: partial(make_part, "runtime.egress:make_egress", settings.egress),
        }
    )


@asynccontextmanager
async def open_container(
    settings: "Settings", servers: Servers, *, application: str, known: subscriptions.Subscriptions | None = None
) -> AsyncIterator[Container]:
    """Connect; everything is closed in the end. `application` names the process in PostgreSQL's list.

    A lean process, which has the subscriptions `known` already, makes other ports when they are first used.
    """
    vault, ports = open_vault(settings), make_ports(settings, known)
    if known is None:
        ports.make_all()
    surroundings = Surroundings(vault, ports)
    database = settings.database
    engine = make_engine(servers.database_url, pool_size=database.pool_size, application=f"siyu {application}")
    lane = make_engine(
        servers.database_url, pool_size=database.interactive_pool_size, application=f"siyu {application} interactive"
    )
    valkey = Redis.from_url(servers.valkey_url, socket_connect_timeout=2, socket_timeout=5)
    try:
        sessions, interactive = make_sessions(engine, surroundings), make_sessions(lane, surroundings)
        measures = make_measures(sessions, interactive, valkey)
        yield Container(settings, servers, vault, valkey, sessions, interactive, measures)
    finally:
        await valkey.aclose()
        await engine.dispose()
        await lane.dispose()

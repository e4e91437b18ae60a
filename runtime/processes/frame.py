"""What every long-running process does first and last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from crm.events.subscriptions import Subscriptions
from runtime.container import Container, open_container
from runtime.endpoints import Servers
from runtime.failures import StartProblem
from runtime.garbage import collect_seldom
from runtime.logs import set_up_logs
from runtime.measuring.measures import living
from runtime.measuring.server import showing
from runtime.schema import check_schema
from runtime.signals import stop_on_signals

if TYPE_CHECKING:
    from crm.config.settings import MetricsSettings, Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def process(
    name: str, settings: "Settings", known: Subscriptions | None = None
) -> AsyncIterator[tuple[Container, asyncio.Event]]:
    """Logs, connections and the stop event of one process of a deployment with its own servers.

    `known` are the subscriptions of a lean process, see `runtime.outline`.
    """
    set_up_logs(settings.log)
    if settings.database.url is None or settings.valkey.url is None:
        raise StartProblem(
            f"siyu {name} needs SIYU_DATABASE_URL and SIYU_VALKEY_URL; on one machine, siyu up runs everything."
        )
    servers = Servers(settings.database.url.get_secret_value(), settings.valkey.url.get_secret_value())
    await check_schema(servers.database_url)
    async with open_container(settings, servers, application=name, known=known) as container:
        stop = stop_on_signals()
        collect_seldom()
        measures = container.measures
        async with (
            showing(_shown_at(settings, name), measures.registry, measures.state.refresh),
            living(measures, container.sessions, [name]),
        ):
            log.info("started", process=name)
            yield container, stop
        log.info("stopped", process=name)


def _shown_at(settings: "Settings", name: str) -> "MetricsSettings | None":
    """The API shows its figures on its own port."""
    return None if name == "api" else settings.metrics

"""What runtime hands to the HTTP side, and what handlers ask for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from admin_api.edge import Edge
from crm.config.settings import Settings
from crm.db.session import Sessions

Deliver = Callable[[Sequence[UUID]], Awaitable[None]]
"""Takes ids of committed interactive deliveries."""
Probe = Callable[[], Awaitable[None]]
"""Raises when a part is not ready; the exception's text says what is wrong."""


Refresh = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class BotAccount:
    """What a channel's provider says about a token."""

    name: str
    username: str | None


class CheckBotToken(Protocol):
    """Asks the channel's provider whether a bot token works. Raises a DomainError that says what is wrong."""

    async def __call__(self, channel: str, token: str) -> BotAccount:
        """The account behind the token."""
        ...


@dataclass(frozen=True)
class Limits:
    """Bounds of every request; tests make them smaller."""

    body_bytes: int = 1024 * 1024
    json_depth: int = 32
    timeout_seconds: float = 30.0
    key_rate: float = 50.0
    """Requests a second that one API key may make on average."""
    key_burst: int = 200
    free_tries_per_account: int = 4
    free_tries_per_address: int = 20


@dataclass(frozen=True)
class AdminDeps:
    """Everything that `create_app` needs from outside."""

    sessions: Sessions
    settings: Settings
    valkey: "Redis"
    routers: Sequence[APIRouter] = ()
    """Routers of others (webhooks, web chat), mounted as they are."""
    channels: Sequence[str] = ("telegram", "webchat")
    """Names of the channels that a bot can be on."""
    modes: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {"telegram": ("polling", "webhook"), "webchat": ("socket",)}
    )
    """How updates of a channel's bots may arrive, the usual way first."""
    check_bot_token: CheckBotToken | None = None
    deliver: Deliver | None = None
    """Sends at once what a request put on its way; without it the sweeper does."""
    probes: Mapping[str, Probe] = field(default_factory=dict)
    """Further parts that `/readyz` asks, by name."""
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    refresh_metrics: Refresh | None = None
    """Brings figures up to date that are read from outside; never raises."""
    limits: Limits = Limits()


def deps_of(request: Request) -> AdminDeps:
    """What runtime handed in."""
    deps = request.app.state.deps
    assert isinstance(deps, AdminDeps)
    return deps


def edge_of(request: Request) -> Edge:
    """The request's own edge: its transaction, who acts, what is audited."""
    edge = request.state.edge
    assert isinstance(edge, Edge)
    return edge


EdgeOf = Annotated[Edge, Depends(edge_of)]
"""Handler parameter: the edge."""
Deps = Annotated[AdminDeps, Depends(deps_of)]
"""Handler parameter: what runtime handed in."""


def json_ready(value: Any) -> dict[str, Any]:
    """A flat dataclass as JSON values for the audit log: times and enums as text."""
    plain = (str, int, float, bool, type(None), list, dict)
    return {key: item if isinstance(item, plain) else str(item) for key, item in vars(value).items()}

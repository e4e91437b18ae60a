"""Engines and sessions. A session carries what services need from outside in its `info`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from crm.db.lean import LeanSessions
from crm.db.pools import TimedPool, notice_silence, ping_rested, server_keepalives
from crm.kit.crypto import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Sessions = async_sessionmaker[AsyncSession]
_SURROUNDINGS = "siyu"


@dataclass(frozen=True)
class Surroundings:
    """What runtime hands to services through the session: never looked up globally."""

    vault: Vault
    ports: "Mapping[str, Any]"
    """Implementations by name, read only through the owner's typed accessor (`crm.jobs.queue.of(session)`)."""


class DatabaseAddressError(ValueError):
    """The address is not one of PostgreSQL."""


def async_url(url: str) -> str:
    """`url` with the asyncpg driver named, whatever form of PostgreSQL address was given.

    Raises DatabaseAddressError.
    """
    scheme, separator, rest = url.partition("://")
    if scheme.split("+")[0] not in {"postgresql", "postgres"} or not separator:
        message = "SIYU_DATABASE_URL must look like postgresql://user:password@host:port/name"
        raise DatabaseAddressError(message)
    return f"postgresql+asyncpg://{rest}"


def make_engine(url: str, *, pool_size: int = 10, application: str = "siyu") -> AsyncEngine:
    """An engine whose connections speak UTC and wait at most two seconds for a free place in the pool."""
    engine = create_async_engine(
        async_url(url),
        poolclass=TimedPool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        hide_parameters=True,  # errors go to logs, values may be personal
        connect_args={"server_settings": {"timezone": "UTC", "application_name": application, **server_keepalives()}},
    )
    ping_rested(engine)
    notice_silence(engine)
    return engine


def make_sessions(engine: AsyncEngine, surroundings: Surroundings) -> Sessions:
    """The factory of sessions; open transactions with `async with sessions.begin() as session`."""
    return LeanSessions(engine, expire_on_commit=False, info={_SURROUNDINGS: surroundings})


def surroundings(session: AsyncSession) -> Surroundings:
    """What runtime handed to this session."""
    found = session.info[_SURROUNDINGS]
    assert isinstance(found, Surroundings)
    return found


def vault(session: AsyncSession) -> Vault:
    """The vault that seals personal data of this deployment."""
    return surroundings(session).vault

"""The application over the test's database and a real Valkey, spoken to in process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from admin_api.app import create_app
from admin_api.deps import AdminDeps
from crm.config.settings import Settings
from crm.db.session import Sessions
from crm.operators.permissions import Role
from tests.admin_api.browser import Browser
from tests.factories.operators import make_api_key, make_operator


@dataclass(frozen=True)
class Site:
    """One application with its deps."""

    app: FastAPI
    deps: AdminDeps

    def client(self, base_url: str = "http://siyu.test", **headers: str) -> httpx.AsyncClient:
        """A client that speaks to the application."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=base_url, headers={"Accept-Language": "en", **headers})

    async def api(self, *scopes: str) -> httpx.AsyncClient:
        """A client with a new API key of these scopes, all when none is given."""
        async with self.deps.sessions.begin() as session:
            secret = await make_api_key(session, *scopes)
        return self.client(Authorization=f"Bearer {secret}")

    async def browser(self, role: Role = Role.OWNER) -> Browser:
        """A browser that a new operator of this role signed in with."""
        async with self.deps.sessions.begin() as session:
            operator = await make_operator(session, role=role)
        browser = Browser(self.client(), operator)
        await browser.sign_in()
        return browser


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    """A real Valkey, emptied before the test."""
    async with Redis.from_url(valkey_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def deps(sessions: Sessions, valkey: Redis) -> AdminDeps:
    """Deps over the database whose changes are rolled back."""
    return AdminDeps(sessions=sessions, settings=Settings(_env_file=None), valkey=valkey)


@pytest.fixture
def site(deps: AdminDeps) -> Site:
    """The application; what it commits is rolled back after the test."""
    return Site(create_app(deps), deps)


@pytest.fixture
def committed_site(deps: AdminDeps, committed_sessions: Sessions) -> Site:
    """The application over a database with real commits, for parallel requests."""
    own = replace(deps, sessions=committed_sessions)
    return Site(create_app(own), own)


MakeSite = Callable[..., Site]
Api = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
def make_site(deps: AdminDeps) -> MakeSite:
    """The application with other deps: `make_site(limits=Limits(...))`."""

    def make(**changes: object) -> Site:
        own = replace(deps, **changes)  # type: ignore[arg-type] # the fields are checked by the dataclass
        return Site(create_app(own), own)

    return make

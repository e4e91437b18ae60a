"""Somebody who receives webhooks over real HTTP on loopback, and can be slow, broken or away."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web

from crm.kit.egress import EgressRules
from crm.kit.networks import parse_networks
from runtime.egress import EgressClient

PATIENCE = 30.0
"""Seconds that a call may take in tests, which run on loaded machines."""


@cache
def loopback_egress(total_seconds: float = PATIENCE) -> EgressClient:
    """The real client, allowed to call this machine."""
    rules = EgressRules(allow_http=True, allowed=parse_networks("127.0.0.0/8"))
    return EgressClient(rules, total_seconds=total_seconds)


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        """The body read."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    def is_signed(self, secret: str) -> bool:
        """Whether one of the signatures was made with `secret`; written apart from what signs."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        digest = hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Consumer:
    """Answers by `status`, keeps what it heard; while `open_door` is not set it lets callers wait."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    heard: list[Heard] = field(default_factory=list)
    open_door: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most_inside: int = 0
    base_url: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        """One request."""
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            self.heard.append(Heard(request.path, dict(request.headers), await request.read()))
            self.news.set()
            await self.open_door.wait()
            return web.Response(status=self.status, headers=self.headers, text=self.text)
        finally:
            self.inside -= 1

    async def until(self, number: int) -> None:
        """Wait until it heard so many requests."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < number:
                self.news.clear()
                await self.news.wait()

    def ids(self) -> list[str]:
        """The `webhook-id` of each request."""
        return [one.headers["webhook-id"] for one in self.heard]


@asynccontextmanager
async def consuming(consumer: Consumer, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Consumer]:
    """The consumer on a port of this machine, with its door open."""
    consumer.open_door.set()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", consumer.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        consumer.base_url = f"http://{host}:{runner.addresses[0][1]}"
        yield consumer
    finally:
        await runner.cleanup()

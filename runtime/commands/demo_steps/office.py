"""The operator's side: an API key, then nothing but HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from crm.operators import api_keys
from crm.operators.permissions import Permission
from runtime.commands.demo_steps.script import StepFailed
from runtime.processes.up import Running


@dataclass(frozen=True)
class Office:
    """Calls the admin API."""

    http: aiohttp.ClientSession

    async def get(self, path: str, **query: str) -> Any:
        """The answer's JSON. Raises StepFailed on an error status."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. Raises StepFailed on an error status."""
        return await self._call("POST", path, json=body or {})

    async def until(self, path: str, is_so: Any, *, seconds: float = 30.0) -> Any:
        """Ask again and again until the answer is as wanted. Raises StepFailed."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    answer = await self.get(path)
                    if is_so(answer):
                        return answer
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise StepFailed(f"{path} did not get there in {seconds:.0f} s") from error

    async def _call(self, verb: str, path: str, **content: Any) -> Any:
        async with self.http.request(verb, f"/api/v1/{path}", **content) as answer:
            body = await answer.json(content_type=None)
            if not answer.ok:
                raise StepFailed(f"{verb} {path} answered {answer.status}: {body}")
            return body


@asynccontextmanager
async def open_office(running: Running) -> AsyncIterator[Office]:
    """An office with a key of its own."""
    async with running.container.sessions.begin() as session:
        issued = await api_keys.create(session, name="demo", scopes=["*"], granting=frozenset(Permission))
    headers = {"Authorization": f"Bearer {issued.secret}"}
    async with aiohttp.ClientSession(running.base_url, headers=headers) as http:
        yield Office(http)

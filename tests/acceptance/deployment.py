"""A whole deployment: every process apart, over one database and one Valkey, beside a simulated Telegram."""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.acceptance.processes import PATIENCE, Finished, Siyu, finish

APART = ("api", "worker", "sender", "scheduler", "poller")


@dataclass
class Deployment:
    """What the processes share, and those that run."""

    settings: dict[str, str]
    folder: Path
    running: dict[str, Siyu] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """Where the api listens."""
        return self.settings["SIYU_PUBLIC_URL"]

    async def siyu(self, *arguments: str) -> Finished:
        """Run a command beside the processes."""
        return await finish(*arguments, settings=self.settings, folder=self.folder)

    async def key(self, *, scopes: str = "*", name: str = "acceptance") -> str:
        """A new API key, made as an operator makes one."""
        made = await self.siyu("api-key", "create", "--name", name, "--scopes", scopes)
        assert made.status == 0, made.err
        return made.out.strip()

    async def start(self, *names: str) -> None:
        """Start these processes, all when none is named, and wait until they are ready."""
        for name in names or APART:
            self.running[name] = await Siyu.start(name, settings=self.settings, folder=self.folder)
        for name in names or APART:
            await self.running[name].until(lambda said: "started" in said)
        if "api" in self.running:
            await self._ready()

    async def _ready(self) -> None:
        async with httpx.AsyncClient(base_url=self.base_url) as client, asyncio.timeout(PATIENCE):
            while not await _answers(client):
                assert self.running["api"].process.returncode is None, self.running["api"].said
                await asyncio.sleep(0.1)

    async def end(self, number: signal.Signals, *, within: float = PATIENCE) -> dict[str, int]:
        """Signal every process at once; the exit statuses by name."""
        ending = {name: process.end(number, within=within) for name, process in self.running.items()}
        statuses = dict(zip(ending, await asyncio.gather(*ending.values()), strict=True))
        self.running = {}
        return statuses


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False

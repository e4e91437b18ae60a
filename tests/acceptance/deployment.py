"""A whole deployment: every process apart, over one database and one Valkey, beside a simulated Telegram."""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.acceptance.processes import PATIENCE, Finished, Siyu, finish
from tests.acceptance.waiting import until

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
            await answers(self.base_url, self.running["api"])

    async def end(self, number: signal.Signals, *, within: float = PATIENCE) -> dict[str, int]:
        """Signal every process at once; the exit statuses by name."""
        ending = {name: process.end(number, within=within) for name, process in self.running.items()}
        statuses = dict(zip(ending, await asyncio.gather(*ending.values()), strict=True))
        self.running = {}
        return statuses


async def answers(base_url: str, api: Siyu) -> None:
    """Wait until the api process is ready to serve at its address."""
    async with httpx.AsyncClient(base_url=base_url) as client:
        await until(lambda: _is_ready(client, api), lambda is_ready: is_ready)


async def _is_ready(client: httpx.AsyncClient, api: Siyu) -> bool:
    assert api.process.returncode is None, api.said
    try:
        return (await client.get("/readyz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False

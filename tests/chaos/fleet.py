"""The processes of a chaos run by name, several of a kind as `sender`, `sender#2`: had, killed, stopped."""

import asyncio
import signal
from dataclasses import dataclass

from tests.acceptance.deployment import Deployment, answers
from tests.acceptance.processes import PATIENCE, Siyu

SENDERS = ("sender", "sender#2")
STANDARD = ("api", "worker", "scheduler", *SENDERS)
"""What most tests need: the same for all of them, so that little is started anew."""


@dataclass
class Fleet(Deployment):
    """A deployment of which any number of processes of any kind may run."""

    async def have(self, *names: str) -> None:
        """Let exactly these run and be ready, whatever became of them before."""
        for name in [name for name, siyu in self.running.items() if siyu.process.returncode is not None]:
            del self.running[name]
        unwanted = [name for name in self.running if name not in names]
        await asyncio.gather(*(self.end_one(name, signal.SIGTERM) for name in unwanted))
        await asyncio.gather(*(self.begin(name) for name in names if name not in self.running))

    async def begin(self, name: str) -> Siyu:
        """Start one process and wait until it is ready."""
        siyu = await Siyu.start(name.partition("#")[0], settings=self.settings, folder=self.folder)
        self.running[name] = siyu
        await siyu.until(lambda said: "started" in said)
        if name == "api":
            await answers(self.base_url, siyu)
        return siyu

    def send(self, name: str, number: signal.Signals) -> None:
        """Signal one process (SIGSTOP, SIGCONT) that stays."""
        self.running[name].process.send_signal(number)

    async def kill(self, name: str) -> None:
        """kill -9; returns once it is gone."""
        assert await self.end_one(name, signal.SIGKILL) == -signal.SIGKILL

    async def end_one(self, name: str, number: signal.Signals, *, within: float = PATIENCE) -> int:
        """Signal one process and wait for its end; the exit status."""
        return await self.running.pop(name).end(number, within=within)

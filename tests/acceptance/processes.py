"""Starts the command `siyu` as a process of its own, reads what it says, and ends it by its pid."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from runtime.cli import main; main()")
PATIENCE = 120.0
"""Seconds that a busy machine may take for what takes a second or two."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting of Siyu's, and with `settings`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIYU_")}
    return {**own, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **settings}


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


@dataclass
class Siyu:
    """One running command; its own session, so that a signal reaches it alone."""

    name: str
    process: Process
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list["asyncio.Task[None]"] = field(default_factory=list)

    @classmethod
    async def start(cls, *arguments: str, settings: Mapping[str, str], folder: Path) -> Self:
        """Start `siyu ARGUMENTS` in `folder`, where no `.env` of a developer lies."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=environment(settings),
            cwd=folder,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        started = cls(" ".join(arguments), process)
        assert process.stdout is not None
        assert process.stderr is not None
        pipes = ((process.stdout, started.out), (process.stderr, started.err))
        started._readers = [asyncio.create_task(started._read(pipe, into)) for pipe, into in pipes]
        return started

    async def _read(self, pipe: asyncio.StreamReader, into: list[str]) -> None:
        async for line in pipe:
            async with self._news:
                into.append(line.decode(errors="replace"))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    @property
    def said(self) -> str:
        """Everything so far, for messages of failed tests."""
        return f"siyu {self.name}:\n{''.join(self.out)}{''.join(self.err)}"

    async def until(self, is_there: Callable[[str], bool]) -> str:
        """What it said once that is as wanted; raises AssertionError when it ended before."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: is_there(self.said) or all(task.done() for task in self._readers))
        assert is_there(self.said), self.said
        return self.said

    async def end(self, number: signal.Signals, *, within: float = PATIENCE) -> int:
        """Send the signal and wait; the exit status. Raises TimeoutError, having killed it."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.wait(within=within)

    async def wait(self, *, within: float = PATIENCE) -> int:
        """The exit status. Raises TimeoutError, having killed it."""
        try:
            async with asyncio.timeout(within):
                status = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise TimeoutError(f"it did not end within {within:.0f} s; {self.said}") from None
        finally:
            # What it started may hold the pipes open if it was killed; those lines are not waited for.
            await asyncio.wait(self._readers, timeout=5)
            for task in self._readers:
                task.cancel()
        return status


async def finish(*arguments: str, settings: Mapping[str, str], folder: Path, within: float = PATIENCE) -> Finished:
    """Run a command to its end."""
    started = await Siyu.start(*arguments, settings=settings, folder=folder)
    status = await started.wait(within=within)
    return Finished(status, "".join(started.out), "".join(started.err))

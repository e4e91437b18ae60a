"""What the two embedded servers have in common: being reached, stopped and deleted."""

import asyncio
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .lockfile import FolderLock
from .process import ServerProcess


@dataclass(frozen=True)
class RunningServer:
    """How to reach a running embedded server; the address holds its password."""

    url: str
    pid: int
    port: int


@dataclass(frozen=True)
class Place:
    """Where a server keeps what it holds, and which signals end it in order."""

    data_dir: Path
    record_name: str
    home: Path
    folder: str
    stop_signals: Sequence[signal.Signals]


class EmbeddedServer:
    """A started server, held until `stop`; also an async context manager that stops it."""

    def __init__(self, running: RunningServer, process: ServerProcess, place: Place, lock: FolderLock) -> None:
        self.running = running
        self._process = process
        self._place = place
        self._lock = lock

    @property
    def url(self) -> str:
        """The server's address, password included."""
        return self.running.url

    @property
    def pid(self) -> int:
        """The number of the server's process."""
        return self.running.pid

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return self.running.port

    async def stop(self) -> None:
        """Let it write everything to disk, end it, free the folder."""
        try:
            await self._process.end(self._place.stop_signals)
        finally:
            self._lock.release()

    async def destroy(self) -> None:
        """Stop the server and delete what it held, for good."""
        await self.stop()
        place = self._place
        (place.data_dir / place.record_name).unlink(missing_ok=True)
        doomed = place.home / place.folder if place.home == place.data_dir else place.home
        await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

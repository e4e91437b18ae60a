"""PostgreSQL and Valkey of these tests' own, each behind a misbehaving proxy, and processes over them."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runtime.embedded.postgres import start_postgres
from runtime.embedded.process import free_port
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import start_valkey
from tests.acceptance.deployment import answers
from tests.acceptance.processes import Siyu
from tests.chaos.fleet import Fleet
from tests.chaos.proxy import ChaosProxy

# What was committed must survive a killed server; that the machine itself loses power is not tried.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200", "shared_buffers": "64MB"}


@dataclass
class Ground:
    """The two servers, the proxies before them, and whether they run."""

    folder: Path
    postgres: EmbeddedServer
    valkey: EmbeddedServer
    to_postgres: ChaosProxy
    to_valkey: ChaosProxy

    async def stop_postgres(self, *, at_once: bool = False) -> None:
        """Shut it down in order, or as a crash does: sessions cut, nothing written that was not committed."""
        if at_once:
            os.kill(self.postgres.pid, signal.SIGQUIT)
        await self.postgres.stop()

    async def start_postgres(self) -> None:
        """Start it again, on whichever port is free; returns once it takes connections."""
        self.postgres = await start_postgres(self.folder, settings=_SETTINGS)
        self.to_postgres.target = ("127.0.0.1", self.postgres.port)

    async def restart_valkey(self) -> None:
        """Kill it and start it again, empty."""
        os.kill(self.valkey.pid, signal.SIGKILL)
        await self.valkey.destroy()
        self.valkey = await start_valkey(self.folder)
        self.to_valkey.target = ("127.0.0.1", self.valkey.port)
        self.to_valkey.reset()

    def direct(self, database_url: str) -> str:
        """The address of the same database past the proxy."""
        return database_url.replace(f":{self.to_postgres.port}/", f":{self.postgres.port}/")


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """Both servers, running; gone without a trace at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="siyu-chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = await start_postgres(folder, settings=_SETTINGS)
        valkey = await start_valkey(folder)
        to_postgres = await stack.enter_async_context(ChaosProxy(("127.0.0.1", postgres.port)))
        to_valkey = await stack.enter_async_context(ChaosProxy(("127.0.0.1", valkey.port)))
        made = Ground(folder, postgres, valkey, to_postgres, to_valkey)
        try:
            yield made
        finally:
            await made.valkey.destroy()
            await made.postgres.destroy()


@dataclass
class Estate(Fleet):
    """A fleet whose several `api` processes have ports of their own, and some of whose processes are special.

    A name is `kind` or `kind#which`; what `special` holds for `which` is added to that process's environment.
    """

    special: dict[str, Mapping[str, str]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def base(self, name: str) -> str:
        """Where the api process of this name listens."""
        if name == "api":
            return self.base_url
        return f"http://127.0.0.1:{self.ports.setdefault(name, free_port())}"

    def bases(self) -> list[str]:
        """The addresses of every api process that runs."""
        return [self.base(name) for name in self.running if name.partition("#")[0] == "api"]

    async def have(self, *names: str) -> None:
        """Let these run and be ready, whatever became of them before; others that run may stay: starting costs most."""
        for name in self.ended():
            del self.running[name]
        await asyncio.gather(*(self.begin(name) for name in names if name not in self.running))

    async def begin(self, name: str) -> Siyu:
        """Start one process and wait until it is ready."""
        kind, _, which = name.partition("#")
        own = dict(self.special.get(which, {}))
        if kind == "api":
            own["SIYU_HTTP_PORT"] = self.base(name).rpartition(":")[2]
        siyu = await Siyu.start(kind, settings={**self.settings, **own}, folder=self.folder)
        self.running[name] = siyu
        await siyu.until(lambda said: "started" in said)
        if kind == "api":
            await answers(self.base(name), siyu)
        return siyu

    def ended(self) -> dict[str, int]:
        """The processes that ended by themselves, with their exit status."""
        codes = {name: siyu.process.returncode for name, siyu in self.running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def said(self) -> str:
        """Everything that the running processes have said."""
        return "\n".join(siyu.said for siyu in self.running.values())

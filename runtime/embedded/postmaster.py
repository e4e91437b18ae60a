"""Bringing a PostgreSQL server up: the one left running, or a fresh one on a free port."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import asyncpg

from .binaries import Installation, choose_postgres
from .cluster import (
    ADMIN,
    DATABASE,
    FOLDER,
    OWNER,
    cluster_major,
    create_cluster,
    drop_stale_pid_file,
    read_pid_file,
)
from .errors import EmbeddedServerError
from .privileges import Account, install
from .process import ServerProcess, free_port, launch, log_size, log_tail
from .record import ServerRecord
from .settings import command_line

STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)  # fast shutdown, then immediate
_START_PATIENCE = 300.0  # seconds; recovery after a crash may have much to replay
_MEMORY_PATIENCE = 5.0  # seconds until what a killed server left has let go of shared memory


class Starter:
    """One attempt to bring the server of a data folder up."""

    def __init__(self, account: Account, settings: Mapping[str, str], log: Path) -> None:
        self._account = account
        self._settings = settings
        self._log = log

    async def start(self, record: ServerRecord) -> tuple[ServerRecord, ServerProcess]:
        """A server with Siyu's role and database in it, and the record of how it was started."""
        cluster = Path(record.home) / FOLDER
        process = await self._take_over(cluster, record)
        if process is None:
            installation = await asyncio.to_thread(self._prepare, cluster, record)
            record, process = await self._launch(installation.bin_folder, cluster, record)
        else:
            state = read_pid_file(cluster)
            record = replace(record, port=state[1] if state else record.port)
        try:
            await _ensure_database(record)
        except BaseException:
            await process.end(STOP_SIGNALS)
            raise
        record = replace(record, pid=process.pid, settings=dict(self._settings), initialised=True)
        return record, process

    async def _take_over(self, cluster: Path, record: ServerRecord) -> ServerProcess | None:
        """The server left running by a killed Siyu, if it answers and runs as it is wanted."""
        state = read_pid_file(cluster)
        if state is None:
            return None
        pid, port = state
        process = ServerProcess(pid, cluster, self._account)
        if not process.is_alive():
            drop_stale_pid_file(cluster)
            return None
        if record.settings == self._settings and await _answers(replace(record, port=port)):
            return process
        await process.end(STOP_SIGNALS)
        return None

    def _prepare(self, cluster: Path, record: ServerRecord) -> Installation:
        """Find or copy the binaries, and make the cluster if there is none."""
        home = Path(record.home)
        major = cluster_major(cluster)
        installation = choose_postgres(major)
        if self._account.is_other and installation.package is not None:
            package = installation.package
            libraries = package.with_name(f"{package.name}.libs")
            sources = [package, libraries] if libraries.is_dir() else [package]
            copy = install(sources, home, self._account, installation.label)
            bin_folder = copy / installation.bin_folder.relative_to(package.parent)
            installation = replace(installation, bin_folder=bin_folder)
        if major is None:
            create_cluster(
                installation.bin_folder,
                installation.major,
                home,
                self._account,
                record.admin_password,
            )
        return installation

    async def _launch(
        self, bin_folder: Path, cluster: Path, record: ServerRecord
    ) -> tuple[ServerRecord, ServerProcess]:
        """Start the server, again while a port was snatched or old memory is still held."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + _MEMORY_PATIENCE
        while True:
            record = replace(record, port=free_port(record.port))
            offset = log_size(self._log)
            command: list[str | Path] = [
                bin_folder / "postgres",
                "-D",
                cluster,
                *command_line(self._settings, record.port),
            ]
            process = launch(command, cluster, self._account, self._log)
            try:
                is_ready = await _wait_until_ready(process, record)
            except BaseException:
                await process.end(STOP_SIGNALS)
                raise
            if is_ready:
                return record, process
            reason = log_tail(self._log, offset)
            if clock() > give_up or not _is_passing(reason):
                raise EmbeddedServerError(f"PostgreSQL did not start in {cluster}. Its log {self._log} says:\n{reason}")
            await asyncio.sleep(0.2)


def _is_passing(reason: str) -> bool:
    signs = ("shared memory block", "Address already in use", "could not create any TCP/IP sockets")
    return any(sign in reason for sign in signs)


async def _wait_until_ready(process: ServerProcess, record: ServerRecord) -> bool:
    """Whether the server came to answer; False when it ended by itself instead."""
    try:
        async with asyncio.timeout(_START_PATIENCE):
            while process.is_alive():
                if await _answers(record):
                    return True
                await asyncio.sleep(0.03)
    except TimeoutError:
        raise EmbeddedServerError(
            f"PostgreSQL is still not ready after {_START_PATIENCE:.0f} s. "
            "Look at its log, and at what the disk is doing."
        ) from None
    return False


async def _answers(record: ServerRecord) -> bool:
    try:
        connection = await _connect_admin(record)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def _connect_admin(record: ServerRecord) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=record.port,
        user=ADMIN,
        password=record.admin_password,
        database="postgres",
        ssl=False,
        timeout=5,
    )


async def _ensure_database(record: ServerRecord) -> None:
    """Make Siyu's role and database; a crash between the two is made good at the next start."""
    connection = await _connect_admin(record)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER):
            await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{record.password}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            await connection.close()

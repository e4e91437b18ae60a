"""pg_restore turns the dump into SQL and psql runs it, both fed by streams, inside one transaction of ours."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .errors import BackupProblem
from .tools import Tools, address_without_password, environment

_PIECE = 256 * 1024
_HEAD_LINES = 40
_UNKNOWN_TO_OLD = b"SET transaction_timeout"
_COMPLAINT = 600


@dataclass(frozen=True)
class Loader:
    """Loads one dump into the database at `url`."""

    tools: Tools
    url: str
    is_old_server: bool
    """Whether the programs are newer than the server, and speak of a setting that it may not know."""

    async def load(self, dump: Iterator[bytes], schema: str, last: str) -> None:
        """Run the dump and then the statements `last`; the commit comes after both, so nothing is ever half done.

        Raises BackupProblem with what PostgreSQL complained of, and whatever `dump` raises.
        """
        async with self._running("pg_restore", "--no-owner", "--no-privileges", "--file=-") as reader:
            target = f"--dbname={address_without_password(self.url)}"
            async with self._running("psql", "-X", "-q", "-w", "--set=ON_ERROR_STOP=1", target) as writer:
                await self._pump(reader, writer, dump, schema, last)

    async def _pump(self, reader: Process, writer: Process, dump: Iterator[bytes], schema: str, last: str) -> None:
        said = [asyncio.create_task(_read_all(item.stderr)) for item in (reader, writer)]
        feeding = asyncio.create_task(_feed(reader, dump))
        try:
            await _write(writer, b"BEGIN;\n")
            await self._copy(reader, writer)
            await feeding
            if await reader.wait():
                raise BackupProblem(f"pg_restore cannot read the dump: {await said[0]}")
            await _write(writer, _ending(schema, last))
            _close(writer)
            if await writer.wait():
                raise BackupProblem(f"PostgreSQL refused the backup, and nothing was kept: {await said[1]}")
        except (BrokenPipeError, ConnectionResetError):
            await writer.wait()
            raise BackupProblem(f"PostgreSQL refused the backup, and nothing was kept: {await said[1]}") from None
        finally:
            feeding.cancel()
            for process in (writer, reader):
                await _end(process)
            await asyncio.gather(feeding, *said, return_exceptions=True)

    async def _copy(self, reader: Process, writer: Process) -> None:
        assert reader.stdout is not None
        for _ in range(_HEAD_LINES if self.is_old_server else 0):
            line = await reader.stdout.readline()
            await _write(writer, b"" if line.startswith(_UNKNOWN_TO_OLD) else line)
        while data := await reader.stdout.read(_PIECE):
            await _write(writer, data)

    @asynccontextmanager
    async def _running(self, name: str, *arguments: str) -> AsyncIterator[Process]:
        is_reader = name == "pg_restore"
        process = await asyncio.create_subprocess_exec(
            self.tools.path(name),
            *arguments,
            env=environment(self.url),
            stdin=PIPE,
            stdout=PIPE if is_reader else DEVNULL,
            stderr=PIPE,
        )
        try:
            yield process
        finally:
            await _end(process)


async def _feed(reader: Process, dump: Iterator[bytes]) -> None:
    """Hand over the dump; an error in it ends the reader, and with it the whole load before its commit."""
    try:
        for data in dump:
            await _write(reader, data)
    except (BrokenPipeError, ConnectionResetError):
        return
    except BaseException:
        reader.kill()
        raise
    _close(reader)


def _ending(schema: str, last: str) -> bytes:
    quoted = schema.replace('"', '""')
    return f'SET LOCAL search_path TO "{quoted}";\n{last}\nCOMMIT;\n'.encode()


async def _write(process: Process, data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    await process.stdin.drain()


def _close(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


async def _read_all(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await stream.read()).decode(errors="replace").strip()[-_COMPLAINT:]


async def _end(process: Process) -> None:
    """A psql that is killed before its commit leaves nothing behind."""
    if process.returncode is None:
        process.kill()
        await process.wait()

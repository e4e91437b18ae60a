"""What survives a restart: records in one SQLite file, written in batches off the hot path."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson

from .json_types import Json

_SCHEMA = """
create table if not exists records (
    kind text not null, key text not null, body blob not null, primary key (kind, key)
) without rowid
"""
_WRITE = "insert or replace into records (kind, key, body) values (?, ?, ?)"
_REMOVE = "delete from records where kind = ? and key = ?"


class Store:
    """A write-behind map of (kind, key) to a JSON object; without a folder it keeps nothing.

    A process that is killed loses at most the last unflushed batch; the system's page cache
    keeps what was handed to it.
    """

    def __init__(self, folder: Path | None, flush_seconds: float) -> None:
        self.folder = folder
        self._flush_seconds = flush_seconds
        self._dirty: dict[tuple[str, str], object | None] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._connection = None if folder is None else _opened(folder)

    def put(self, kind: str, key: str, body: object) -> None:
        """Keep a record (a dict or dataclass), read when its batch is written."""
        if self._connection is not None:
            self._dirty[kind, key] = body
            self._wake.set()

    def remove(self, kind: str, key: str) -> None:
        """Drop a record."""
        if self._connection is not None:
            self._dirty[kind, key] = None
            self._wake.set()

    def load(self, kind: str) -> Iterator[tuple[str, Json]]:
        """All records of a kind by key."""
        if self._connection is None:
            return
        rows = self._connection.execute("select key, body from records where kind = ? order by key", (kind,))
        for key, body in rows:
            yield key, orjson.loads(body)

    async def flush(self) -> None:
        """Write everything that is waiting and return when it is written."""
        async with self._writing:
            batch, self._dirty = self._dirty, {}
            if self._connection is None or not batch:
                return
            writes = [(k, n, orjson.dumps(b)) for (k, n), b in batch.items() if b is not None]
            removals = [place for place, body in batch.items() if body is None]
            await asyncio.to_thread(self._write, writes, removals)

    async def run(self) -> None:
        """Flush whenever something is waiting, at most once per interval, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._flush_seconds)
            self._wake.clear()
            await self.flush()

    async def close(self) -> None:
        """Write the rest and let go of the file."""
        await self.flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, writes: list[tuple[str, str, bytes]], removals: list[tuple[str, str]]) -> None:
        if self._connection is None:
            return
        with self._connection as connection:
            connection.executemany(_WRITE, writes)
            connection.executemany(_REMOVE, removals)


def _opened(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(folder / "simulator.sqlite3", check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
    connection.execute(_SCHEMA)
    connection.commit()
    return connection

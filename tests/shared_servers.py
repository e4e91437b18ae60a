"""Servers that many short runs of tests share: mutants of the code are tried on them, hundreds after each other.

Each run takes a slot, whose databases no other run uses at the time; what a run that was killed left there goes.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg

VARIABLE = "SIYU_TEST_SERVERS"
"""Addresses of a PostgreSQL with the migrated template and of a Valkey, and a folder for locks."""
SLOT = "SIYU_TEST_SLOT"
"""The slot of this run; without it the first free one is taken."""


@contextmanager
def take_slot(folder: Path) -> Iterator[int]:
    """A number that no other living process has."""
    given = os.environ.get(SLOT)
    for number in count() if given is None else (int(given),):
        with (folder / f"slot-{number}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield number
            return
    raise RuntimeError(f"slot {given} is taken")


async def prepare_database(admin_url: str, name: str, template: str) -> None:
    """Make the database from the template unless it is there; end what still uses it."""
    admin = await asyncpg.connect(admin_url)
    try:
        if not await admin.fetch("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        # the server's own processes there, such as an autovacuum, are not ours to end
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user"
        await admin.execute(ours, name)
    finally:
        await admin.close()

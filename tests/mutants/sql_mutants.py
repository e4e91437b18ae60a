"""Puts each faulty function into a database of its own and lets the tests of the ledger judge it."""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from time import sleep
from typing import Any

import asyncpg
import pytest

from crm.kit.clock import monotonic
from tests.conftest import TEMPLATE, Servers
from tests.mutants import selection
from tests.mutants.outcome import Outcome
from tests.mutants.sql_functions import TEXTS, replacing
from tests.mutants.sql_mutator import Mutant, mutants
from tests.shared_servers import SLOT, prepare_database

FIRST_SLOT = 100
"""Above those that other runs take by themselves."""
PATIENCE = 300.0
"""Seconds after which a run that does not end counts as noticed."""
LONGEST_STATEMENT = "20s"
"""A fault may make a loop endless."""
TESTS = selection.files(selection.POSTING)
CROWDS = selection.files(selection.CROWDS)
_ARGUMENTS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_FORK = multiprocessing.get_context("fork")
_KILLED, _SURVIVED, _REFUSED = "killed", "survived", "refused"


def try_all(servers: Servers, workers: int, only: str, every: int, show: Callable[[str], None]) -> Outcome:
    """Mutants whose function or line contains `only`, each `every`-th of them; `show` gets a line for each."""
    if (
        pytest.main([*_ARGUMENTS, "--collect-only", "-q", *TESTS, *CROWDS]) != pytest.ExitCode.OK
    ):  # imports everything before the forks
        raise RuntimeError("the tests of the ledger cannot be collected")
    found = [mutant for name, text in TEXTS.items() for mutant in mutants(name, text) if only in mutant.name]
    found = found[::every]
    slots: Any = _FORK.Queue()
    for number in range(workers):
        slots.put(FIRST_SLOT + number)
    verdicts: dict[str, list[str]] = {_KILLED: [], _SURVIVED: [], _REFUSED: []}
    with closing(_FORK.Pool(workers, _Bench.open, (servers, slots))) as pool:
        for mutant, verdict in zip(found, pool.imap(_Bench.judge, found), strict=True):
            verdicts[verdict].append(mutant.name)
            show(f"{verdict:9} {mutant.name}")
    return Outcome("database functions", len(verdicts[_KILLED]), verdicts[_SURVIVED])


class _Bench:
    """Two databases of one worker process, and one run of the tests at a time."""

    servers: Servers
    slot: int

    @classmethod
    def open(cls, servers: Servers, slots: Any) -> None:
        """Make the databases, and see that the tests pass without any fault."""
        cls.servers, cls.slot = servers, slots.get()
        os.environ[SLOT] = str(cls.slot)
        asyncio.run(cls._prepare())
        if _run([*TESTS, *CROWDS]) != pytest.ExitCode.OK:
            raise RuntimeError("the tests of the ledger fail without any fault in it")

    @classmethod
    def judge(cls, mutant: Mutant) -> str:
        """Whether the tests notice the fault; `refused` when it is no function at all."""
        try:
            asyncio.run(cls._install(mutant.text))
        except asyncpg.PostgresError:
            return _REFUSED
        status = _run(TESTS)
        if status == pytest.ExitCode.OK and mutant.locks:
            status = _run(CROWDS)
        asyncio.run(cls._install(TEXTS[mutant.function]))
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, None):
            raise RuntimeError(f"the tests could not be run: status {status}")
        return _SURVIVED if status == pytest.ExitCode.OK else _KILLED

    @classmethod
    def _names(cls) -> tuple[str, str]:
        return f"rolled_back_{cls.slot}", f"committed_{cls.slot}"

    @classmethod
    async def _prepare(cls) -> None:
        admin = await asyncpg.connect(cls.servers.postgres_url)
        for name in cls._names():
            await prepare_database(cls.servers.postgres_url, name, TEMPLATE)
            await admin.execute(f"ALTER DATABASE {name} SET statement_timeout = '{LONGEST_STATEMENT}'")
        await admin.close()

    @classmethod
    async def _install(cls, text: str) -> None:
        for name in cls._names():
            await prepare_database(cls.servers.postgres_url, name, TEMPLATE)  # ends what still waits for a lock there
            database = await asyncpg.connect(cls.servers.database(name))
            try:
                await database.execute(replacing(text))
            finally:
                await database.close()


def _run(tests: Sequence[str]) -> int | None:
    """Run these tests in a process of their own; its exit status, None when it had to be ended."""
    child = os.fork()
    if child == 0:
        _become_quiet()
        os._exit(int(pytest.main([*_ARGUMENTS, *tests])))
    until = monotonic() + PATIENCE
    while monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _become_quiet() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(nothing, stream.fileno())

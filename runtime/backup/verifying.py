"""Proving a backup: it is restored into a throw-away database, compared with its manifest and re-derived."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crm.audit import service as audit
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.kit.crypto import Vault
from crm.points import service as points
from runtime.embedded.postgres import start_postgres
from runtime.migrate import migrate

from .facts import Facts, count_tables, heads
from .restoring import restore

_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_OWN = frozenset({"safe_mode"})
"""Tables in which the restore itself writes."""


@dataclass(frozen=True)
class Verified:
    """What a backup holds, and what is wrong with it."""

    facts: Facts
    problems: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.facts.tables.values())


async def verify_backup(path: Path, vault: Vault, surroundings: Surroundings, into: str | None = None) -> Verified:
    """Restore into the empty database `into`, which keeps it, or into a server of this moment; then look at everything.

    Raises BackupProblem, BackupDamaged when it cannot be restored at all.
    """
    async with _database(into) as url:
        found = await restore(path, vault, url)
        engine = make_engine(url, pool_size=2, application="siyu backup verify")
        try:
            sessions = make_sessions(engine, surroundings)
            problems = await _miscounted(sessions, found.tables)
            await migrate(url)
            problems += await _broken(sessions, found)
        finally:
            await engine.dispose()
    return Verified(found, tuple(problems))


async def _miscounted(sessions: Sessions, expected: Mapping[str, int]) -> list[str]:
    async with sessions() as session:
        counted = await count_tables(session)
    names = sorted({*expected, *counted})
    return [
        f"{name}: {counted.get(name, 0)} rows instead of {expected.get(name, 0)}"
        for name in names
        if counted.get(name) != expected.get(name) and name.rpartition(".")[2] not in _OWN
    ]


async def _broken(sessions: Sessions, expected: Facts) -> list[str]:
    problems = []
    async with sessions.begin() as session:
        found = await heads(session)
        if found.ledger != expected.heads.ledger:
            problems.append("the ledger's chains end elsewhere than in the manifest")
        if found.audit != expected.heads.audit:
            problems.append("the audit log's chain ends elsewhere than in the manifest")
    async with sessions.begin() as session:
        ledger = await points.verify(session)
        problems += [f"ledger, {item.check}: {item.subject} {item.detail}" for item in ledger.problems]
    async with sessions.begin() as session:
        log = await audit.verify(session)
        if not log.is_clean:
            problems.append(f"the audit log is broken from entry {log.first_bad_id} on")
    return problems


@asynccontextmanager
async def _database(into: str | None) -> AsyncIterator[str]:
    if into is not None:
        yield into
        return
    folder = Path(tempfile.mkdtemp(prefix="siyu-verify-"))
    try:
        server = await start_postgres(folder, settings=_FAST)
        try:
            yield server.url
        finally:
            await server.destroy()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Restoring a backup into an empty database, in one transaction that ends in the safe mode."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory

from crm.kit.crypto import Vault
from crm.recovery import service as recovery
from runtime.migrate import MIGRATION_LOCK, alembic_config, migrate

from . import facts
from .errors import BackupDamaged, BackupProblem
from .facts import Facts
from .frames import Part, read_frames
from .loading import Loader
from .tools import find_tools

_IS_EMPTY = """
SELECT NOT EXISTS (
    SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))
"""
_CUT = "The backup was cut off or changed since it was written; use another copy of it."


def inspect(path: Path, vault: Vault) -> Facts:
    """Read the whole file once: every byte is proven before a database is touched.

    Raises BackupProblem, BackupDamaged.
    """
    found: Facts | None = None
    for part, data in frames_of(path, vault):
        if part is Part.FACTS:
            found = facts.read(data)
    if found is None:
        raise BackupDamaged(_CUT)
    return found


def frames_of(path: Path, vault: Vault) -> Iterator[tuple[Part, bytes]]:
    """The frames in the order that makes a backup: facts, dump, end; the digest of the dump is compared."""
    digest, size, before = hashlib.sha256(), 0, None
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupProblem(f"{path} cannot be read ({error.strerror}).") from error
    with file:
        for part, data in read_frames(file, vault):
            if (part is Part.FACTS) is not (before is None) or before is Part.END:
                raise BackupDamaged(_CUT)
            if part is Part.DUMP:
                digest.update(data)
                size += len(data)
            if part is Part.END and facts.END.validate_json(data) != facts.End(digest.hexdigest(), size):
                raise BackupDamaged(_CUT)
            before = part
            yield part, data
    if before is not Part.END:
        raise BackupDamaged(_CUT)


def check_revision(found: Facts) -> None:
    """Raises BackupProblem when the backup is of a newer version, which this one does not understand."""
    script = ScriptDirectory.from_config(alembic_config())
    if found.revision not in {item.revision for item in script.walk_revisions()}:
        raise BackupProblem(
            f"The backup was made by Siyu {found.version} (schema {found.revision}), which is newer than this one; "
            "install that version and restore with it."
        )


async def restore(path: Path, vault: Vault, url: str) -> Facts:
    """Bring the backup into the empty database at `url`; it is there completely or not at all, and sends nothing.

    The schema stays at the backup's revision; `migrate` is the next step. Raises BackupProblem, BackupDamaged.
    """
    found = await asyncio.to_thread(inspect, path, vault)
    check_revision(found)
    async with _emptiness(url) as server_major:
        tools = await asyncio.to_thread(find_tools, server_major)
        loader = Loader(tools, url, is_old_server=server_major < tools.major)
        dump = (data for part, data in frames_of(path, vault) if part is Part.DUMP)
        await loader.load(dump, found.schema, recovery.start_script(found.made_at))
    return found


async def restore_and_migrate(path: Path, vault: Vault, url: str) -> Facts:
    """`restore`, then bring the schema to this version."""
    found = await restore(path, vault, url)
    await migrate(url)
    await _analyze(url)
    return found


@asynccontextmanager
async def _emptiness(url: str) -> AsyncIterator[int]:
    """Nobody else makes tables in the meantime; answers the server's major version. Raises BackupProblem."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", MIGRATION_LOCK):
            raise BackupProblem("Another Siyu is bringing this database up to date; stop it first.")
        if not await connection.fetchval(_IS_EMPTY):
            raise BackupProblem(
                "The database is not empty, and a restore never overwrites anything. Make a new, empty database and "
                "name it in SIYU_DATABASE_URL; with the embedded server, choose a new folder with SIYU_DATA_DIR."
            )
        yield int(await connection.fetchval("SHOW server_version_num")) // 10000
    finally:
        await connection.close()


async def _analyze(url: str) -> None:
    """A dump holds no statistics, without which the first queries would be planned badly."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()

"""Making a backup: pg_dump and the manifest see one snapshot, and what comes out is sealed as it comes."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.kit.crypto import Vault
from crm.recovery import service as recovery
from crm.recovery.types import Backup

from . import facts
from .errors import BackupProblem
from .frames import FRAME_BYTES, Part, SealedWriter
from .tools import Tools, address_without_password, environment, find_tools

_OPTIONS = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--no-password")
_COMPLAINT = 600


async def make_backup(sessions: Sessions, url: str, vault: Vault, target: Path) -> Backup:
    """Write the whole database to `target`, which must not exist yet; it appears complete or not at all.

    Raises BackupProblem.
    """
    with _partial(target) as file:
        writer = SealedWriter(file, vault)
        async with sessions() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            found = await _dump(session, url, writer)
            await session.rollback()
    backup = Backup(found.made_at, target.name, writer.size, writer.sha256)
    async with sessions.begin() as session:
        await recovery.note_backup(session, backup)
    return backup


async def _dump(session: AsyncSession, url: str, writer: SealedWriter) -> facts.Facts:
    # The snapshot lives as long as this transaction, which waits for pg_dump.
    await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    snapshot = (await session.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
    found = await facts.gather(session)
    writer.write(Part.FACTS, facts.FACTS.dump_json(found))
    tools = await asyncio.to_thread(find_tools, found.server)
    end = await _seal_dump(tools, url, snapshot, writer)
    writer.write(Part.END, facts.END.dump_json(end), is_last=True)
    return found


async def _seal_dump(tools: Tools, url: str, snapshot: str, writer: SealedWriter) -> facts.End:
    process = await asyncio.create_subprocess_exec(
        tools.path("pg_dump"),
        *_OPTIONS,
        f"--snapshot={snapshot}",
        f"--dbname={address_without_password(url)}",
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaint = asyncio.create_task(process.stderr.read())
    digest, size = hashlib.sha256(), 0
    try:
        while data := await process.stdout.read(FRAME_BYTES):
            writer.write(Part.DUMP, data)
            digest.update(data)
            size += len(data)
        if await process.wait():
            said = (await complaint).decode(errors="replace").strip()
            raise BackupProblem(f"pg_dump could not read the database: {said[-_COMPLAINT:]}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await complaint
    return facts.End(digest.hexdigest(), size)


@contextmanager
def _partial(target: Path) -> Iterator[BinaryIO]:
    """A private file beside `target` that takes its name once it is whole and on the disk."""
    if target.exists():
        raise BackupProblem(f"{target} exists already; a backup never replaces a file. Choose another name.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.link(partial, target)
    finally:
        partial.unlink(missing_ok=True)

"""A file that is looked at before it is brought in: uploaded once, tried and started from where it lies."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.imports import mapping as columns
from crm.imports.errors import ImportNotFound, ImportNotReady, InvalidFile
from crm.imports.models import ImportProblemRow, ImportRow
from crm.imports.service import FILE, JOB, fingerprint_of, get, look_at
from crm.imports.types import Import, ImportStatus, Sheet
from crm.jobs.service import enqueue
from crm.kit.ids import token
from crm.kit.text import clean_name
from crm.members import attributes
from crm.tags import service as tags

KEPT = timedelta(days=1)
_READY = (ImportStatus.UPLOADED, ImportStatus.FINISHED)


async def upload(session: AsyncSession, data: bytes, *, filename: str, by: str) -> Import:
    """Keep a file, sealed, for a day; nothing is brought in yet. Raises InvalidFile."""
    found = await look_at(session, data)
    if found.rows_total == 0:
        raise InvalidFile("the file has a row with the names of the columns, but nothing below it")
    fingerprint = fingerprint_of(data, found.mapping, ())
    row = ImportRow(
        filename=clean_name(filename) or "members.csv",
        fingerprint=fingerprint,
        file_sealed=vault(session).seal(data, f"{FILE}:{fingerprint.hex()}"),
        encoding=found.encoding,
        mapping=found.mapping,
        is_dry_run=True,
        status=ImportStatus.UPLOADED,
        rows_total=found.rows_total,
        by=by,
    )
    session.add(row)
    await session.flush()
    return await get(session, row.id)


async def sheet(session: AsyncSession, import_id: int) -> Sheet:
    """The columns of the kept file. Raises ImportNotFound, ImportNotReady."""
    return await look_at(session, _file(session, await _row(session, import_id)))


async def begin(
    session: AsyncSession,
    import_id: int,
    *,
    mapping: Mapping[str, str],
    tags_for_all: Sequence[str] = (),
    is_dry_run: bool,
) -> Import:
    """Run the kept file, as a trial or in earnest; what was imported before answers that import.

    Raises ImportNotFound, ImportNotReady, InvalidMapping, InvalidTag, TagArchived.
    """
    row = await _row(session, import_id)
    data = _file(session, row)
    header = (await look_at(session, data)).header
    chosen = columns.check(mapping, header, await attributes.definitions(session))
    labels = [(await tags.usable(session, tag)).label for tag in tags_for_all]
    fingerprint = fingerprint_of(data, chosen, labels)
    same = select(ImportRow.id).where(ImportRow.fingerprint == fingerprint, ImportRow.is_dry_run.is_(False))
    known = None if is_dry_run else (await session.scalars(same)).one_or_none()
    if known is not None:
        return await get(session, known)
    row.mapping, row.tags, row.fingerprint, row.is_dry_run = chosen, labels, fingerprint, is_dry_run
    row.file_sealed = vault(session).seal(data, f"{FILE}:{fingerprint.hex()}")
    row.status, row.finished_at = ImportStatus.QUEUED, None
    row.rows_done = row.rows_created = row.rows_updated = row.rows_failed = 0
    await session.execute(delete(ImportProblemRow).where(ImportProblemRow.import_id == import_id))
    await session.flush()
    await enqueue(session, JOB, {"import_id": import_id}, key=f"{JOB}:{import_id}:{token(size=8)}")
    return await get(session, import_id)


async def forget_files(session: AsyncSession) -> int:
    """Remove files that lie for more than a day without having been imported; answers how many."""
    old = (await clock.now(session)) - KEPT
    stale = update(ImportRow).where(
        ImportRow.file_sealed.is_not(None), ImportRow.status.in_(_READY), ImportRow.created_at < old
    )
    return len((await session.execute(stale.values(file_sealed=None).returning(ImportRow.id))).all())


async def _row(session: AsyncSession, import_id: int) -> ImportRow:
    row = await session.get(ImportRow, import_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise ImportNotFound(import_id=import_id)
    return row


def _file(session: AsyncSession, row: ImportRow) -> bytes:
    if row.file_sealed is None or row.status not in _READY:
        raise ImportNotReady(import_id=row.id)
    return vault(session).open_bytes(row.file_sealed, f"{FILE}:{row.fingerprint.hex()}")

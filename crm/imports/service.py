"""Use cases of imports: looking at a file, starting one, and reading how it went."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.imports import mapping as columns
from crm.imports import table
from crm.imports.errors import ImportNotFound
from crm.imports.models import ImportProblemRow, ImportRow
from crm.imports.types import Import, ImportStatus, RowProblem, Sheet
from crm.jobs.service import enqueue
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.kit.text import clean_name
from crm.members import attributes
from crm.tags import service as tags

JOB = "imports.members"
FILE = "imports.file"
_FIELDS = tuple(name for name in Import.__dataclass_fields__ if name != "has_file")


async def look_at(session: AsyncSession, data: bytes) -> Sheet:
    """What the file looks like, with a suggested mapping. Raises InvalidFile."""
    text, encoding = table.decode(data)
    header = table.header_of(text)
    suggested = columns.suggest(header, await attributes.definitions(session))
    return Sheet(encoding, header, table.count(text), suggested)


async def start(
    session: AsyncSession,
    data: bytes,
    *,
    filename: str,
    by: str,
    mapping: Mapping[str, str] | None = None,
    tags_for_all: Sequence[str] = (),
    is_dry_run: bool = False,
) -> Import:
    """Check a file and queue it; the same file with the same mapping and tags is imported once, however often.

    A dry run does everything and keeps nothing but its figures and problems. Without a mapping the suggested one
    is used. Raises InvalidFile, InvalidMapping, InvalidTag, TagArchived.
    """
    sheet = await look_at(session, data)
    chosen = sheet.mapping if mapping is None else mapping
    chosen = columns.check(chosen, sheet.header, await attributes.definitions(session))
    labels = [(await tags.usable(session, tag)).label for tag in tags_for_all]
    fingerprint = fingerprint_of(data, chosen, labels)
    values = {
        "filename": clean_name(filename) or "members.csv",
        "fingerprint": fingerprint,
        "file_sealed": vault(session).seal(data, f"{FILE}:{fingerprint.hex()}"),
        "encoding": sheet.encoding,
        "mapping": chosen,
        "tags": labels,
        "is_dry_run": is_dry_run,
        "rows_total": sheet.rows_total,
        "by": by,
    }
    claimed = await session.execute(insert(ImportRow).values(values).on_conflict_do_nothing().returning(ImportRow.id))
    import_id = claimed.scalar_one_or_none()
    if import_id is None:
        same = select(ImportRow.id).where(ImportRow.fingerprint == fingerprint, ImportRow.is_dry_run.is_(False))
        return await get(session, (await session.scalars(same)).one())
    await enqueue(session, JOB, {"import_id": import_id}, key=f"{JOB}:{import_id}")
    return await get(session, import_id)


async def get(session: AsyncSession, import_id: int) -> Import:
    """One import as it stands now. Raises ImportNotFound."""
    row = (await session.execute(_select().where(ImportRow.id == import_id))).mappings().one_or_none()
    if row is None:
        raise ImportNotFound(import_id=import_id)
    return Import(**{**row, "status": ImportStatus(row["status"])})


async def listing(session: AsyncSession, *, limit: int = 50) -> list[Import]:
    """The last imports, newest first."""
    rows = await session.execute(_select().order_by(ImportRow.id.desc()).limit(check_limit(limit)))
    return [Import(**{**row, "status": ImportStatus(row["status"])}) for row in rows.mappings()]


async def problems(
    session: AsyncSession, import_id: int, *, limit: int = 200, cursor: str | None = None
) -> Page[RowProblem]:
    """The rows that were left out, in order. Raises ImportNotFound, InvalidCursor, InvalidLimit."""
    await get(session, import_id)
    limit = check_limit(limit)
    query = select(ImportProblemRow.row, ImportProblemRow.reason).where(ImportProblemRow.import_id == import_id)
    if cursor is not None:
        query = query.where(ImportProblemRow.row > decode_cursor(cursor, int)[0])
    rows = (await session.execute(query.order_by(ImportProblemRow.row).limit(limit + 1))).all()
    return page_of(rows, limit, lambda row: RowProblem(row[0], row[1]), lambda row: (row[0],))


def _select() -> Select[Any]:
    return select(*(getattr(ImportRow, name) for name in _FIELDS), ImportRow.file_sealed.is_not(None).label("has_file"))


def fingerprint_of(data: bytes, mapping: Mapping[str, str], labels: Sequence[str]) -> bytes:
    """What makes an import the same as another one."""
    settings = json.dumps([sorted(mapping.items()), sorted(labels)], ensure_ascii=False)
    return hashlib.sha256(hashlib.sha256(data).digest() + settings.encode()).digest()

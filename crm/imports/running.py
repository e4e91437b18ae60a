"""Bringing a file in, a chunk of rows per transaction: what was done is counted with what it did."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.brand.types import Brand
from crm.db import clock
from crm.db.session import Sessions, vault
from crm.imports import bringing, table
from crm.imports.mapping import BadRow, Draft, draft
from crm.imports.models import ImportProblemRow, ImportRow
from crm.imports.service import FILE
from crm.imports.types import ImportStatus
from crm.kit.errors import DomainError
from crm.members import attributes, phones, policy
from crm.members.attributes import AttributeDefinition
from crm.members.errors import InvalidPhone

CHUNK = 500


@dataclass(frozen=True)
class _File:
    """A file that is being brought in."""

    records: list[table.Record]
    fields: list[str]
    """The field that each column goes to; empty for none."""
    brand: Brand
    definitions: Mapping[str, AttributeDefinition]
    doubles: dict[int, int] = field(default_factory=dict)
    """Row -> the earlier row with the same phone."""


async def run(sessions: Sessions, import_id: int) -> None:
    """Bring the whole file in; after a crash it goes on behind the last chunk that was committed."""
    async with sessions.begin() as session:
        row = await session.get(ImportRow, import_id)
        file = None if row is None or row.file_sealed is None else await _read(session, row, row.file_sealed)
    while file is not None:
        async with sessions.begin() as session:
            row = await session.get(ImportRow, import_id, with_for_update=True)
            if row is None or row.status == ImportStatus.FINISHED or not await _chunk(session, row, file):
                return


async def _read(session: AsyncSession, row: ImportRow, sealed: bytes) -> _File:
    data = vault(session).open_bytes(sealed, f"{FILE}:{row.fingerprint.hex()}")
    text, _ = table.decode(data)
    fields = [row.mapping.get(name, "") for name in table.header_of(text)]
    house = await brand.get(session)
    records, doubles = await asyncio.to_thread(_parse, text, fields, policy.region_of(house.currency))
    definitions = {item.key: item for item in await attributes.definitions(session)}
    return _File(records, fields, house, definitions, doubles)


def _parse(text: str, fields: Sequence[str], region: str | None) -> tuple[list[table.Record], dict[int, int]]:
    """Every row, and which rows repeat the phone of an earlier one. Long work: off the event loop."""
    records = list(table.records(text))
    first: dict[str, int] = {}
    doubles: dict[int, int] = {}
    column = fields.index("phone") if "phone" in fields else None
    for record in records:
        if column is None or record.problem is not None or not record.cells[column]:
            continue
        try:
            phone = phones.normal_phone(record.cells[column], region)
        except InvalidPhone:
            continue
        if first.setdefault(phone, record.row) != record.row:
            doubles[record.row] = first[phone]
    return records, doubles


async def _chunk(session: AsyncSession, row: ImportRow, file: _File) -> bool:
    """The next rows; False when they were the last."""
    chunk = file.records[row.rows_done : row.rows_done + CHUNK]
    outcome = bringing.Outcome()
    drafts = [item for item in (_draft(record, file, outcome) for record in chunk) if item is not None]
    import_id, is_dry_run = row.id, row.is_dry_run
    order = bringing.Order(import_id, row.by, row.tags, file.brand)
    async with session.begin_nested() as savepoint:
        await bringing.Bringer(session, order, outcome).bring_in(drafts)
        if is_dry_run:
            await savepoint.rollback()
    return await _note(session, import_id, len(chunk), outcome) is not ImportStatus.FINISHED


def _draft(record: table.Record, file: _File, outcome: bringing.Outcome) -> Draft | None:
    try:
        if record.problem is not None:
            raise BadRow(record.problem)
        if record.row in file.doubles:
            raise BadRow(f"the same phone stands in row {file.doubles[record.row]}")
        cells = {name: cell for name, cell in zip(file.fields, record.cells, strict=True) if name}
        return draft(record.row, cells, file.brand, file.definitions)
    except DomainError as error:
        outcome.problems[record.row] = error.detail
        return None


async def _note(session: AsyncSession, import_id: int, rows: int, outcome: bringing.Outcome) -> ImportStatus:
    """Count what was done, in the transaction that did it; answers where the import stands now."""
    row = (await session.scalars(select(ImportRow).where(ImportRow.id == import_id))).one()
    row.rows_done += rows
    row.rows_created += outcome.created
    row.rows_updated += outcome.updated
    row.rows_failed += len(outcome.problems)
    row.status = ImportStatus.RUNNING
    if row.rows_done >= row.rows_total:
        row.status, row.finished_at = ImportStatus.FINISHED, await clock.now(session)
        row.file_sealed = row.file_sealed if row.is_dry_run else None
    if outcome.problems:
        found = [{"import_id": import_id, "row": own, "reason": text} for own, text in outcome.problems.items()]
        await session.execute(insert(ImportProblemRow), found)
    await session.flush()
    return ImportStatus(row.status)

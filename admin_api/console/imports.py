"""Members from a CSV file: upload, say which column is what, try, start, watch."""

from typing import Annotated, Any

from fastapi import File, Response, UploadFile

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.forms import Texts, address, parts
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import again, is_fragment, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.imports import service, staging
from crm.imports.errors import InvalidFile
from crm.imports.mapping import ATTRIBUTE, FIELDS
from crm.imports.types import Import, ImportStatus
from crm.kit.errors import DomainError
from crm.members import attributes
from crm.operators.permissions import Permission
from crm.tags import service as tags

router = page_router(f"{ROOT}/imports")
HERE = f"{ROOT}/imports"
_IMPORT = allow(Permission.MEMBERS_IMPORT)
_LARGEST = 21 * 1024 * 1024
_COLUMN = "column_"
_BUSY = (ImportStatus.QUEUED, ImportStatus.RUNNING)


async def _list_values(edge: Edge) -> dict[str, Any]:
    return {"imports": await service.listing(edge.session), "actors": await actor_names(edge)}


@router.get("", dependencies=[_IMPORT], name="import.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """The last imports, and the way to a new one."""
    return await render(edge, "imports/list", nav="members", **await _list_values(edge))


@router.post("", dependencies=[_IMPORT], name="import.upload", max_body_size=_LARGEST)
async def upload(edge: EdgeOf, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Keep a file for a day; nothing is brought in yet."""
    data = await file.read() if file is not None else b""
    try:
        if file is None or not data:
            raise InvalidFile("choose a CSV file that is not empty")
        found = await staging.upload(edge.session, data, filename=file.filename or "", by=edge.acting.actor)
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "imports/list", error, nav="members", **await _list_values(edge))
    edge.note("import.upload", f"import:{found.id}", after={"rows": found.rows_total})
    return redirect(edge, f"{HERE}/{found.id}")


@router.get("/{import_id}", dependencies=[_IMPORT], name="import.page")
async def import_page(edge: EdgeOf, import_id: IdPath, cursor: Cursor = None) -> Response:
    """Where it stands; while it runs, the page asks again by itself."""
    found = await service.get(edge.session, import_id)
    values = await _values(edge, found, cursor)
    if is_fragment(edge):
        return await render(edge, "imports/progress", **values)
    return await render(edge, "imports/detail", nav="members", **values)


async def _values(edge: Edge, found: Import, cursor: str | None = None) -> dict[str, Any]:
    is_ready = found.has_file and found.status not in _BUSY
    page = await service.problems(edge.session, found.id, limit=100, cursor=cursor)
    here = f"{HERE}/{found.id}"
    known = await tags.listing(edge.session) if is_ready else []
    return {
        "found": found,
        "is_busy": found.status in _BUSY,
        "is_ready": is_ready,
        "header": (await staging.sheet(edge.session, found.id)).header if is_ready else [],
        "fields": FIELDS,
        "definitions": await attributes.definitions(edge.session),
        "attribute_prefix": ATTRIBUTE,
        "tag_suggestions": [tag.label for tag in known],
        "problems": page.items,
        "next_href": address(here, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": here if cursor else "",
        "actors": await actor_names(edge),
    }


@router.post("/{import_id}/check", dependencies=[_IMPORT], name="import.check")
async def check(edge: EdgeOf, import_id: IdPath, tag: Texts = []) -> Response:  # noqa: B006 - FastAPI copies it
    """Try it: figures and problems of every row, and nothing is kept."""
    return await _begin(edge, import_id, parts(tag), is_dry_run=True)


@router.post("/{import_id}/start", dependencies=[_IMPORT], name="import.start")
async def start(edge: EdgeOf, import_id: IdPath, tag: Texts = []) -> Response:  # noqa: B006 - FastAPI copies it
    """Bring the members in."""
    return await _begin(edge, import_id, parts(tag), is_dry_run=False)


async def _begin(edge: Edge, import_id: int, tags_for_all: list[str], *, is_dry_run: bool) -> Response:
    mapping = await _mapping(edge, import_id)
    try:
        found = await staging.begin(
            edge.session, import_id, mapping=mapping, tags_for_all=tags_for_all, is_dry_run=is_dry_run
        )
    except DomainError as error:
        await edge.session.rollback()
        values = await _values(edge, await service.get(edge.session, import_id))
        typed = {"mapping": mapping, "tags": tags_for_all}
        return await again(edge, "imports/detail", error, nav="members", typed=typed, **values)
    edge.note(
        "import.check" if is_dry_run else "import.start",
        f"import:{found.id}",
        after={"columns": len(mapping), "tags": tags_for_all, "rows": found.rows_total},
    )
    said = "This file was imported before; here is how it went." if found.id != import_id else ""
    return redirect(edge, f"{HERE}/{found.id}", done=said, tone="info")


async def _mapping(edge: Edge, import_id: int) -> dict[str, str]:
    """Column to field, from one select per column, named by the column's place in the file."""
    header = (await staging.sheet(edge.session, import_id)).header
    form = await edge.request.form()
    chosen = {name: form.get(f"{_COLUMN}{place}") for place, name in enumerate(header)}
    return {name: field for name, field in chosen.items() if isinstance(field, str) and field}

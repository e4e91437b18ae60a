"""Members in and out as CSV."""

import json
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, members_csv
from admin_api.problems import DeniedError
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, paged
from crm.imports import service
from crm.imports.errors import InvalidMapping
from crm.imports.types import Import, RowProblem, Sheet
from crm.members.types import MemberQuery
from crm.operators.permissions import Permission
from crm.tags import service as tags

router = api_router("/api/v1/member-files", "Member files")
_IMPORT = allow(Permission.MEMBERS_IMPORT)
_LARGEST_UPLOAD = 21 * 1024 * 1024
Upload = Annotated[UploadFile, File(description="CSV with a header, UTF-8 or GBK, 20 MB at most.")]
MappingText = Annotated[
    str | None,
    Form(max_length=20_000, description='JSON object, column to field: `{"Mobile": "phone"}`; else it is guessed.'),
]


@router.post(
    "/look", dependencies=[_IMPORT], name="import.look", summary="Look at a file", max_body_size=_LARGEST_UPLOAD
)
async def look(edge: EdgeOf, file: Upload) -> Sheet:
    """Its columns, its rows, and which column seems to be what. Nothing is kept."""
    edge.note("import.look", "")
    return await service.look_at(edge.session, await file.read())


@router.post(
    "/imports",
    dependencies=[_IMPORT],
    name="import.start",
    summary="Import a file",
    status_code=202,
    max_body_size=_LARGEST_UPLOAD,
)
async def start(
    edge: EdgeOf,
    file: Upload,
    mapping: MappingText = None,
    tag: Annotated[list[str] | None, Form(max_length=20, description="Tags for everyone in the file.")] = None,
    *,
    is_dry_run: Annotated[bool, Form(description="Do everything, keep nothing but the findings.")] = False,
) -> Import:
    """Runs in the background; bad rows are listed with their reason, good ones go in once."""
    started = await service.start(
        edge.session,
        await file.read(),
        filename=file.filename or "",
        by=edge.acting.actor,
        mapping=None if mapping is None else _mapping(mapping),
        tags_for_all=tag or (),
        is_dry_run=is_dry_run,
    )
    edge.note("import.start", f"import:{started.id}", after={"rows": started.rows_total, "is_dry_run": is_dry_run})
    return started


@router.get("/imports", dependencies=[_IMPORT], name="import.list", summary="List imports")
async def list_imports(edge: EdgeOf, limit: Limit = 50) -> PageOf[Import]:
    """The last ones, newest first."""
    return PageOf(items=await service.listing(edge.session, limit=limit))


@router.get("/imports/{import_id}", dependencies=[_IMPORT], name="import.read", summary="Read an import")
async def read(edge: EdgeOf, import_id: IdPath) -> Import:
    """How far it is."""
    return await service.get(edge.session, import_id)


@router.get(
    "/imports/{import_id}/problems", dependencies=[_IMPORT], name="import.problems", summary="Rows that were left out"
)
async def problems(edge: EdgeOf, import_id: IdPath, limit: Limit = 50, cursor: Cursor = None) -> PageOf[RowProblem]:
    """In the order of the file."""
    page = await service.problems(edge.session, import_id, limit=limit, cursor=cursor)
    return paged(page, lambda problem: problem)


class Export(Body):
    """Which members; `with_personal` needs the permission to reveal personal data."""

    query: Annotated[str, Field(max_length=200)] = ""
    tag: Annotated[str, Field(max_length=200)] | None = None
    stage: Annotated[str, Field(max_length=40)] | None = None
    with_personal: bool = False


@router.post(
    "/export",
    dependencies=[allow(Permission.MEMBERS_EXPORT)],
    name="member.export",
    summary="Export members",
    **CSV,
)
async def export_members(edge: EdgeOf, deps: Deps, body: Export) -> StreamingResponse:
    """Written down, for personal data may leave; without `with_personal` it is masked."""
    if body.with_personal and not edge.may(Permission.MEMBERS_REVEAL):
        raise DeniedError("missing_scope", "Personal data needs the scope members:reveal.", actor=edge.acting.actor)
    found = None if body.tag is None else await tags.find(edge.session, body.tag)
    tag = None if body.tag is None else found.id if found else 0
    edge.note("member.export", "members", after=body.model_dump(exclude={"query"}))
    wanted = MemberQuery(query=body.query, tag=tag, stage=body.stage)
    return members_csv(deps, wanted, with_personal=body.with_personal, filename="members.csv")


def _mapping(text: str) -> dict[str, str]:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise InvalidMapping("The mapping is no JSON object.") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidMapping("The mapping is a JSON object from column to field.")
    return found

"""Files that are written while they are sent."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.deps import AdminDeps
from crm.imports import export
from crm.members.types import MemberQuery

Lines = Callable[[AsyncSession], AsyncIterator[str]]
CSV: dict[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {200: {"content": {"text/csv": {}}, "description": "UTF-8 with a byte order mark."}},
}
"""How a route that answers a CSV is declared."""


def members_csv(deps: AdminDeps, wanted: MemberQuery, *, with_personal: bool, filename: str) -> StreamingResponse:
    """The members who fit, as a CSV to be saved."""
    return csv_file(
        deps, lambda session: export.members_csv(session, wanted, with_personal=with_personal), filename=filename
    )


def csv_file(deps: AdminDeps, lines: Lines, *, filename: str) -> StreamingResponse:
    """What `lines` yields for a session, as a file to be saved. `filename` is of plain letters."""
    headers = {"content-disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(_read(deps, lines), media_type="text/csv", headers=headers)


async def _read(deps: AdminDeps, lines: Lines) -> AsyncIterator[str]:
    """Read in a session of its own: the answer goes on when the request's transaction is over."""
    async with deps.sessions() as session:
        async for part in lines(session):
            yield part

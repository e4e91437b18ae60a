"""Files that are written while they are sent."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from admin_api.deps import AdminDeps
from crm.imports import export
from crm.members.types import MemberQuery


def members_csv(deps: AdminDeps, wanted: MemberQuery, *, with_personal: bool, filename: str) -> StreamingResponse:
    """The members who fit, as a CSV to be saved."""
    headers = {"content-disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(_lines(deps, wanted, with_personal=with_personal), media_type="text/csv", headers=headers)


async def _lines(deps: AdminDeps, wanted: MemberQuery, *, with_personal: bool) -> AsyncIterator[str]:
    """Read in a session of its own: the answer goes on when the request's transaction is over."""
    async with deps.sessions() as session:
        async for part in export.members_csv(session, wanted, with_personal=with_personal):
            yield part

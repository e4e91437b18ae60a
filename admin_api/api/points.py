"""A member's points, and corrections by hand."""

from typing import Annotated

from fastapi.responses import StreamingResponse
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, csv_file
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, PageOf, paged
from crm.kit.ids import token
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.points import service, statements
from crm.points.types import MAX_POINTS, Entry, PointsSummary, Posting

router = api_router("/api/v1/members", "Points")
_READ, _ADJUST = allow(Permission.POINTS_READ), allow(Permission.POINTS_ADJUST)
Key = Annotated[str, Field(min_length=1, max_length=100, description="Repeated, it has no second effect.")]


class Adjustment(Body):
    """A correction: points to add, or to take when negative."""

    points: Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    key: Key | None = None


class Grant(Body):
    """A manual earning rule to apply."""

    rule_id: Id
    key: Key | None = None


@router.get("/{member_id}/points", dependencies=[_READ], name="points.read", summary="Read a balance")
async def read_points(edge: EdgeOf, member_id: IdPath) -> PointsSummary:
    """Balance, what runs out soon, the last entries."""
    await members.get(edge.session, member_id)
    return await service.summary(edge.session, member_id)


@router.get("/{member_id}/points/entries", dependencies=[_READ], name="points.entries", summary="List ledger entries")
async def list_entries(edge: EdgeOf, member_id: IdPath, limit: Limit = 50, cursor: Cursor = None) -> PageOf[Entry]:
    """Newest first, each with the balance after it."""
    await members.get(edge.session, member_id)
    page = await service.statement(edge.session, member_id, cursor=cursor, limit=limit)
    return paged(page, lambda entry: entry)


@router.get(
    "/{member_id}/points/statement",
    dependencies=[_READ],
    name="points.statement",
    summary="Download a statement",
    **CSV,
)
async def download_statement(edge: EdgeOf, deps: Deps, member_id: IdPath) -> StreamingResponse:
    """Every entry as CSV, newest first, times in the brand's time zone."""
    await members.get(edge.session, member_id)
    return csv_file(deps, lambda session: statements.as_csv(session, member_id), filename=f"points-{member_id}.csv")


@router.post("/{member_id}/points/adjust", dependencies=[_ADJUST], name="points.adjust", summary="Correct a balance")
async def adjust(edge: EdgeOf, member_id: IdPath, body: Adjustment) -> Posting:
    """Never below zero."""
    await members.get(edge.session, member_id)
    posting = await service.adjust(
        edge.session,
        member_id,
        body.points,
        reason=body.reason,
        key=posting_key(edge.acting.actor, body.key),
        by=edge.acting.actor,
    )
    edge.note("points.adjust", f"member:{member_id}", after={"points": body.points, "balance": posting.balance})
    return posting


@router.post("/{member_id}/points/grant", dependencies=[_ADJUST], name="points.grant", summary="Grant by a manual rule")
async def grant(edge: EdgeOf, member_id: IdPath, body: Grant) -> Posting:
    """Gives the points that the manual earning rule names."""
    await members.get(edge.session, member_id)
    key = posting_key(edge.acting.actor, body.key)
    posting = await service.grant(edge.session, member_id, body.rule_id, key=key, by=edge.acting.actor)
    edge.note("points.grant", f"member:{member_id}", after={"rule_id": body.rule_id, "points": posting.points})
    return posting


def posting_key(actor: str, key: str | None) -> str:
    """The ledger's key of a posting by hand: the caller's own, or a new one."""
    return f"manual:{actor}:{key or token(size=16)}"

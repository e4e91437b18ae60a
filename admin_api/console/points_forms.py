"""Settling pending and held points on a member's page, and taking the statement away."""

from collections.abc import Awaitable, Callable

from fastapi import Response
from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.api.points import download_statement
from admin_api.api.points_aside import Cancellation, Named, activate, cancel, void_hold
from admin_api.console.forms import Text, body_of
from admin_api.console.member_frame import HERE
from admin_api.console.member_page import points_view
from admin_api.console.pages import reason, redirect
from admin_api.deps import Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.errors import as_problem
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError, InvalidError
from crm.members import service
from crm.operators.permissions import Permission
from crm.points.types import Posting

router = page_router(HERE)


class UnknownActError(InvalidError):
    """This cannot be done with these points."""


async def _cancel(edge: Edge, key: str) -> Posting:
    return await cancel(edge, body_of(Cancellation, key=key, reason="cancelled by an operator"))


_ACTS: dict[str, tuple[Callable[[Edge, str], Awaitable[Posting]], str]] = {
    "activate": (lambda edge, key: activate(edge, body_of(Named, key=key)), "The points are active."),
    "cancel": (_cancel, "The pending points are cancelled."),
    "void": (lambda edge, key: void_hold(edge, body_of(Named, key=key)), "The points are given back."),
}


@router.post("/{member_id}/points/settle", dependencies=[allow(Permission.POINTS_ADJUST)], name="points.settle_by_form")
async def settle(edge: EdgeOf, member_id: IdPath, act: Text = "", key: Text = "") -> Response:
    """Activate or cancel pending points, or give held ones back; what was settled before is said."""
    try:
        if act not in _ACTS:
            raise UnknownActError
        run, done = _ACTS[act]
        await run(edge, key)
    except DomainError as error:
        await edge.session.rollback()
        problem = as_problem(error)
        assert problem is not None
        member = await service.get(edge.session, member_id)
        return await points_view(edge, member, status=problem.status, settle_error=reason(edge, error))
    return redirect(edge, f"{HERE}/{member_id}/points", done=done)


@router.get("/{member_id}/points/file", dependencies=[allow(Permission.POINTS_READ)], name="points.statement_from_page")
async def take_statement(edge: EdgeOf, deps: Deps, member_id: IdPath) -> StreamingResponse:
    """Every line of the ledger as CSV."""
    return await download_statement(edge, deps, member_id)

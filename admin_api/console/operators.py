"""Operators: who may sign in, in which role; invitations by link."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT, console_url
from admin_api.api.operators import invitation_view, operator_view
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import ConflictError, DomainError, InvalidError
from crm.operators import links, service
from crm.operators.permissions import Permission, Role, may_manage

router = page_router(f"{ROOT}/settings/operators")
HERE = f"{ROOT}/settings/operators"
_READ, _WRITE = allow(Permission.OPERATORS_READ), allow(Permission.OPERATORS_WRITE, sensitive=True)
Text = Annotated[str, Form(max_length=320)]


class UnknownRoleError(InvalidError):
    """Choose one of the roles."""


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as wrong:
        raise UnknownRoleError from wrong


async def _values(edge: Edge) -> dict[str, Any]:
    found = await service.listing(edge.session)
    pending = await links.pending(edge.session)
    return {
        "operators": [operator_view(edge, operator) for operator in found],
        "invitations": [invitation_view(edge, link) for link in pending],
        "roles": [role.value for role in Role if may_manage(edge.acting.role, role)],
        "me": edge.acting.id,
    }


@router.get("", dependencies=[_READ], name="operator.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Operators and open invitations."""
    return await render(edge, "settings/operators", nav="settings", **await _values(edge))


@router.post("/invitations", dependencies=[_WRITE], name="invitation.create_by_form")
async def invite(edge: EdgeOf, email: Text = "", role: Text = "") -> Response:
    """Make the link and show it this one time."""
    try:
        issued = await links.invite(edge.session, email=email, role=_role(role), acting=edge.acting.role)
    except (InvalidError, ConflictError) as error:
        typed = {"email": email, "role": role}
        return await again(edge, "settings/operators", error, nav="settings", typed=typed, **await _values(edge))
    edge.note("invitation.create", f"invitation:{issued.link.id}", after={"role": role})
    url = console_url(edge.request, f"/invitation/{issued.token}")
    return await render(edge, "settings/operators", nav="settings", invitation_url=url, **await _values(edge))


@router.post("/invitations/{invitation_id}/withdraw", dependencies=[_WRITE], name="invitation.withdraw_by_form")
async def withdraw(edge: EdgeOf, invitation_id: IdPath) -> Response:
    """End the link."""
    await links.withdraw(edge.session, invitation_id)
    edge.note("invitation.withdraw", f"invitation:{invitation_id}")
    return redirect(edge, HERE, done="The invitation is withdrawn.")


@router.post("/{operator_id}/role", dependencies=[_WRITE], name="operator.set_role_by_form")
async def set_role(edge: EdgeOf, operator_id: IdPath, role: Text = "") -> Response:
    """Another role."""
    try:
        await service.set_role(edge.session, operator_id, _role(role), acting=edge.acting.role)
    except DomainError as error:
        return await again(edge, "settings/operators", error, nav="settings", **await _values(edge))
    edge.note("operator.set_role", f"operator:{operator_id}", after={"role": role})
    return redirect(edge, HERE, done="Saved.")


@router.post("/{operator_id}/disable", dependencies=[_WRITE], name="operator.disable_by_form")
async def disable(edge: EdgeOf, operator_id: IdPath) -> Response:
    """Out at once."""
    try:
        await service.disable(edge.session, operator_id, acting=edge.acting.role)
    except DomainError as error:
        return await again(edge, "settings/operators", error, nav="settings", **await _values(edge))
    edge.note("operator.disable", f"operator:{operator_id}")
    return redirect(edge, HERE, done="The operator is disabled.")


@router.post("/{operator_id}/enable", dependencies=[_WRITE], name="operator.enable_by_form")
async def enable(edge: EdgeOf, operator_id: IdPath) -> Response:
    """In again."""
    await service.enable(edge.session, operator_id, acting=edge.acting.role)
    edge.note("operator.enable", f"operator:{operator_id}")
    return redirect(edge, HERE, done="The operator may sign in again.")

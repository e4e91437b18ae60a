"""Operators and their invitations."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.addresses import console_url
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, page_from
from crm.kit.paging import decode_cursor
from crm.operators import links, service
from crm.operators.permissions import Permission, Role
from crm.operators.policy import masked_email
from crm.operators.types import Link, Operator, OperatorStatus

router = api_router("/api/v1/operators", "Operators")
_READ = allow(Permission.OPERATORS_READ)
_WRITE = allow(Permission.OPERATORS_WRITE, sensitive=True)
Email = Annotated[str, Field(max_length=320, examples=["lin@shop.example"])]


class OperatorView(BaseModel):
    """One of the staff; the address is masked for those who may not manage operators."""

    id: int
    email: str
    name: str
    role: Role
    locale: str
    status: OperatorStatus
    created_at: datetime
    last_signed_in_at: datetime | None


class Invitation(BaseModel):
    """Who is to become an operator."""

    id: int
    email: str
    role: Role
    expires_at: datetime


class NewInvitation(Body):
    """Invite somebody."""

    email: Email
    role: Role


class IssuedInvitation(Invitation):
    """An invitation with its link, shown this one time."""

    url: str


class RoleChange(Body):
    """Another role."""

    role: Role


def operator_view(edge: Edge, operator: Operator) -> OperatorView:
    """As this principal may see the operator."""
    email = operator.email if edge.may(Permission.OPERATORS_WRITE) else masked_email(operator.email)
    return OperatorView.model_validate({**vars(operator), "email": email})


def invitation_view(edge: Edge, link: Link) -> Invitation:
    """As this principal may see the invitation."""
    email = link.email or ""
    shown = email if edge.may(Permission.OPERATORS_WRITE) else masked_email(email)
    return Invitation.model_validate({**vars(link), "email": shown})


@router.get("", dependencies=[_READ], name="operator.list", summary="List operators")
async def list_operators(edge: EdgeOf, limit: Limit = 50, cursor: Cursor = None) -> PageOf[OperatorView]:
    """By id, disabled ones too."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    found = await service.listing(edge.session, after_id=after, limit=limit + 1)
    return page_from(found, limit, lambda operator: operator_view(edge, operator), lambda operator: (operator.id,))


@router.get("/invitations", dependencies=[_READ], name="invitation.list", summary="List open invitations")
async def list_invitations(edge: EdgeOf) -> PageOf[Invitation]:
    """Newest first."""
    return PageOf(items=[invitation_view(edge, link) for link in await links.pending(edge.session)])


@router.post(
    "/invitations", dependencies=[_WRITE], name="invitation.create", summary="Invite an operator", status_code=201
)
async def create_invitation(edge: EdgeOf, body: NewInvitation) -> IssuedInvitation:
    """Answers the link to hand over; it is good for seven days and one use."""
    issued = await links.invite(edge.session, email=body.email, role=body.role, acting=edge.acting.role)
    edge.note("invitation.create", f"invitation:{issued.link.id}", after={"role": body.role})
    view = invitation_view(edge, issued.link)
    return IssuedInvitation(**view.model_dump(), url=console_url(edge.request, f"/invitation/{issued.token}"))


@router.delete(
    "/invitations/{invitation_id}",
    dependencies=[_WRITE],
    name="invitation.withdraw",
    summary="Withdraw an invitation",
    status_code=204,
)
async def withdraw_invitation(edge: EdgeOf, invitation_id: IdPath) -> None:
    """Its link ends at once."""
    await links.withdraw(edge.session, invitation_id)
    edge.note("invitation.withdraw", f"invitation:{invitation_id}")


@router.get("/{operator_id}", dependencies=[_READ], name="operator.read", summary="Read an operator")
async def read_operator(edge: EdgeOf, operator_id: IdPath) -> OperatorView:
    """One operator."""
    return operator_view(edge, await service.get(edge.session, operator_id))


@router.put("/{operator_id}/role", dependencies=[_WRITE], name="operator.set_role", summary="Give another role")
async def set_role(edge: EdgeOf, operator_id: IdPath, body: RoleChange) -> OperatorView:
    """Ends the operator's sessions. Only an owner may make or change an owner."""
    before = await service.get(edge.session, operator_id)
    operator = await service.set_role(edge.session, operator_id, body.role, acting=edge.acting.role)
    edge.note(
        "operator.set_role", f"operator:{operator_id}", before={"role": before.role}, after={"role": operator.role}
    )
    return operator_view(edge, operator)


@router.post("/{operator_id}/disable", dependencies=[_WRITE], name="operator.disable", summary="Disable an operator")
async def disable(edge: EdgeOf, operator_id: IdPath) -> OperatorView:
    """The operator's sessions end at once."""
    operator = await service.disable(edge.session, operator_id, acting=edge.acting.role)
    edge.note("operator.disable", f"operator:{operator_id}")
    return operator_view(edge, operator)


@router.post("/{operator_id}/enable", dependencies=[_WRITE], name="operator.enable", summary="Enable an operator")
async def enable(edge: EdgeOf, operator_id: IdPath) -> OperatorView:
    """The operator may sign in again."""
    operator = await service.enable(edge.session, operator_id, acting=edge.acting.role)
    edge.note("operator.enable", f"operator:{operator_id}")
    return operator_view(edge, operator)

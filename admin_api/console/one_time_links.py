"""Pages behind one-time links: the first operator, an invitation, a new password."""

from typing import Annotated, Any

from fastapi import Form, Path, Response

from admin_api.access import public
from admin_api.addresses import ROOT
from admin_api.console.pages import again, locale_of, reason, redirect, render
from admin_api.console.sign_in import open_session
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.kit.errors import DomainError, InvalidError
from crm.operators import links
from crm.operators.errors import EmailTakenError, InvalidEmailError, InvalidOperatorNameError, WeakPasswordError
from crm.operators.types import Link, LinkPurpose, Operator

router = page_router()
Token = Annotated[str, Path(max_length=200)]
Text = Annotated[str, Form(max_length=1024)]
_WELCOME = "Welcome. You are signed in."


class PasswordsDifferError(InvalidError):
    """The two passwords are not the same."""


_FIELDS: dict[type[DomainError], str] = {
    InvalidEmailError: "email",
    InvalidOperatorNameError: "name",
    WeakPasswordError: "password",
    PasswordsDifferError: "repeated",
}
"""The field that an error is shown beside; all others stand above the form."""


def _values(edge: Edge, link: Link, **typed: str) -> dict[str, Any]:
    return {
        "form_action": edge.request.url.path,
        "purpose": link.purpose.value,
        "email": link.email or "",
        "role": link.role,
        **typed,
    }


async def _show(edge: Edge, token: str, purpose: LinkPurpose) -> Response:
    link = await links.look(edge.session, token, purpose)
    return await render(edge, "one_time_link", **_values(edge, link))


async def _finish(edge: Edge, operator: Operator, action: str) -> Response:
    await open_session(edge, operator, action=action)
    return redirect(edge, f"{ROOT}/", done=_WELCOME)


async def _once_more(edge: Edge, token: str, purpose: LinkPurpose, error: DomainError, **typed: str) -> Response:
    await edge.session.rollback()
    link = await links.look(edge.session, token, purpose)
    named = _FIELDS.get(type(error))
    beside = {named: reason(edge, error)} if named else {}
    return await again(edge, "one_time_link", error, beside=beside, **_values(edge, link, **typed))


def _check_same(password: str, repeated: str) -> None:
    if password != repeated:
        raise PasswordsDifferError


@router.get("/setup/{token}", dependencies=[public()], name="setup.page")
async def setup_page(edge: EdgeOf, token: Token) -> Response:
    """The form for the first operator."""
    return await _show(edge, token, LinkPurpose.SETUP)


@router.post("/setup/{token}", dependencies=[public()], name="operator.set_up")
async def set_up(
    edge: EdgeOf, token: Token, *, email: Text = "", name: Text = "", password: Text = "", repeated: Text = ""
) -> Response:
    """Make the first operator and sign in."""
    try:
        _check_same(password, repeated)
        operator = await links.complete_setup(
            edge.session, token, email=email, name=name, password=password, locale=locale_of(edge)
        )
    except InvalidError as error:
        return await _once_more(edge, token, LinkPurpose.SETUP, error, email=email, name=name)
    return await _finish(edge, operator, "operator.set_up")


@router.get("/invitation/{token}", dependencies=[public()], name="invitation.page")
async def invitation_page(edge: EdgeOf, token: Token) -> Response:
    """The form for somebody who was invited."""
    return await _show(edge, token, LinkPurpose.INVITATION)


@router.post("/invitation/{token}", dependencies=[public()], name="invitation.accept")
async def accept_invitation(
    edge: EdgeOf, token: Token, name: Text = "", password: Text = "", repeated: Text = ""
) -> Response:
    """Become an operator and sign in."""
    try:
        _check_same(password, repeated)
        operator = await links.accept_invitation(
            edge.session, token, name=name, password=password, locale=locale_of(edge)
        )
    except (InvalidError, EmailTakenError) as error:
        return await _once_more(edge, token, LinkPurpose.INVITATION, error, name=name)
    return await _finish(edge, operator, "invitation.accept")


@router.get("/password/{token}", dependencies=[public()], name="password_reset.page")
async def password_page(edge: EdgeOf, token: Token) -> Response:
    """The form for a new password."""
    return await _show(edge, token, LinkPurpose.PASSWORD_RESET)


@router.post("/password/{token}", dependencies=[public()], name="operator.reset_password")
async def reset_password(edge: EdgeOf, token: Token, password: Text = "", repeated: Text = "") -> Response:
    """Set the new password, end every session, and sign in."""
    try:
        _check_same(password, repeated)
        operator = await links.reset_password(edge.session, token, password=password)
    except InvalidError as error:
        return await _once_more(edge, token, LinkPurpose.PASSWORD_RESET, error)
    return await _finish(edge, operator, "operator.reset_password")

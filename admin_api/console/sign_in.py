"""Signing in and out, typing the password again, choosing the language."""

from typing import Annotated

from fastapi import Form, Request, Response

from admin_api import cookies
from admin_api.access import public, signed_in
from admin_api.addresses import ROOT
from admin_api.buckets import SignInThrottle
from admin_api.console.locale import LOCALES
from admin_api.console.pages import again, redirect, render, safe_next
from admin_api.deps import Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.problems import ProblemError
from admin_api.routing import page_router
from crm.audit import service as audit
from crm.db.session import vault
from crm.operators import service, sessions
from crm.operators.errors import WrongPasswordError
from crm.operators.types import Operator

router = page_router()
Text = Annotated[str, Form(max_length=1024)]


@router.get("/sign-in", dependencies=[public()], name="sign_in.page")
async def sign_in_page(edge: EdgeOf, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """The sign-in form; who is signed in already goes on."""
    if edge.principal is not None:
        return redirect(edge, safe_next(next))
    is_new = not await service.exists_any(edge.session)
    return await render(edge, "sign_in", form_action=f"{ROOT}/sign-in", next=safe_next(next, ""), is_new=is_new)


@router.post("/sign-in", dependencies=[public()], name="operator.sign_in")
async def sign_in(
    edge: EdgeOf,
    deps: Deps,
    email: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002 - the name in the form
) -> Response:
    """Open a session; each failure beyond the first few makes the next try wait longer."""
    account = vault(edge.session).blind_index(email.strip().lower(), "sign_in.account").hex()
    throttle = throttle_of(edge.request)
    shown = {"form_action": f"{ROOT}/sign-in", "email": email, "next": safe_next(next, "")}
    try:
        await throttle.enter(account=account, address=edge.ip)
        operator = await service.authenticate(edge.session, email=email, password=password)
    except ProblemError as throttled:
        answer = await render(edge, "sign_in", status=throttled.status, error=throttled.detail, **shown)
        answer.headers.update(throttled.headers)
        return answer
    except WrongPasswordError as wrong:
        await edge.session.rollback()
        async with deps.sessions.begin() as own:
            await audit.record(own, edge.entry(action="operator.sign_in_failed", subject=f"account:{account[:16]}"))
        return await again(edge, "sign_in", wrong, **shown)
    await throttle.succeeded(account=account, address=edge.ip)
    await open_session(edge, operator, action="operator.sign_in")
    return redirect(edge, safe_next(next))


async def open_session(edge: Edge, operator: Operator, *, action: str) -> None:
    """Give this browser a session of its own, whatever cookie it came with."""
    agent = edge.request.headers.get("user-agent", "")
    token = await sessions.open_session(edge.session, operator.id, ip=edge.ip, user_agent=agent)
    edge.cookies[cookies.SESSION] = token
    edge.cookies[cookies.VISITOR] = None
    edge.note(action, f"operator:{operator.id}", actor=f"operator:{operator.id}")


@router.post("/sign-out", dependencies=[signed_in()], name="operator.sign_out")
async def sign_out(edge: EdgeOf) -> Response:
    """End this browser's session."""
    assert edge.acting.session_id is not None
    await sessions.revoke(edge.session, edge.acting.id, edge.acting.session_id)
    edge.cookies[cookies.SESSION] = None
    edge.note("operator.sign_out", edge.acting.actor)
    return redirect(edge, f"{ROOT}/sign-in", done="You are signed out.")


@router.get("/confirm", dependencies=[signed_in()], name="confirm.page")
async def confirm_page(edge: EdgeOf, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """Ask for the password before roles, keys and exports."""
    return await render(edge, "confirm", next=safe_next(next))


@router.post("/confirm", dependencies=[signed_in()], name="operator.confirm")
async def confirm(edge: EdgeOf, password: Text = "", next: Text = "") -> Response:  # noqa: A002 - the name in the form
    """Remember that the password was typed, and give the session a new token."""
    account, throttle = f"confirm:{edge.acting.id}", throttle_of(edge.request)
    await throttle.enter(account=account, address=edge.ip)
    try:
        await service.confirm_password(edge.session, edge.acting.id, password)
    except WrongPasswordError as wrong:
        return await again(edge, "confirm", wrong, next=safe_next(next))
    await throttle.succeeded(account=account, address=edge.ip)
    assert edge.acting.session_id is not None
    edge.cookies[cookies.SESSION] = await sessions.confirm(edge.session, edge.acting.session_id)
    edge.note("operator.confirm", edge.acting.actor)
    return redirect(edge, safe_next(next))


@router.post("/locale", dependencies=[public()], name="locale.choose")
async def choose_locale(edge: EdgeOf, locale: Text = "", next: Text = "") -> Response:  # noqa: A002 - name in the form
    """Show the console in another language; a signed-in operator keeps it."""
    if locale in LOCALES:
        edge.cookies[cookies.LOCALE] = locale
        if edge.principal is not None:
            await service.change_profile(edge.session, edge.principal.id, locale=locale)
    edge.note("locale.choose", edge.principal.actor if edge.principal else "", after={"locale": locale[:10]})
    return redirect(edge, safe_next(next))


def throttle_of(request: Request) -> SignInThrottle:
    """The application's throttle of failed sign-ins."""
    throttle = request.app.state.throttle
    assert isinstance(throttle, SignInThrottle)
    return throttle

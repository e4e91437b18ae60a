"""One's own account: name, language, password, sessions, and the chats that receive test sends."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import signed_in
from admin_api.addresses import ROOT
from admin_api.console.one_time_links import PasswordsDifferError
from admin_api.console.pages import again, redirect, render
from admin_api.console.sign_in import open_session, throttle_of
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import InvalidError
from crm.operators import chats, service, sessions

router = page_router(f"{ROOT}/settings/account")
HERE = f"{ROOT}/settings/account"
Text = Annotated[str, Form(max_length=1024)]


async def _values(edge: Edge) -> dict[str, Any]:
    me = edge.acting.id
    return {
        "me": await service.get(edge.session, me),
        "sessions": await sessions.listing(edge.session, me),
        "this_session": edge.acting.session_id,
        "chats": await service.linked_identities(edge.session, me),
    }


@router.get("", dependencies=[signed_in()], name="account.page")
async def account_page(edge: EdgeOf) -> Response:
    """What the operator may change about themselves."""
    return await render(edge, "settings/account", nav="settings", **await _values(edge))


@router.post("", dependencies=[signed_in()], name="account.change")
async def change_profile(edge: EdgeOf, name: Text = "", locale: Text = "") -> Response:
    """Another name or language."""
    try:
        await service.change_profile(edge.session, edge.acting.id, name=name, locale=locale)
    except InvalidError as error:
        return await again(edge, "settings/account", error, nav="settings", **await _values(edge))
    edge.note("account.change", edge.acting.actor)
    return redirect(edge, HERE, done="Saved.")


@router.post("/password", dependencies=[signed_in()], name="account.change_password")
async def change_password(edge: EdgeOf, current: Text = "", password: Text = "", repeated: Text = "") -> Response:
    """A new password: every session ends, and this browser gets a new one."""
    me, throttle = edge.acting.id, throttle_of(edge.request)
    await throttle.enter(account=f"confirm:{me}", address=edge.ip)
    try:
        await service.confirm_password(edge.session, me, current)
        await throttle.succeeded(account=f"confirm:{me}", address=edge.ip)
        if password != repeated:
            raise PasswordsDifferError
        operator = await service.set_password(edge.session, me, password)
    except InvalidError as error:
        return await again(edge, "settings/account", error, nav="settings", **await _values(edge))
    await open_session(edge, operator, action="account.change_password")
    return redirect(edge, HERE, done="Your password is changed; other sessions have ended.")


@router.post("/sessions/{session_id}/revoke", dependencies=[signed_in()], name="account.revoke_session")
async def revoke_session(edge: EdgeOf, session_id: IdPath) -> Response:
    """End one of one's sessions."""
    await sessions.revoke(edge.session, edge.acting.id, session_id)
    edge.note("account.revoke_session", f"session:{session_id}")
    return redirect(edge, HERE, done="The session has ended.")


@router.post("/sessions/revoke-others", dependencies=[signed_in()], name="account.revoke_other_sessions")
async def revoke_other_sessions(edge: EdgeOf) -> Response:
    """End every session but this one."""
    await sessions.revoke_others(edge.session, edge.acting.id, keep_id=edge.acting.session_id)
    edge.note("account.revoke_other_sessions", edge.acting.actor)
    return redirect(edge, HERE, done="The other sessions have ended.")


@router.post("/chats/code", dependencies=[signed_in()], name="account.chat_code")
async def chat_code(edge: EdgeOf) -> Response:
    """Show the code that links a chat; it is good for ten minutes and one use."""
    code = await chats.issue_code(edge.session, edge.acting.id)
    edge.note("account.chat_code", edge.acting.actor)
    return await render(edge, "settings/account", nav="settings", chat_code=code, **await _values(edge))


@router.post("/chats/{identity_id}/unlink", dependencies=[signed_in()], name="account.unlink_chat")
async def unlink_chat(edge: EdgeOf, identity_id: IdPath) -> Response:
    """Send no more tests to this chat."""
    await chats.unlink(edge.session, edge.acting.id, identity_id)
    edge.note("account.unlink_chat", f"identity:{identity_id}")
    return redirect(edge, HERE, done="The chat is no longer linked.")

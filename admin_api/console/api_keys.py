"""API keys: list, make, revoke."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.db import clock
from crm.kit.errors import DomainError
from crm.operators import api_keys
from crm.operators.permissions import EVERY_SCOPE, Permission

router = page_router(f"{ROOT}/settings/api-keys")
HERE = f"{ROOT}/settings/api-keys"
_READ, _WRITE = allow(Permission.API_KEYS_READ), allow(Permission.API_KEYS_WRITE, sensitive=True)
_LIFETIMES = {"30": 30, "90": 90, "365": 365}
Text = Annotated[str, Form(max_length=2000)]


async def _values(edge: Edge) -> dict[str, Any]:
    mine = sorted(edge.acting.permissions)
    return {"api_keys": await api_keys.listing(edge.session), "scopes": [EVERY_SCOPE, *mine]}


@router.get("", dependencies=[_READ], name="api_key.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every key, newest first."""
    return await render(edge, "settings/api_keys", nav="settings", **await _values(edge))


@router.post("", dependencies=[_WRITE], name="api_key.create_by_form")
async def create(
    edge: EdgeOf,
    scope: Annotated[list[str] | None, Form()] = None,
    name: Text = "",
    lifetime: Text = "",
    allowed_ips: Text = "",
) -> Response:
    """Make a key and show it this one time."""
    days = _LIFETIMES.get(lifetime)
    try:
        issued = await api_keys.create(
            edge.session,
            name=name,
            scopes=(scope or [])[:100],
            granting=edge.acting.permissions,
            expires_at=await clock.now(edge.session) + timedelta(days=days) if days else None,
            allowed_ips=allowed_ips.replace(",", " ").split(),
            created_by=edge.acting.operator_id,
        )
    except DomainError as error:
        typed = {"name": name, "scope": scope or [], "lifetime": lifetime, "allowed_ips": allowed_ips}
        return await again(edge, "settings/api_keys", error, nav="settings", typed=typed, **await _values(edge))
    edge.note("api_key.create", f"api_key:{issued.api_key.id}", after={"scopes": issued.api_key.scopes})
    return await render(edge, "settings/api_keys", nav="settings", secret=issued.secret, **await _values(edge))


@router.post("/{api_key_id}/revoke", dependencies=[_WRITE], name="api_key.revoke_by_form")
async def revoke(edge: EdgeOf, api_key_id: IdPath) -> Response:
    """End a key at once."""
    await api_keys.revoke(edge.session, api_key_id)
    edge.note("api_key.revoke", f"api_key:{api_key_id}")
    return redirect(edge, HERE, done="The key is revoked.")

"""Where the console begins, and its settings."""

from fastapi import Response

from admin_api.access import signed_in
from admin_api.addresses import ROOT
from admin_api.console.dashboard import dashboard
from admin_api.console.pages import redirect
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from crm.operators.permissions import Permission

router = page_router()
_SETTINGS = (
    (Permission.BRAND_WRITE, "brand"),
    (Permission.BOTS_READ, "bots"),
    (Permission.OPERATORS_READ, "operators"),
    (Permission.API_KEYS_READ, "api-keys"),
    (Permission.AUDIT_READ, "audit"),
)


@router.get("/", dependencies=[signed_in()], name="home.page")
async def home(edge: EdgeOf) -> Response:
    """The first page after signing in: the dashboard, for those who may see figures."""
    if edge.may(Permission.DASHBOARD_READ):
        return await dashboard(edge)
    return redirect(edge, f"{ROOT}/settings")


@router.get("/settings", dependencies=[signed_in()], name="settings.page")
async def settings(edge: EdgeOf) -> Response:
    """The first settings page that this operator may see."""
    first = next((page for permission, page in _SETTINGS if edge.may(permission)), "account")
    return redirect(edge, f"{ROOT}/settings/{first}")

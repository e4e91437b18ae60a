"""Alerts: what is wrong, since when, where to look; acknowledging."""

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.alerts import AlertState
from admin_api.api.alerts import acknowledge as acknowledge_alert
from admin_api.console.forms import address
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import redirect, render
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.alerts import service
from crm.alerts.types import Alert, AlertKind
from crm.kit.paging import decode_cursor, encode_cursor
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/alerts")
HERE = f"{ROOT}/alerts"
_READ, _WRITE = allow(Permission.ALERTS_READ), allow(Permission.ALERTS_WRITE)
_SHOWN = 30
_PLACES = {
    AlertKind.BOT_REFUSED: "settings/bots/{subject}",
    AlertKind.BOT_PAUSED: "settings/bots/{subject}",
    AlertKind.SECOND_POLLER: "settings/bots/{subject}",
    AlertKind.CAMPAIGN_PAUSED: "campaigns/{subject}",
    AlertKind.FLOW_TEXT_BROKEN: "messages/texts",
    AlertKind.DEAD_LETTERS: "settings/dead-letters?box={subject}",
}
"""Where the thing is looked after; kinds that are not here are looked after outside the console."""


@router.get("", dependencies=[_READ], name="alert.list_page")
async def list_page(edge: EdgeOf, state: AlertState = AlertState.OPEN, cursor: Cursor = None) -> Response:
    """What is wrong now, or what was."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    is_open = state is AlertState.OPEN
    found = await service.listing(edge.session, is_open=is_open, before_id=before, limit=_SHOWN + 1)
    more = encode_cursor(found[_SHOWN - 1].id) if len(found) > _SHOWN else None
    return await render(
        edge,
        "alerts/list",
        nav="alerts",
        alerts=found[:_SHOWN],
        links={alert.id: link_of(alert) for alert in found},
        shown_state=state.value,
        actors=await actor_names(edge),
        next_href=address(HERE, state=state.value, cursor=more) if more else "",
        start_href=address(HERE, state=state.value) if cursor else "",
    )


@router.post("/{alert_id}/acknowledge", dependencies=[_WRITE], name="alert.acknowledge_by_form")
async def acknowledge(edge: EdgeOf, alert_id: IdPath) -> Response:
    """Somebody looks after it."""
    await acknowledge_alert(edge, alert_id)
    return redirect(edge, HERE, done="Acknowledged: the alert stays here until its cause ends.")


def link_of(alert: Alert) -> str:
    """The page of the thing that the alert is about, or nothing."""
    place = _PLACES.get(AlertKind(alert.kind)) if alert.kind in set(AlertKind) else None
    return f"{ROOT}/{place.format(subject=alert.subject)}" if place else ""

"""What needs an operator."""

from enum import StrEnum

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Cursor, IdPath, Limit, PageOf, page_from
from crm.alerts import service
from crm.alerts.types import Alert
from crm.kit.paging import decode_cursor
from crm.operators.permissions import Permission

router = api_router("/api/v1/alerts", "Alerts")
_READ, _WRITE = allow(Permission.ALERTS_READ), allow(Permission.ALERTS_WRITE)


class AlertState(StrEnum):
    """Whether the cause lasts."""

    OPEN = "open"
    RESOLVED = "resolved"


@router.get("", dependencies=[_READ], name="alert.list", summary="List alerts")
async def list_alerts(
    edge: EdgeOf, state: AlertState = AlertState.OPEN, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Alert]:
    """Newest first. An alert is open until its cause ends, whether or not somebody acknowledged it."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    is_open = state is AlertState.OPEN
    found = await service.listing(edge.session, is_open=is_open, before_id=before, limit=limit + 1)
    return page_from(found, limit, lambda alert: alert, lambda alert: (alert.id,))


@router.get("/{alert_id}", dependencies=[_READ], name="alert.read", summary="Read an alert")
async def read(edge: EdgeOf, alert_id: IdPath) -> Alert:
    """One alert."""
    return await service.get(edge.session, alert_id)


@router.post("/{alert_id}/acknowledge", dependencies=[_WRITE], name="alert.acknowledge", summary="Acknowledge an alert")
async def acknowledge(edge: EdgeOf, alert_id: IdPath) -> Alert:
    """Say that somebody looks after it; it stays open until its cause ends."""
    found = await service.acknowledge(edge.session, alert_id, edge.acting.actor)
    edge.note("alert.acknowledge", f"alert:{alert_id}", after={"kind": found.kind, "subject": found.subject})
    return found

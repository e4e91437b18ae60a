"""The audit log."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Cursor, Limit, PageOf, page_from
from crm.audit import service
from crm.audit.types import RecordedEntry
from crm.kit.paging import decode_cursor
from crm.operators.permissions import Permission

router = api_router("/api/v1/audit", "Audit")


class EntryView(BaseModel):
    """Who did what, when, from where."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str | None
    request_id: str | None


def entry_view(found: RecordedEntry) -> EntryView:
    """As the API shows an entry."""
    return EntryView(id=found.id, at=found.at, **vars(found.entry))


@router.get("", dependencies=[allow(Permission.AUDIT_READ)], name="audit.list", summary="Read the audit log")
async def list_entries(edge: EdgeOf, limit: Limit = 50, cursor: Cursor = None) -> PageOf[EntryView]:
    """Newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = await service.latest(edge.session, before_id=before, limit=limit + 1)
    return page_from(found, limit, entry_view, lambda entry: (entry.id,))

"""What set-based SQL of other capabilities may read of the log."""

from sqlalchemy import select

from crm.events.models import EventRow

events = select(EventRow.id, EventRow.occurred_at, EventRow.kind, EventRow.member_id, EventRow.data).subquery(
    "events_view"
)
"""id, occurred_at, kind, member_id, data."""

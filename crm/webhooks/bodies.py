"""What an endpoint is told: ids and plain values of the event, the same bytes at every try."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from crm.events.types import RecordedEvent
from crm.webhooks.types import TEST_KIND


def event_body(event: RecordedEvent, sequence: int) -> bytes:
    """The message about an event."""
    return _body(event.id, event.kind, event.occurred_at, sequence, {"member_id": event.member_id, **event.data})


def test_body(event_id: UUID, at: datetime, sequence: int, endpoint_id: int) -> bytes:
    """The message of a test, which tells of no event."""
    return _body(event_id, TEST_KIND, at, sequence, {"member_id": None, "webhook_id": endpoint_id})


def _body(event_id: UUID, kind: str, at: datetime, sequence: int, data: dict[str, Any]) -> bytes:
    message = {
        "id": str(event_id),
        "type": kind,
        "timestamp": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "sequence": sequence,
        "data": data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

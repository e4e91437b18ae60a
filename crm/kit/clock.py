"""The process's own clock; business time comes from `crm.db.clock`, which asks PostgreSQL."""

import time
from datetime import UTC, datetime


def process_now() -> datetime:
    """Aware UTC time of this machine. For cookies, caches and log lines, never for business rules."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may ask the machine


def monotonic() -> float:
    """Seconds that never go back, for measuring how long something took."""
    return time.monotonic()

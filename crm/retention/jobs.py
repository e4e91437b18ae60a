"""Timed work of retention."""

import structlog
from sqlalchemy.exc import DBAPIError

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.retention import service

log = structlog.get_logger(__name__)


@tick("retention.purge", seconds=3600)
async def purge(sessions: Sessions) -> int:
    """Forget what is old, class by class; one that cannot be purged now does not hold up the others."""
    more = 0
    for key in service.registry():
        try:
            more += await _purge(sessions, key)
        except DBAPIError as error:
            log.warning("retention_waits", kind=key, error=type(error).__name__)
    return more


async def _purge(sessions: Sessions, key: str) -> int:
    """1 when there may be more rows to remove."""
    async with sessions.begin() as session:
        gone = await service.purge(session, key)
        if gone.partitions or gone.rows:
            after = {"partitions": gone.partitions, "rows": gone.rows}
            entry = AuditEntry(actor="system", action="retention.purge", subject=f"retention:{key}", after=after)
            await audit.record(session, entry)
    return int(gone.rows >= service.ROWS_AT_ONCE)

"""Points for tests."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.ids import token
from crm.points import service
from crm.points.types import LedgerReport, Posting


async def give(session: AsyncSession, member_id: int, points: int, *, expires_at: datetime | None = None) -> Posting:
    """Points under a key of their own."""
    return await service.earn(session, member_id, points, rule="gift", key=token("test:"), expires_at=expires_at)


async def assert_sound(session: AsyncSession) -> LedgerReport:
    """The ledger re-derives without a contradiction."""
    report = await service.verify(session)
    assert report.is_clean, report.problems
    return report

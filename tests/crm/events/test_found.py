"""What the database finds is recorded as if the program had published it."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from crm.db.session import Sessions, Surroundings
from crm.events import service, wishes
from crm.events.catalogue import PointsExpired
from crm.events.found import Found
from crm.events.models import EventRow, HandoffRow
from crm.events.subscriptions import PORT, Subscriptions, subscriber
from crm.events.types import RecordedEvent
from crm.kit.crypto import Vault

TRANSACTION = UUID("0190b0a0-0000-7000-8000-000000000000")
_FOUND = Found(
    PointsExpired,
    "SELECT n + 40 AS member_id, n AS points, CAST(:transaction_id AS uuid) AS transaction_id, -n AS balance"
    " FROM generate_series(1, CAST(:most AS bigint)) AS n",
)


@subscriber("test.all", PointsExpired)
async def _everything(session: AsyncSession, event: RecordedEvent) -> None:
    """Never called: what is handed to it is looked at in the table."""


@subscriber("test.choosy", choosy=True)
async def _wished(session: AsyncSession, event: RecordedEvent) -> None:
    """Never called either."""


@pytest.fixture
def listening(sessions: Sessions, vault: Vault) -> Sessions:
    info = {"siyu": Surroundings(vault, {PORT: Subscriptions([_everything, _wished])})}
    return async_sessionmaker(sessions.kw["bind"], expire_on_commit=False, info=info)


async def _handed(session: AsyncSession) -> list[tuple[UUID, str]]:
    rows = await session.execute(select(HandoffRow.event_id, HandoffRow.subscriber))
    return sorted((row.event_id, row.subscriber) for row in rows)


async def test_what_is_found_stands_in_the_log_as_if_it_had_been_published(listening: Sessions) -> None:
    async with listening() as session:
        assert await _FOUND.record(session, most=3, transaction_id=TRANSACTION) == 3
        fact = PointsExpired(member_id=41, points=1, transaction_id=TRANSACTION, balance=-1)
        published = await service.publish(session, fact)
        rows = (await session.scalars(select(EventRow).order_by(EventRow.id))).all()
        assert [row.member_id for row in rows] == [41, 42, 43, 41]
        found = rows[0]
        assert (found.kind, found.source, found.data) == (published.kind, published.source, published.data)
        assert found.occurred_at == published.occurred_at
        assert all((row.id.version, row.id.variant) == (7, published.id.variant) for row in rows)
        assert found.id.int >> 80 == published.id.int >> 80
        assert await _handed(session) == [(row.id, "test.all") for row in rows]


async def test_who_is_choosy_is_handed_what_was_wished_for(listening: Sessions) -> None:
    async with listening() as session:
        await wishes.wish(session, "test.choosy", [PointsExpired.kind])
        assert await _FOUND.record(session, most=1, transaction_id=TRANSACTION) == 1
        assert [name for _, name in await _handed(session)] == ["test.all", "test.choosy"]


async def test_nothing_found_records_nothing(listening: Sessions) -> None:
    async with listening() as session:
        assert await _FOUND.record(session, most=0, transaction_id=TRANSACTION) == 0
        assert await _handed(session) == []

"""What a process held that is gone is taken over at once; what a living one holds is left alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from crm.db.liveness import Liveness
from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import Lane, SendOutcome
from crm.kit.ids import uuid7
from crm.messages.types import Outbound
from tests.factories.deliveries import make_topic
from tests.factories.members import make_contact


class Stuck(FakeSender):
    """Its call does not come back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_calling = asyncio.Event()
        self.let_go = asyncio.Event()

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """Wait, then send."""
        self.is_calling.set()
        await self.let_go.wait()
        return await super().send(bot_id, address, message, lane=lane)


@pytest.fixture
async def alive(committed_sessions: Sessions) -> AsyncIterator[Liveness]:
    """The sign of life of the process that claims first."""
    liveness = Liveness(committed_sessions)
    yield liveness
    await liveness.close()


async def _reply(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await make_topic(session)
        contact = await make_contact(session, address="42")
        source = ("update", str(uuid7(datetime(2026, 5, 1, tzinfo=UTC))))
        await service.replies(session, contact.identity, source, [Outbound("hello")])
        await session.execute(text("UPDATE delivery_replies SET due_at = due_at - interval '1 h'"))


async def _kill(sessions: Sessions) -> None:
    """End the connection that holds the sign of life, as the end of its process would."""
    async with sessions.begin() as session:
        killed = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :owner")
        owner = await session.scalar(text("SELECT lease_owner FROM delivery_replies"))
        assert (await session.scalars(killed, {"owner": owner})).all() == [True]
        holds = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :owner")
        async with asyncio.timeout(30):
            while await session.scalar(holds, {"owner": owner}):  # noqa: ASYNC110 - the server ends it when it likes
                await asyncio.sleep(0.01)


async def _states(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return list((await session.scalars(text("SELECT state FROM delivery_states"))).all())


async def test_a_reply_in_flight_is_taken_over_as_soon_as_its_process_is_gone(
    committed_sessions: Sessions, alive: Liveness
) -> None:
    await _reply(committed_sessions)
    stuck, other = Stuck(), FakeSender()
    first = InteractiveLane(committed_sessions, Unpaced(), {stuck.name: stuck}, alive)
    second = InteractiveLane(committed_sessions, Unpaced(), {other.name: other})
    calling = asyncio.create_task(first.sweep())
    await stuck.is_calling.wait()
    assert (await second.sweep(), len(other.sent)) == (0, 0)
    await _kill(committed_sessions)
    assert (await second.sweep(), len(other.sent)) == (1, 1)
    stuck.let_go.set()
    await calling
    assert await _states(committed_sessions) == ["sent"]


async def test_who_lost_the_connection_holds_leases_under_a_new_number(
    committed_sessions: Sessions, alive: Liveness
) -> None:
    await _reply(committed_sessions)
    before = await alive.owner()
    assert await alive.owner() == before
    async with committed_sessions.begin() as session:
        await session.execute(text("UPDATE delivery_replies SET lease_owner = :owner"), {"owner": before})
    await _kill(committed_sessions)
    async with asyncio.timeout(30):
        while (after := await alive.owner()) == before:  # noqa: ASYNC110 - the end is noticed by the next byte
            await asyncio.sleep(0.01)
    sender = FakeSender()
    lane = InteractiveLane(committed_sessions, Unpaced(), {sender.name: sender}, alive)
    assert await lane.sweep() == 1
    assert after != before
    assert len(sender.sent) == 1

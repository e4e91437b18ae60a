"""The loop that sends webhooks: shared by several, fair to endpoints, finished in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from crm.db.session import Sessions, Surroundings
from crm.events.catalogue import CheckedIn
from crm.events.relay import relay_all
from crm.events.service import publish_many
from crm.kit import egress
from crm.webhooks import service
from runtime.webhooks import Courier
from tests.factories.consumer import Consumer, consuming, loopback_egress
from tests.factories.members import make_member


@pytest.fixture(scope="session")
def surroundings(surroundings: Surroundings) -> Surroundings:
    """As everywhere, but loopback may be called."""
    return replace(surroundings, ports={**surroundings.ports, egress.PORT: loopback_egress()})


async def _endpoint(sessions: Sessions, address: str) -> int:
    async with sessions.begin() as session:
        made = await service.create(session, name="Till", address=address, kinds=["checked_in"])
        return made.endpoint.id


async def _check_in(sessions: Sessions, number: int) -> None:
    async with sessions.begin() as session:
        member = await make_member(session)
        today = (await session.execute(text("SELECT siyu_now()::date"))).scalar_one()
        facts = [CheckedIn(member_id=member.id, local_date=today, streak=streak) for streak in range(number)]
        await publish_many(session, facts)
    await relay_all(sessions)


@asynccontextmanager
async def _couriers(sessions: Sessions, number: int = 1) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(Courier(sessions, loopback_egress()).run(stop))
        try:
            yield stop
        finally:
            stop.set()


async def _states(sessions: Sessions) -> dict[str, int]:
    async with sessions() as session:
        rows = await session.execute(text("SELECT state, count(*) AS number FROM webhook_messages GROUP BY state"))
        return {row.state: row.number for row in rows}


async def test_a_slow_consumer_does_not_stop_others(committed_sessions: Sessions) -> None:
    async with consuming(Consumer()) as slow, consuming(Consumer()) as quick:
        slow.open_door.clear()
        await _endpoint(committed_sessions, slow.base_url)
        await _endpoint(committed_sessions, quick.base_url)
        await _check_in(committed_sessions, 12)
        async with _couriers(committed_sessions):
            await quick.until(12)
            await slow.until(4)
            assert slow.most_inside == 4
            slow.open_door.set()
            await slow.until(12)
    assert await _states(committed_sessions) == {"delivered": 24}
    assert slow.most_inside == 4


async def test_two_share_the_work_without_a_double(committed_sessions: Sessions) -> None:
    async with consuming(Consumer()) as consumer:
        await _endpoint(committed_sessions, consumer.base_url)
        await _check_in(committed_sessions, 40)
        async with _couriers(committed_sessions, 2):
            await consumer.until(40)
    assert await _states(committed_sessions) == {"delivered": 40}
    assert len(consumer.ids()) == len(set(consumer.ids())) == 40


async def test_relays_side_by_side_number_without_gaps(committed_sessions: Sessions) -> None:
    addresses = [f"https://shop.example/{name}" for name in "abc"]
    endpoint_ids = [await _endpoint(committed_sessions, address) for address in addresses]
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        today = (await session.execute(text("SELECT siyu_now()::date"))).scalar_one()
        facts = [CheckedIn(member_id=member.id, local_date=today, streak=streak) for streak in range(60)]
        await publish_many(session, facts)
    await asyncio.gather(*(relay_all(committed_sessions) for _ in range(6)))
    async with committed_sessions() as session:
        query = text("SELECT sequence FROM webhook_messages WHERE endpoint_id = :id ORDER BY 1")
        numbers = [list(await session.scalars(query, {"id": endpoint_id})) for endpoint_id in endpoint_ids]
        open_ones = (await session.execute(text("SELECT count(*) FROM event_handoffs"))).scalar_one()
    assert numbers == [list(range(1, 61))] * 3
    assert open_ones == 0


async def test_what_is_on_its_way_is_finished_when_told_to_stop(committed_sessions: Sessions) -> None:
    async with consuming(Consumer()) as consumer:
        consumer.open_door.clear()
        await _endpoint(committed_sessions, consumer.base_url)
        await _check_in(committed_sessions, 9)
        async with _couriers(committed_sessions) as stop:
            await consumer.until(4)
            stop.set()
            consumer.open_door.set()
    assert await _states(committed_sessions) == {"delivered": 4, "waiting": 5}
    assert len(consumer.heard) == 4

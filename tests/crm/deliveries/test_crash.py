"""Senders that are killed, paused for too long, or many: nothing is lost, nothing is sent twice under `hold`."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text

from crm.db.session import Sessions
from crm.deliveries import jobs, leases, service
from crm.deliveries.errors import LeaseLost
from crm.deliveries.leases import Lease
from crm.deliveries.sending import ChunkRun, Desk, send_due, take_next
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import MessageClass
from tests.factories.deliveries import ID, KIND, desk, expire_leases, figures, launch


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the fake is watched from outside
            await asyncio.sleep(0.005)


async def _take(work: Desk) -> Lease:
    lease = await take_next(work)
    assert lease is not None
    return lease


async def _killed_in_a_group(sessions: Sessions, sender: FakeSender, group_calls: int) -> None:
    """Run a sender until the provider took `group_calls` messages and let it vanish before it heard of it."""
    sender.gate = asyncio.Event()
    work = desk(sessions, sender, owner="killed")
    task = asyncio.create_task(ChunkRun(work, await _take(work)).run())
    await _until(lambda: len(sender.sent) >= group_calls)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sender.gate = None


async def _in_small_chunks(committed_sessions: Sessions) -> None:
    """So that several senders have something to do."""
    async with committed_sessions.begin() as session:
        await session.execute(text("UPDATE delivery_chunks SET last_member_id = first_member_id + 9, size = 10"))
        for start in (10, 20, 30):
            await session.execute(
                text(
                    "INSERT INTO delivery_chunks (broadcast_id, bot_id, part, size, first_member_id, last_member_id,"
                    " not_before) SELECT broadcast_id, bot_id, part, 10, first_member_id + :start,"
                    " first_member_id + :start + 9, not_before FROM delivery_chunks ORDER BY id LIMIT 1"
                ),
                {"start": start},
            )
        await session.execute(
            text(
                "UPDATE bulk_deliveries d SET chunk_id = c.id FROM delivery_chunks c"
                " WHERE d.member_id BETWEEN c.first_member_id AND c.last_member_id"
            )
        )


async def test_two_senders_share_a_broadcast_without_duplicates(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 40)
    await _in_small_chunks(committed_sessions)
    one, two = FakeSender(latency=0.002), FakeSender(latency=0.002)
    desks = [desk(committed_sessions, one, owner="one"), desk(committed_sessions, two, owner="two")]
    # Each has a chunk before the other one can be through with all of them.
    runs = [ChunkRun(work, await _take(work)) for work in desks]
    await asyncio.gather(*(run.run() for run in runs))
    await asyncio.gather(*(send_due(work) for work in desks))
    assert sorted(one.addresses() + two.addresses()) == sorted(audience.addresses)
    assert one.sent
    assert two.sent
    assert await figures(committed_sessions) == {"sent": 40}


async def test_chunks_that_end_at_the_same_moment_announce_the_end_themselves(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 40)
    await _in_small_chunks(committed_sessions)
    desks = [desk(committed_sessions, FakeSender(gate=asyncio.Event()), owner=str(number)) for number in range(4)]
    runs = [asyncio.create_task(ChunkRun(work, await _take(work)).run()) for work in desks]
    senders = [sender for work in desks for sender in work.senders.values() if isinstance(sender, FakeSender)]
    await _until(lambda: all(sender.calls == 10 for sender in senders))
    for sender in senders:
        assert sender.gate is not None
        sender.gate.set()
    await asyncio.gather(*runs)
    async with committed_sessions.begin() as session:
        assert (await service.get(session, KIND, ID)).finished_at is not None
        kinds = await session.scalars(text("SELECT kind FROM events WHERE kind = 'broadcast_finished'"))
        assert len(kinds.all()) == 1


async def test_ten_takers_get_a_chunk_once(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 5)
    taken = await asyncio.gather(*(take_next(desk(committed_sessions, FakeSender(), owner=str(n))) for n in range(10)))
    assert len([lease for lease in taken if lease is not None]) == 1


async def test_a_killed_sender_leaves_at_most_a_group_uncertain(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 60)
    sender = FakeSender()
    await _killed_in_a_group(committed_sessions, sender, 25)
    assert await figures(committed_sessions) == {"sending": 25, "claimed": 35}
    await expire_leases(committed_sessions)
    assert await figures(committed_sessions) == {"uncertain": 25, "queued": 35}
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"uncertain": 25, "sent": 35}
    assert len(sender.sent) == len(set(sender.addresses()))
    async with committed_sessions.begin() as session:
        assert (await service.get(session, KIND, ID)).finished_at is not None
        assert await service.resend_uncertain(session, KIND, ID) == 25
    assert await figures(committed_sessions) == {"queued": 25, "sent": 35}
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 60}
    assert set(sender.addresses()) == set(audience.addresses)


async def test_a_kill_between_claim_and_intent_leaves_nothing_in_doubt(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 10)
    await _take(desk(committed_sessions, FakeSender(), owner="killed"))
    await expire_leases(committed_sessions)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 10}
    assert len(sender.sent) == 10


async def test_a_doubtful_receipt_is_sent_once_more_with_the_same_number(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 3, message_class=MessageClass.RECEIPT)
    sender = FakeSender()
    await _killed_in_a_group(committed_sessions, sender, 3)
    await expire_leases(committed_sessions)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 3}
    assert len(sender.sent) == 6
    assert len({item.message.text_html for item in sender.sent}) == 3


async def test_a_receipt_in_doubt_twice_is_held(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 2, message_class=MessageClass.RECEIPT)
    sender = FakeSender()
    for _ in range(2):
        await _killed_in_a_group(committed_sessions, sender, 2)
        sender.sent.clear()
        await expire_leases(committed_sessions)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"uncertain": 2}
    assert not sender.sent


async def test_who_was_away_too_long_writes_nothing(committed_sessions: Sessions) -> None:
    audience = await launch(committed_sessions, 30)
    stopped = FakeSender(gate=asyncio.Event())
    work = desk(committed_sessions, stopped, owner="stopped")
    task = asyncio.create_task(ChunkRun(work, await _take(work)).run())
    await _until(lambda: len(stopped.sent) == 25)
    await expire_leases(committed_sessions)
    other = FakeSender()
    await send_due(desk(committed_sessions, other, owner="other"))
    before = await figures(committed_sessions)
    assert stopped.gate is not None
    stopped.gate.set()
    await task
    assert await figures(committed_sessions) == before == {"uncertain": 25, "sent": 5}
    sent = stopped.addresses() + other.addresses()
    assert len(sent) == len(set(sent)) <= len(audience.addresses)


async def test_a_tick_shows_doubts_where_nobody_goes_on(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 4)
    await _killed_in_a_group(committed_sessions, FakeSender(), 4)
    async with committed_sessions.begin() as session:
        await service.cancel(session, KIND, ID)
    await expire_leases(committed_sessions)
    assert await jobs.free_expired.run(committed_sessions) == 1
    assert await jobs.free_expired.run(committed_sessions) == 0
    assert await figures(committed_sessions) == {"uncertain": 4}


async def test_a_stopping_process_leaves_nothing_in_doubt(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 60)
    sender = FakeSender(latency=0.05)
    work = desk(committed_sessions, sender)
    task = asyncio.create_task(send_due(work))
    await _until(lambda: sender.calls >= 10)
    work.stop.set()
    await task
    seen = await figures(committed_sessions)
    assert seen["sent"] == len(sender.sent) < 60
    assert seen["queued"] == 60 - len(sender.sent)
    await send_due(desk(committed_sessions, sender))
    assert await figures(committed_sessions) == {"sent": 60}
    assert len(set(sender.addresses())) == len(sender.sent)


async def test_an_answer_that_never_comes_is_uncertain_after_the_drain(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 2)
    sender = FakeSender(gate=asyncio.Event())
    work = desk(committed_sessions, sender)
    task = asyncio.create_task(send_due(work))
    await _until(lambda: len(sender.sent) == 2)
    work.stop.set()
    await task
    assert await figures(committed_sessions) == {"uncertain": 2}


async def test_an_extended_lease_is_kept_and_a_lost_one_is_not(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    lease = await _take(desk(committed_sessions, FakeSender()))
    async with committed_sessions.begin() as session:
        assert await leases.extend(session, lease)
    assert await take_next(desk(committed_sessions, FakeSender(), owner="two")) is None
    await expire_leases(committed_sessions)
    second = await _take(desk(committed_sessions, FakeSender(), owner="two"))
    assert second.fence == lease.fence + 1
    with pytest.raises(LeaseLost):
        async with committed_sessions.begin() as session:
            await leases.extend(session, lease)

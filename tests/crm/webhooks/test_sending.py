"""A consumer that is down for a day: signed retries, dead letters, disabling, replay, numbers in order."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from crm.events.relay import relay_all
from crm.kit.egress import EgressRules
from crm.kit.paging import InvalidCursor
from crm.webhooks import messages, policy, sending, service
from crm.webhooks.errors import MessageNotFound
from crm.webhooks.types import DisabledReason, EndpointStatus, IssuedEndpoint, Message, MessageState
from runtime.egress import EgressClient
from tests.crm.webhooks.conftest import START, House
from tests.factories.consumer import Consumer, consuming, loopback_egress


async def _only(house: House, made: IssuedEndpoint) -> Message:
    async with house.sessions.begin() as session:
        (message,) = (await messages.listing(session, made.endpoint.id)).items
        return message


async def test_a_message_arrives_signed(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(f"{consumer.base_url}/hooks?shop=1")
    event = await house.check_in(streak=7)
    assert await house.send() == 1
    (heard,) = consumer.heard
    assert heard.path == "/hooks"
    assert heard.is_signed(made.secret)
    assert not heard.is_signed("whsec_" + "A" * 44)
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert heard.message == {
        "id": str(event.id),
        "type": "checked_in",
        "timestamp": "2026-03-01T00:00:00.000000Z",
        "sequence": 1,
        "data": {"member_id": event.member_id, "local_date": "2026-03-01", "streak": 7, "channel": None},
    }
    message = await _only(house, made)
    assert (message.state, message.attempts, message.last_status) == (MessageState.DELIVERED, 1, 204)
    assert await house.send() == 0


@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 401, 404, 429, 500, 503])
async def test_only_2xx_is_a_success(house: House, consumer: Consumer, status: int) -> None:
    made = await house.endpoint(consumer.base_url)
    consumer.status, consumer.text = status, "why\nnot"
    if 300 <= status < 400:
        consumer.headers = {"Location": f"{consumer.base_url}/elsewhere"}
    await house.check_in()
    await house.send()
    message = await _only(house, made)
    assert message.state is (MessageState.DELIVERED if status == 201 else MessageState.WAITING)
    assert message.last_status == status
    assert [one.path for one in consumer.heard] == ["/"]
    async with house.sessions.begin() as session:
        (attempt,) = await messages.attempts(session, made.endpoint.id, message.event_id)
    assert (attempt.number, attempt.status, attempt.excerpt) == (1, status, "why not")


async def test_a_consumer_that_is_down_for_a_day(house: House) -> None:
    """Ten tries over more than a day, each signed at its own time with the same id; then dead, and disabled."""
    async with consuming(Consumer(status=503)) as consumer:
        made = await house.endpoint(consumer.base_url)
        event = await house.check_in()
        waits = []
        while (message := await _only(house, made)).state is MessageState.WAITING:
            assert message.due_at is not None
            waits.append((message.due_at - house.now).total_seconds())
            await house.set_time(message.due_at - timedelta(seconds=1))
            assert await house.send() == 0
            await house.set_time(message.due_at)
            assert await house.send() == 1
        heard = consumer.heard
    assert waits[0] == 0
    spread = 1 + policy.JITTER
    assert all(plan <= wait <= plan * spread for plan, wait in zip(policy.DELAYS, waits[1:], strict=True))
    assert {one.headers["webhook-id"] for one in heard} == {str(event.id)}
    assert len({one.headers["webhook-timestamp"] for one in heard}) == len(heard) == policy.MAX_TRIES
    assert len({one.body for one in heard}) == 1
    assert all(one.is_signed(made.secret) for one in heard)
    assert (message.state, message.attempts, message.last_status) == (MessageState.DEAD, 10, 503)
    async with house.sessions.begin() as session:
        endpoint = await service.get(session, made.endpoint.id)
        log = await messages.attempts(session, made.endpoint.id, event.id)
    assert (endpoint.status, endpoint.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.FAILING)
    assert house.now - START > timedelta(hours=24)
    assert [one.number for one in log] == list(range(10, 0, -1))
    assert {(one.is_success, one.error) for one in log} == {(False, "answered 503")}


async def test_what_died_is_replayed_with_its_number(house: House) -> None:
    async with consuming(Consumer(status=500)) as consumer:
        made = await house.endpoint(consumer.base_url)
        events = [await house.check_in(streak) for streak in (1, 2, 3)]
        await house.send()
        for delay in policy.DELAYS:
            await house.later(seconds=delay * (1 + policy.JITTER))
            await house.send()
        consumer.status = 200
        async with house.sessions.begin() as session:
            assert (await service.get(session, made.endpoint.id)).status is EndpointStatus.DISABLED
            await service.enable(session, made.endpoint.id)
        await house.send()
        consumer.heard.clear()
        async with house.sessions.begin() as session:
            dead = await messages.listing(session, made.endpoint.id, state=MessageState.DEAD)
            delivered = await messages.listing(session, made.endpoint.id, state=MessageState.DELIVERED)
            total = await messages.replay_dead(session, made.endpoint.id)
        assert len(dead.items) + len(delivered.items) == 3
        assert total == len(dead.items) >= 1
        assert await house.send() == total
        assert {one.message["sequence"] for one in consumer.heard} == {one.sequence for one in dead.items}
        consumer.heard.clear()
        async with house.sessions.begin() as session:
            await messages.replay(session, made.endpoint.id, events[1].id)
        await house.send()
    assert [(one.message["sequence"], one.message["data"]["streak"]) for one in consumer.heard] == [(2, 2)]
    async with house.sessions.begin() as session:
        left = await messages.listing(session, made.endpoint.id, state=MessageState.DEAD)
        assert left.items == []
        with pytest.raises(MessageNotFound):
            await messages.replay(session, made.endpoint.id, UUID(int=7))


async def test_a_success_clears_the_record(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    consumer.status = 500
    await house.check_in()
    await house.send()
    async with house.sessions.begin() as session:
        assert (await service.get(session, made.endpoint.id)).failing_since == START
    consumer.status = 200
    await house.later(hours=23)
    await house.send()
    consumer.status = 500
    await house.later(hours=2)
    await house.check_in()
    await house.send()
    async with house.sessions.begin() as session:
        endpoint = await service.get(session, made.endpoint.id)
    assert (endpoint.status, endpoint.failing_since) == (EndpointStatus.ACTIVE, house.now)


async def test_gone_disables_at_once(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    consumer.status = 410
    await house.check_in()
    await house.check_in()
    assert await house.send() == 1
    async with house.sessions.begin() as session:
        endpoint = await service.get(session, made.endpoint.id)
    assert (endpoint.status, endpoint.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.GONE)


async def test_retry_after_is_honoured_within_limits(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    consumer.status, consumer.headers = 429, {"Retry-After": "900"}
    await house.check_in()
    await house.send()
    assert (await _only(house, made)).due_at == house.now + timedelta(seconds=900)
    consumer.headers = {"Retry-After": "99999999"}
    await house.later(seconds=900)
    await house.send()
    assert (await _only(house, made)).due_at == house.now + timedelta(hours=8)


async def test_an_address_that_became_private_is_refused_when_sending(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    await house.check_in()
    (claimed,) = await sending.claim(house.sessions)
    async with house.sessions.begin() as session:
        outcome = await sending.call(service.egress_of(session), claimed)
        assert outcome.is_success
    refused = await sending.call(EgressClient(EgressRules(allow_http=True)), claimed)
    assert (refused.is_success, refused.status) == (False, None)
    assert refused.error == "The address leads into a private network."
    assert len(consumer.heard) == 1
    async with house.sessions.begin() as session:
        await sending.settle(session, claimed, refused)
    assert (await _only(house, made)).state is MessageState.WAITING


async def test_nobody_listens(house: House) -> None:
    async with consuming(Consumer()) as gone:
        address = gone.base_url
    made = await house.endpoint(address)
    await house.check_in()
    await house.send()
    message = await _only(house, made)
    assert (message.state, message.last_status, message.last_error) == (MessageState.WAITING, None, "no connection")


async def test_a_crash_between_call_and_settlement_repeats_under_the_same_id(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    await house.check_in()
    (claimed,) = await sending.claim(house.sessions)
    await sending.call(loopback_egress(), claimed)
    assert await house.send() == 0
    async with house.sessions.begin() as session:
        await session.execute(text("UPDATE webhook_messages SET lease_until = clock_timestamp() - interval '1 second'"))
    assert await house.send() == 1
    assert len(set(consumer.ids())) == 1
    async with house.sessions.begin() as session:
        late = await sending.call(loopback_egress(), claimed)
        await sending.settle(session, claimed, type(late)(is_success=False, milliseconds=1, status=500))
    assert (await _only(house, made)).state is MessageState.DELIVERED


async def test_an_event_that_is_gone_is_dead_at_once(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    event = await house.check_in()
    async with house.sessions.begin() as session:
        move = "UPDATE webhook_messages SET event_id = gen_random_uuid() WHERE event_id = :id"
        await session.execute(text(move), {"id": event.id})
    await house.send()
    message = await _only(house, made)
    assert (message.state, message.last_error) == (MessageState.DEAD, "the event is not in the log any more")
    assert consumer.heard == []
    async with house.sessions.begin() as session:
        assert (await service.get(session, made.endpoint.id)).failing_since is None


async def test_a_test_message(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url, "order_placed")
    async with house.sessions.begin() as session:
        sent = await messages.send_test(session, made.endpoint.id)
    assert await relay_all(house.sessions) == 0
    await house.send()
    (heard,) = consumer.heard
    assert heard.is_signed(made.secret)
    assert (heard.message["type"], heard.message["id"]) == ("webhook_test", str(sent.event_id))
    assert heard.message["data"] == {"member_id": None, "webhook_id": made.endpoint.id}


async def test_numbers_have_no_gaps_and_the_log_has_pages(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    for streak in range(1, 6):
        await house.check_in(streak)
    await house.send()
    assert sorted(one.message["sequence"] for one in consumer.heard) == [1, 2, 3, 4, 5]
    assert all(one.message["sequence"] == one.message["data"]["streak"] for one in consumer.heard)
    async with house.sessions.begin() as session:
        first = await messages.listing(session, made.endpoint.id, limit=3)
        second = await messages.listing(session, made.endpoint.id, limit=3, cursor=first.next_cursor)
        with pytest.raises(InvalidCursor):
            await messages.listing(session, made.endpoint.id, cursor="x")
    assert [one.sequence for one in (*first.items, *second.items)] == [5, 4, 3, 2, 1]
    assert second.next_cursor is None


async def test_the_log_of_attempts_refuses_changes(house: House, consumer: Consumer) -> None:
    await house.endpoint(consumer.base_url)
    await house.check_in()
    await house.send()
    with pytest.raises(Exception, match="never changed"):
        async with house.sessions.begin() as session:
            await session.execute(text("UPDATE webhook_attempts SET status = 200"))

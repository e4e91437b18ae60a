"""Dead messages among the dead letters of all kinds."""

import json

import pytest

from crm.jobs.dead import DeadLetterNotFound, boxes
from crm.webhooks import policy, service
from crm.webhooks.dead_letters import webhooks
from crm.webhooks.errors import EndpointDisabled
from tests.crm.webhooks.conftest import House
from tests.factories.consumer import Consumer


async def _die(house: House, consumer: Consumer) -> str:
    """One message is given up; answers its key."""
    consumer.status = 500
    await house.send()
    for delay in policy.DELAYS:
        await house.later(seconds=delay * (1 + policy.JITTER))
        await house.send()
    async with house.sessions.begin() as session:
        (letter,) = await webhooks.listing(session, limit=10)
    assert (letter.title, letter.reason, letter.tries) == ("checked_in → Till", "answered 500", 10)
    return letter.key


async def test_a_dead_message_is_seen_and_replayed(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    event = await house.check_in(streak=5)
    key = await _die(house, consumer)
    consumer.status = 200
    async with house.sessions.begin() as session:
        assert boxes()["webhooks"] is webhooks
        assert await webhooks.count(session) == 1
        assert json.loads(await webhooks.reveal(session, key))["id"] == str(event.id)
        with pytest.raises(EndpointDisabled):
            await webhooks.replay(session, key)
        await service.enable(session, made.endpoint.id)
        await webhooks.replay(session, key)
        with pytest.raises(DeadLetterNotFound):
            await webhooks.replay(session, key)
    assert await house.send() == 1


async def test_a_dead_message_is_discarded(house: House, consumer: Consumer) -> None:
    await house.endpoint(consumer.base_url)
    await house.check_in()
    key = await _die(house, consumer)
    async with house.sessions.begin() as session:
        await webhooks.discard(session, key)
        assert await webhooks.count(session) == 0
        for act in (webhooks.replay, webhooks.discard, webhooks.reveal):
            for wrong in (key, "", "x", "1.x", "9" * 30 + ".x", "-1.00000000-0000-0000-0000-000000000000", "１.x"):
                with pytest.raises(DeadLetterNotFound):
                    await act(session, wrong)

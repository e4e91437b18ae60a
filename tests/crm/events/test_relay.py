"""Recording and handing over."""

from typing import ClassVar

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from crm.db.session import Sessions, Surroundings
from crm.events import relay, service
from crm.events.catalogue import TagAdded
from crm.events.subscriptions import PORT, Subscriptions, subscriber
from crm.events.types import RecordedEvent
from crm.kit.crypto import Vault


class Seen:
    events: ClassVar[list[RecordedEvent]] = []
    failures = 0


@subscriber("test.seen", TagAdded)
async def seen(session: AsyncSession, event: RecordedEvent) -> None:
    if Seen.failures:
        Seen.failures -= 1
        raise RuntimeError("not this time")
    Seen.events.append(event)


@pytest.fixture
def listening(sessions: Sessions, vault: Vault) -> Sessions:
    Seen.events.clear()
    bind = sessions.kw["bind"]
    surroundings = Surroundings(vault, {PORT: Subscriptions([seen])})
    return async_sessionmaker(
        bind, join_transaction_mode="create_savepoint", expire_on_commit=False, info={"siyu": surroundings}
    )


async def test_a_subscriber_sees_each_event_once(listening: Sessions) -> None:
    async with listening.begin() as session:
        sent = await service.publish(session, TagAdded(member_id=1, tag="tea", source="test"))
    assert await relay.relay_all(listening) == 1
    assert await relay.relay_all(listening) == 0
    assert [event.id for event in Seen.events] == [sent.id]
    assert Seen.events[0].data == {"tag": "tea", "source": "test"}


async def test_a_failure_is_tried_again_later_and_others_go_on(listening: Sessions) -> None:
    Seen.failures = 1
    async with listening.begin() as session:
        await service.publish(session, TagAdded(member_id=1, tag="tea", source="test"))
        await service.publish(session, TagAdded(member_id=2, tag="tea", source="test"))
    await relay.relay_all(listening)
    assert [event.member_id for event in Seen.events] == [2]


async def test_an_outside_key_counts_once(session: AsyncSession) -> None:
    fact = TagAdded(member_id=1, tag="tea", source="test")
    assert await service.publish_once(session, "k1", fact) is not None
    assert await service.publish_once(session, "k1", fact) is None
    assert len(await service.timeline(session, 1)) == 1

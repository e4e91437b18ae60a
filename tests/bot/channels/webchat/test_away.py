"""Messages to visitors who are away: stored, shown on their return, and only then delivered."""

import asyncio
import contextlib

from redis.asyncio import Redis
from sqlalchemy import text

from bot import replies
from crm.db.session import Sessions
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.deliveries.types import Lane
from crm.members import service as members
from crm.members.types import Identity
from crm.messages.types import Outbound
from tests.bot.channels.webchat.house import ChatHouse, open_house
from tests.bot.channels.webchat.page import open_page


async def deliver(house: ChatHouse, identity: Identity, message: Outbound, source: str) -> None:
    async with house.sessions.begin() as session:
        ids = await replies.enqueue(session, identity, ("ticket", source), [message], is_gated=False)
    await InteractiveLane(house.sessions, Unpaced(), {"webchat": house.sender}).deliver_now(ids)


async def states(house: ChatHouse, source: str) -> list[str]:
    async with house.sessions() as session:
        query = text("SELECT state FROM delivery_states WHERE source_kind = 'ticket' AND source_id = :source")
        return list((await session.scalars(query, {"source": source})).all())


async def until_state(house: ChatHouse, source: str, state: str) -> None:
    for _ in range(100):
        if await states(house, source) == [state]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it did not become {state}")


async def visitor(house: ChatHouse) -> tuple[str, Identity]:
    """Someone who was here and went: token and identity."""
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        token = page.token
    async with house.sessions() as session:
        contact = await members.find_contact(session, house.bot.id, token.split(".")[0])
        assert contact is not None
        return token, contact.identity


async def test_it_is_sent_when_stored_and_delivered_when_seen(house: ChatHouse) -> None:
    token, identity = await visitor(house)
    await deliver(house, identity, Outbound("We miss you"), "1:1")
    assert await states(house, "1:1") == ["sent"]
    async with open_page(house) as page:
        await page.hello(token)
        newest = (await page.history())["messages"][-1]
        assert newest["text"] == "We miss you"
        assert await states(house, "1:1") == ["sent"]
        await page.send({"type": "seen", "id": newest["id"]})
        await until_state(house, "1:1", "delivered")


async def test_seen_before_its_result_is_written_still_counts(house: ChatHouse) -> None:
    token, identity = await visitor(house)
    async with open_page(house) as page:
        await page.hello(token)
        await page.history()
        stored = await house.sender.send(house.bot.id, identity.address, Outbound("Quick"), lane=Lane.INTERACTIVE)
        shown = await page.heard()
        await page.send({"type": "seen", "id": shown["id"]})
        await page.history()  # the page's frames are handled in order

        class Replay:
            name, traits = house.sender.name, house.sender.traits

            async def send(self, *_: object, **__: object) -> object:
                return stored

        async with house.sessions.begin() as session:
            ids = await replies.enqueue(session, identity, ("ticket", "2:1"), [Outbound("Quick")], is_gated=False)
        lane = InteractiveLane(house.sessions, Unpaced(), {"webchat": Replay()})  # type: ignore[dict-item] # late result
        await lane.deliver_now(ids)
        await until_state(house, "2:1", "delivered")


async def test_flushing_valkey_loses_nothing(house: ChatHouse) -> None:
    token, identity = await visitor(house)
    await deliver(house, identity, Outbound("Before"), "3:1")
    await house.valkey.flushall()
    async with open_page(house) as page:
        assert (await page.hello(token))["type"] == "welcome"
        assert (await page.history())["messages"][-1]["text"] == "Before"
        await page.say("/help")
        assert "/language" in (await page.heard())["text"]


async def test_without_valkey_pages_ask_the_database(committed_sessions: Sessions, house: ChatHouse) -> None:
    token, identity = await visitor(house)
    async with (
        Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2) as absent,
        contextlib.AsyncExitStack() as stack,
    ):
        alone = await stack.enter_async_context(open_house(committed_sessions, absent))
        page = await stack.enter_async_context(open_page(alone))
        assert (await page.hello(token))["type"] == "welcome"
        await page.history()
        await deliver(alone, identity, Outbound("By asking"), "4:1")
        async with asyncio.timeout(30):
            while (await page.heard())["text"] != "By asking":
                pass
        await page.say("/help")
        async with asyncio.timeout(30):
            assert "/language" in (await page.heard())["text"]

"""What pages of others, forgers and machines send: refused or slowed down in order, never an error of ours."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.channels.webchat import tokens
from bot.channels.webchat.limits import Bucket
from crm.bots import service as bots
from crm.db.session import Sessions
from tests.bot.channels.webchat.house import QUICK, ChatHouse, open_house
from tests.bot.channels.webchat.page import open_page

HOSTILE = [
    "",
    "null",
    "[]",
    '"hello"',
    "{",
    "[" * 16_000,
    '{"type": 5}',
    '{"type": "sudo"}',
    '{"type": "text"}',
    '{"type": "text", "id": "a"}',
    '{"type": "text", "id": "a", "text": 5}',
    '{"type": "text", "id": "a", "text": "   "}',
    '{"type": "text", "id": "a b", "text": "x"}',
    '{"type": "text", "id": {"$gt": ""}, "text": "x"}',
    '{"type": "tap", "id": "a", "data": "' + "x" * 500 + '"}',
    '{"type": "tap", "id": "a", "data": []}',
    '{"type": "history", "before": "nobody"}',
    '{"type": "history", "before": 7}',
    '{"type": "seen", "id": "; DROP TABLE members"}',
    '{"type": "text", "id": "a", "text": NaN}',
    '{"type": "text", "id": "a", "text": "' + "x" * 16_400 + '"}',
    '{"type": "hello"}',
]


async def test_hostile_frames_are_answered_and_the_line_holds(house: ChatHouse) -> None:
    for start in range(0, len(HOSTILE), 15):
        async with open_page(house) as page:
            await page.hello()
            await page.heard()
            for data in HOSTILE[start : start + 15]:
                await page.line.send(data)
                assert (await page.next("error"))["text"], data
                assert (await page.history())["messages"], data


async def test_binary_frames_are_answered(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.line.send(b"\x00\xff")
        assert (await page.next("error"))["code"] == "invalid_frame"


STRANGE = ["a\x00b", "\ud800half", "\u202egnp.exe", "\U0001f468\u200d\U0001f469" * 300, "<script>alert(1)</script>"]


async def test_strange_text_is_stored_as_text(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        for said in STRANGE:
            assert (await page.say(said))["type"] == "ack"
            await page.heard()
        mine = [one for one in (await page.history())["messages"] if one["direction"] == "in"]
    assert {one["html"] for one in mine} == {False}
    assert [one["text"] for one in mine] == ["ab", "?half", *STRANGE[2:]]


async def test_a_machine_that_sends_only_rubbish_is_dropped(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()

        async def babble() -> None:
            for _ in range(60):
                await page.line.send("{")
                await page.next("error")

        with pytest.raises(ConnectionClosed):
            await babble()


async def test_the_first_frame_is_a_hello(house: ChatHouse) -> None:
    for first in ('{"type": "history"}', '{"type": "text", "id": "a", "text": "x"}', "{"):
        async with open_page(house) as page:
            await page.line.send(first)
            assert (await page.next("error"))["code"]
            with pytest.raises(ConnectionClosed):
                await page.next("welcome")


OTHERS = ["https://evil.example", "null", "https://shop.example.evil.example", "https://shop.example:8443"]


async def test_pages_of_others_are_refused(house: ChatHouse) -> None:
    for origin in OTHERS:
        with pytest.raises(InvalidStatus):
            async with open_page(house, origin=origin):
                pass


async def test_pages_of_allowed_origins_connect(house: ChatHouse) -> None:
    async with open_page(house, origin="https://shop.example") as page:
        assert (await page.hello())["type"] == "welcome"


async def test_forged_tokens_are_refused(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        token = page.token
    address, version, issued, signature = token.split(".")
    forged = [
        f"{address[::-1]}.{version}.{issued}.{signature}",
        f"{address}.{int(version) + 1}.{issued}.{signature}",
        f"{address}.{version}.{int(issued) + 1}.{signature}",
        f"{address}.{version}.{issued}.",
        "....",
        "x",
        "é" * 20,
    ]
    for one in forged:
        async with open_page(house) as page:
            assert (await page.hello(one))["code"] == "token_invalid"


async def test_tokens_are_bound_to_their_bot_and_can_be_revoked(house: ChatHouse) -> None:
    async with house.sessions.begin() as session:
        other = await bots.add(session, channel="webchat", name="Other", token=None)
    async with open_page(house) as page:
        await page.hello()
        token = page.token
    async with open_page(house, query=f"?bot={other.id}") as page:
        assert (await page.hello(token))["code"] == "token_invalid"
    async with house.sessions.begin() as session:
        await bots.change(session, house.bot.id, settings={tokens.VERSION_SETTING: 2})
    async with open_page(house) as page:
        assert (await page.hello(token))["code"] == "token_invalid"


async def test_demo_and_stopped_bots_are_not_served_by_default(house: ChatHouse) -> None:
    async with house.sessions.begin() as session:
        demo = await bots.add(session, channel="webchat", name="Demo", token=None, is_demo=True)
        await bots.stop(session, house.bot.id, "closed")
    with pytest.raises(InvalidStatus):
        async with open_page(house):
            pass
    async with open_page(house, query=f"?bot={demo.id}") as page:
        assert (await page.hello())["type"] == "welcome"


async def test_bots_that_do_not_exist_are_refused(house: ChatHouse) -> None:
    for bot in ("0", "-1", "1e3", "999999999999999999999", "x", "%D9%A1"):
        with pytest.raises(InvalidStatus):
            async with open_page(house, query=f"?bot={bot}"):
                pass


async def test_many_new_visitors_of_one_address_are_slowed_down(committed_sessions: Sessions, house: ChatHouse) -> None:
    async with open_house(committed_sessions, house.valkey, limits=replace(QUICK, visitors=3)) as strict:
        codes = []
        for _ in range(5):
            async with open_page(strict) as page:
                codes.append((await page.hello()).get("code"))
    assert codes == [None, None, None, "too_many", "too_many"]
    async with committed_sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbound_updates")) == 3


async def test_a_full_house_says_so(committed_sessions: Sessions, house: ChatHouse) -> None:
    async with open_house(committed_sessions, house.valkey, limits=replace(QUICK, connections=1)) as small:
        async with open_page(small) as first, open_page(small) as second:
            await first.hello()
            assert (await second.next("error"))["code"] == "busy"
        assert await becomes_free(small)


async def becomes_free(house: ChatHouse) -> bool:
    for _ in range(50):
        async with open_page(house) as page:
            with suppress(ConnectionClosed):
                if (await page.hello())["type"] == "welcome":
                    return True
        await asyncio.sleep(0.05)
    return False


async def test_silence_ends_the_connection(committed_sessions: Sessions, house: ChatHouse) -> None:
    hasty = replace(QUICK, hello_seconds=0.2, idle_seconds=0.2)
    async with open_house(committed_sessions, house.valkey, limits=hasty) as quick:
        async with open_page(quick) as mute:
            assert (await mute.next("error"))["code"] == "hello_expected"
        async with open_page(quick) as idle:
            await idle.hello()
            with pytest.raises(ConnectionClosed):
                await idle.next("error")


async def test_too_many_frames_wait_and_are_not_lost(committed_sessions: Sessions, house: ChatHouse) -> None:
    tight = replace(QUICK, burst=5, rate=20.0)
    async with open_house(committed_sessions, house.valkey, limits=tight) as narrow, open_page(narrow) as page:
        await page.hello()
        for number in range(12):
            await page.send({"type": "text", "id": f"n{number}", "text": "hi"})
        got = [(await page.next("ack"))["id"] for _ in range(12)]
    assert got == [f"n{number}" for number in range(12)]


def test_a_bucket_lets_a_burst_through_and_then_asks_to_wait() -> None:
    bucket = Bucket(3, 1.0)
    waits = [bucket.take() for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert 0.9 < waits[3] <= 1.0
    assert 1.9 < waits[4] <= 2.0


async def test_a_database_error_closes_and_the_page_tries_again(
    house: ChatHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise OSError("the database is away")

    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        monkeypatch.setattr("bot.channels.webchat.talk.webchat.store_written", fails)
        assert (await page.say("keep me"))["code"] == "unavailable"
        with pytest.raises(ConnectionClosed):
            await page.next("ack")
        token = page.token
    monkeypatch.undo()
    async with open_page(house) as page:
        await page.hello(token)
        assert (await page.say("keep me", frame_id="again"))["type"] == "ack"
        own = [one["text"] for one in (await page.history())["messages"] if one["direction"] == "in"]
        assert own == ["keep me"]

"""Fetching updates: nothing lost, one poller per bot, bots coming and going."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.channels.contract import ChannelContext
from bot.channels.telegram.access import Access
from bot.channels.telegram.answers import Answer
from bot.channels.telegram.fetching import Fetcher, Pace
from bot.channels.telegram.polling import Poller, poll
from bot.channels.telegram.transport import BotApi
from crm.bots import service as bots
from crm.bots.types import BotStatus

from .conftest import House, KeptIntake

QUICK = Pace(long_poll=2, first_wait=0.05, longest_wait=0.2)


@asynccontextmanager
async def _polling(house: House, intake: KeptIntake | None = None) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    stop = asyncio.Event()
    poller = Poller(house.context, intake or house.intake, look_seconds=0.1, pace=QUICK)
    task = asyncio.create_task(poller.run(stop))

    async def end() -> None:
        stop.set()
        await asyncio.wait_for(asyncio.shield(task), 30)

    try:
        yield end
    finally:
        await end()


async def _until(check: Callable[[], bool | Awaitable[bool]], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)  # what is waited for happens on the other side of a socket


def _said(intake: KeptIntake) -> list[bytes]:
    return [payload for _, _, _, payload in intake.taken]


async def _say(house: House, *words: str) -> None:
    for word in words:
        await house.client.send_text(house.person_id, house.account_id, word)


async def test_updates_are_taken_in_order_with_their_keys(house: House) -> None:
    async with _polling(house):
        await _say(house, "one", "two")
        await house.client.block(house.person_id, house.account_id)
        await _until(lambda: len(house.intake.taken) >= 4)
    bot_ids, keys, chats, payloads = zip(*house.intake.taken, strict=True)
    assert set(bot_ids) == {house.bot.id}
    assert set(chats) == {house.address}
    assert list(keys) == sorted(set(keys), key=int)
    assert [word in payload for word, payload in zip((b"one", b"two"), payloads[1:3], strict=True)] == [True, True]
    assert b"my_chat_member" in payloads[-1]


async def test_the_server_is_told_before_the_first_fetch(house: House) -> None:
    house.simulator.world.bots[house.account_id].allowed_updates = ["message"]
    async with _polling(house):
        await _say(house, "x")
        await _until(lambda: len(house.intake.taken) >= 2)
    account = house.simulator.world.bots[house.account_id]
    assert account.allowed_updates == ["message", "callback_query", "my_chat_member"]
    [chat] = await house.client.chats(house.person_id)
    assert {"command": "checkin", "description": "每日签到"} in chat["commands"]


async def test_what_was_not_committed_comes_again(house: House) -> None:
    away = OperationalError("SELECT 1", {}, OSError("away"))
    house.intake.failures = [away, away]
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)
        await _say(house, "later")
        await _until(lambda: any(b"later" in payload for payload in _said(house.intake)))
    keys = [key for _, key, _, _ in house.intake.taken]
    assert len(keys) == len(set(keys)) == 2


async def test_a_confirmed_update_does_not_come_again(house: House) -> None:
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)
        await _say(house, "x")
        await _until(lambda: len(house.intake.taken) >= 2)
    second = KeptIntake()
    async with _polling(house, second):
        await _say(house, "y")
        await _until(lambda: any(b'"y"' in payload for payload in _said(second)))
    assert not any(b'"x"' in payload for payload in _said(second)[-1:])
    assert len(second.taken) <= 2


@pytest.mark.parametrize("kind", ["server_error", "reset_before_accept", "too_many_requests"])
async def test_troubles_of_the_server_pass(house: House, kind: str) -> None:
    await house.client.add_fault(kind, method="getUpdates", count=2, retry_after=1)
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)


async def test_only_one_process_polls_a_bot_and_the_other_takes_over(house: House) -> None:
    other = KeptIntake()
    async with _polling(house) as end_first:
        await _until(lambda: len(house.intake.taken) >= 1)
        async with _polling(house, other):
            await _say(house, "for the first")
            await _until(lambda: len(house.intake.taken) >= 2)
            await asyncio.sleep(0.3)
            assert other.taken == []
            statistics = await house.client.statistics()
            assert "409" not in statistics["counts"].get("getupdates", {})
            await end_first()
            await _say(house, "for the second")
            await _until(lambda: any(b"for the second" in payload for payload in _said(other)))


async def test_locks_that_were_lost_are_taken_again(house: House) -> None:
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)
        async with house.sessions.begin() as session:
            ended = await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> "
                    "pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
            assert len(ended.all()) == 1
        await asyncio.sleep(0.3)
        await _say(house, "again")
        await _until(lambda: any(b"again" in payload for payload in _said(house.intake)))


async def test_a_revoked_token_stops_the_bot(house: House) -> None:
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)
        token = await house.client.revoke_token(house.account_id)
        await _say(house, "wakes the long poll")

        async def is_stopped() -> bool:
            return (await house.stored_bot()).status is BotStatus.STOPPED

        await _until(is_stopped)
        assert "enter a new one" in ((await house.stored_bot()).stopped_reason or "")
        async with house.sessions.begin() as session:
            await bots.change(session, house.bot.id, token=token)
            await bots.start(session, house.bot.id)
        await _say(house, "back")
        await _until(lambda: any(b"back" in payload for payload in _said(house.intake)))


async def test_bots_come_and_go(house: House) -> None:
    async with _polling(house):
        added = await house.client.create_bot("coffee_bot", "Coffee")
        async with house.sessions.begin() as session:
            second = await bots.add(session, channel="telegram", name="Coffee", token=added["token"])
            await bots.add(session, channel="telegram", name="no token", token=None)
            await bots.add(session, channel="webchat", name="elsewhere", token=None)
        await house.client.start(house.person_id, added["id"])
        await _until(lambda: any(taken[0] == second.id for taken in house.intake.taken))
        async with house.sessions.begin() as session:
            await bots.stop(session, second.id, "by hand")
        await asyncio.sleep(0.4)
        count = len(house.intake.taken)
        await house.client.send_text(house.person_id, added["id"], "nobody fetches this")
        await asyncio.sleep(0.3)
        assert len(house.intake.taken) == count
        async with house.sessions.begin() as session:
            await bots.start(session, second.id)
        await _until(lambda: len(house.intake.taken) > count)


async def test_an_active_webhook_is_ended_before_polling(house: House) -> None:
    bot = house.simulator.world.bots[house.account_id]
    token_url = f"{house.base_url}/bot{house.token}/setWebhook"
    session = house.client._session
    assert session is not None
    async with session.post(token_url, json={"url": "http://127.0.0.1:9/elsewhere"}) as answer:
        assert answer.status == 200
    async with _polling(house):
        await _until(lambda: len(house.intake.taken) >= 1)
    assert bot.webhook is None


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ("Conflict: can't use getUpdates method while webhook is active", "webhook_is_active"),
        ("Conflict: terminated by other getUpdates request", "other_poller"),
    ],
)
async def test_conflicts_are_told_apart(house: House, words: str, event: str) -> None:
    fetcher = Fetcher(BotApi(), house.sessions, house.intake, bot_id=1, access=Access("1:a", "http://x"), pace=QUICK)
    with structlog.testing.capture_logs() as lines:
        wait = fetcher._wait_after(Answer(409, description=words))
    assert wait >= 3
    assert [(line["event"], "remedy" in line) for line in lines] == [(event, True)]


async def test_two_programs_on_one_token(house: House) -> None:
    other = asyncio.create_task(_fetch_elsewhere(house))
    with structlog.testing.capture_logs() as lines:
        async with _polling(house):
            await _until(lambda: any(line["event"] == "other_poller" for line in lines))
    other.cancel()
    await asyncio.wait({other})


async def _fetch_elsewhere(house: House) -> None:
    session = house.client._session
    assert session is not None
    while True:
        async with session.post(f"{house.base_url}/bot{house.token}/getUpdates", json={"timeout": 1}) as answer:
            await answer.read()


async def test_the_database_is_away(house: House) -> None:
    class Away:
        def __call__(self) -> None:
            raise OSError("away")

    context = replace(house.context, sessions=Away())  # type: ignore[arg-type]  # what a lost network raises
    stop = asyncio.Event()
    poller = Poller(context, house.intake, look_seconds=0.05, pace=QUICK)
    task = asyncio.create_task(poller.run(stop))
    await asyncio.sleep(0.2)
    assert not task.done()
    stop.set()
    await asyncio.wait_for(task, 30)


async def test_the_part_needs_an_intake(house: House, valkey_url: str) -> None:
    valkey = Redis.from_url(valkey_url)
    context = ChannelContext(house.context.settings, house.sessions, valkey)
    with pytest.raises(ValueError, match="intake"):
        await poll(context, asyncio.Event())
    await valkey.aclose()

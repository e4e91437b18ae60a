"""Polling and webhooks: order, confirmation, conflicts, retries and expiry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from .conftest import Stage


async def _say(stage: Stage, *texts: str) -> None:
    for text in texts:
        await stage.client.send_text(stage.person_id, stage.bot_id, text)


def _texts(updates: list[dict[str, object]]) -> list[object]:
    return [update["message"]["text"] for update in updates if isinstance(update["message"], dict)]


async def test_offsets_confirm_and_a_negative_one_forgets(stage: Stage) -> None:
    await _say(stage, "a", "b", "c", "d")
    first = await stage.updates(limit=2)
    assert _texts(first) == ["a", "b"]
    assert _texts(await stage.updates(limit=2)) == ["a", "b"]
    assert _texts(await stage.updates(offset=first[0]["update_id"] + 1)) == ["b", "c", "d"]
    assert _texts(await stage.updates(offset=-1)) == ["d"]
    assert _texts(await stage.updates()) == ["d"]


async def test_a_long_poll_wakes_at_the_first_update(stage: Stage) -> None:
    poll = asyncio.create_task(stage.updates(timeout=20))
    await asyncio.sleep(0.05)
    await _say(stage, "hello")
    assert _texts(await asyncio.wait_for(poll, 30)) == ["hello"]


async def test_a_second_poller_ends_the_first(stage: Stage) -> None:
    first = asyncio.create_task(stage.try_call("getUpdates", timeout=20))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(stage.updates(timeout=20))
    status, body = await asyncio.wait_for(first, 30)
    assert status == 409
    assert body["description"].startswith("Conflict: terminated by other getUpdates request")
    await _say(stage, "x")
    assert _texts(await asyncio.wait_for(second, 30)) == ["x"]


async def test_allowed_updates_stay_until_named_again(stage: Stage) -> None:
    await stage.updates(allowed_updates=["my_chat_member"])
    await _say(stage, "unseen")
    await stage.client.block(stage.person_id, stage.bot_id)
    [update] = await stage.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await stage.client.unblock(stage.person_id, stage.bot_id)
    await stage.updates(offset=update["update_id"] + 2, allowed_updates=[])
    await _say(stage, "seen")
    assert _texts(await stage.updates()) == ["seen"]


async def test_updates_expire_after_a_day(stage: Stage) -> None:
    await _say(stage, "old")
    stage.clock.now += 24 * 3600
    assert await stage.updates() == []


@dataclass
class Receiver:
    """A webhook that answers as told."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answer: str = ""
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self.bodies.append(await request.json())
        await self.gate.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, text=self.answer, content_type="application/json")

    async def count(self, number: int) -> None:
        async with asyncio.timeout(30):
            while len(self.bodies) < number:  # noqa: ASYNC110 - the server has no event to wait for
                await asyncio.sleep(0.01)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.gate.set()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def test_a_webhook_gets_updates_with_its_secret_and_retries(stage: Stage) -> None:
    async with receiving() as receiver:
        receiver.statuses = [500, 403, 200]
        await stage.call("setWebhook", url=receiver.url, secret_token="s3cret")
        assert (await stage.refused("getUpdates")).startswith("409 Conflict: can't use getUpdates method")
        await _say(stage, "a")
        await receiver.count(3)
        assert receiver.secrets == ["s3cret"] * 3
        assert _texts(receiver.bodies) == ["a", "a", "a"]
        await asyncio.sleep(0.05)
        info = await stage.call("getWebhookInfo")
        assert (info["url"], info["pending_update_count"]) == (receiver.url, 0)
        assert "403" in info["last_error_message"]
        await stage.call("deleteWebhook")
        assert await stage.updates() == []


async def test_messages_wait_for_each_other_and_taps_do_not(stage: Stage) -> None:
    button = {"text": "ok", "callback_data": "x"}
    sent = await stage.send("tap", reply_markup={"inline_keyboard": [[button]]})
    async with receiving() as receiver:
        receiver.gate.clear()
        await stage.call("setWebhook", url=receiver.url)
        await _say(stage, "a", "b")
        await stage.client.press_button(stage.person_id, stage.bot_id, sent["message_id"], data="x")
        await stage.client.block(stage.person_id, stage.bot_id)
        await receiver.count(3)
        await asyncio.sleep(0.05)
        kinds = [next(k for k in body if k != "update_id") for body in receiver.bodies]
        assert sorted(kinds) == ["callback_query", "message", "my_chat_member"]
        receiver.gate.set()
        await receiver.count(4)
        assert _texts([b for b in receiver.bodies if "message" in b]) == ["a", "b"]


async def test_a_call_in_the_webhook_answer_is_carried_out(stage: Stage) -> None:
    async with receiving() as receiver:
        receiver.answer = f'{{"method": "sendMessage", "chat_id": {stage.person_id}, "text": "by answer"}}'
        await stage.call("setWebhook", url=receiver.url)
        await _say(stage, "a")
        await stage.client.wait_for_message(stage.person_id, stage.bot_id, contains="by answer")


async def test_a_tap_expires_while_the_webhook_is_down(stage: Stage) -> None:
    button = {"text": "ok", "callback_data": "x"}
    sent = await stage.send("tap", reply_markup={"inline_keyboard": [[button]]})
    async with receiving() as receiver:
        receiver.statuses = [500] * 1000
        await stage.call("setWebhook", url=receiver.url)
        await stage.client.press_button(stage.person_id, stage.bot_id, sent["message_id"], data="x")
        await _say(stage, "kept")
        await receiver.count(4)
        stage.clock.now += 151
        await asyncio.sleep(0.3)
        assert (await stage.call("getWebhookInfo"))["pending_update_count"] == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"url": "ftp://example.org"},
        {"url": "http://a.example/", "secret_token": "no spaces"},
        {"url": "http://a.example/", "max_connections": 101},
    ],
)
async def test_bad_webhooks_are_refused(stage: Stage, parameters: dict[str, object]) -> None:
    assert (await stage.refused("setWebhook", **parameters)).startswith("400 Bad Request")
    assert (await stage.call("getWebhookInfo"))["url"] == ""

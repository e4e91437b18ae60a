"""What pretend people do, and what the bot is told of it."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.channels.telegram.simulator.client import SimulatorError
from bot.channels.telegram.simulator.config import BotAccount, RateLimits, SimulatorConfig
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token

from .conftest import Stage


async def _last(stage: Stage) -> dict[str, Any]:
    return (await stage.updates())[-1]


async def test_start_with_a_payload(stage: Stage) -> None:
    await stage.client.start(stage.person_id, "@TEA_bot", "src_x-1")
    message = (await _last(stage))["message"]
    assert message["text"] == "/start src_x-1"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert message["from"]["language_code"] == "zh-hans"
    for payload in ("a b", "x" * 65):
        with pytest.raises(SimulatorError):
            await stage.client.start(stage.person_id, stage.bot_id, payload)


async def test_own_and_foreign_contacts(stage: Stage) -> None:
    await stage.client.send_contact(stage.person_id, stage.bot_id)
    assert (await _last(stage))["message"]["contact"] == {
        "phone_number": "+8613800138000",
        "first_name": "小明",
        "user_id": stage.person_id,
    }
    await stage.client.send_contact(stage.person_id, stage.bot_id, {"phone_number": "+1", "first_name": "Bob"})
    assert "user_id" not in (await _last(stage))["message"]["contact"]


async def test_files_of_people_can_be_fetched_by_the_bot_alone(stage: Stage) -> None:
    for kind in ("photo", "sticker", "document"):
        await stage.client.send_file(stage.person_id, stage.bot_id, kind)
    photo, sticker, document = (update["message"] for update in await stage.updates())
    assert (photo["photo"][0]["width"], sticker["sticker"]["emoji"]) == (256, "🙂")
    file = await stage.call("getFile", file_id=document["document"]["file_id"])
    async with stage.http.get(f"{stage.base_url}/file/bot{stage.token}/{file['file_path']}") as answer:
        assert await answer.read() == b"A note from a pretend user.\n"
    async with stage.http.get(f"{stage.base_url}/file/bot{stage.token}/../x") as answer:
        assert answer.status == 404
    other = await stage.client.create_bot("other_bot", "Other")
    stage.token = other["token"]
    refusal = await stage.refused("getFile", file_id=document["document"]["file_id"])
    assert refusal == "400 Bad Request: wrong file identifier/HTTP URL specified"


async def test_a_tap_is_told_and_answered_until_it_is_too_old(stage: Stage) -> None:
    rows = [[{"text": "Yes", "callback_data": "v1:yes"}, {"text": "Site", "url": "https://example.org"}]]
    sent = await stage.send("Sure?", reply_markup={"inline_keyboard": rows})
    tap = await stage.client.press_button(stage.person_id, stage.bot_id, sent["message_id"], text="Yes")
    query = (await _last(stage))["callback_query"]
    assert (query["id"], query["data"], query["message"]["text"]) == (tap["callback_query_id"], "v1:yes", "Sure?")
    too_long = await stage.refused("answerCallbackQuery", callback_query_id=query["id"], text="x" * 201)
    assert too_long == "400 Bad Request: MESSAGE_TOO_LONG"
    assert await stage.client.callback_answer(query["id"]) is None
    await stage.call("answerCallbackQuery", callback_query_id=query["id"], text="ok", show_alert=True)
    answer = await stage.client.callback_answer(query["id"])
    assert answer == {"text": "ok", "show_alert": True, "url": ""}
    opened = await stage.client.press_button(stage.person_id, stage.bot_id, sent["message_id"], text="Site")
    assert opened == {"url": "https://example.org"}
    stage.clock.now += 150
    assert "query is too old" in await stage.refused("answerCallbackQuery", callback_query_id=query["id"])
    assert await stage.updates() == []


async def test_a_key_sends_its_text_or_the_contact(stage: Stage) -> None:
    keys = [["Points", {"text": "My phone", "request_contact": True}]]
    await stage.send("Menu", reply_markup={"keyboard": keys, "is_persistent": True})
    await stage.client.press_key(stage.person_id, stage.bot_id, "Points")
    assert (await _last(stage))["message"]["text"] == "Points"
    await stage.client.press_key(stage.person_id, stage.bot_id, "My phone")
    assert (await _last(stage))["message"]["contact"]["user_id"] == stage.person_id
    await stage.send("Gone", reply_markup={"remove_keyboard": True})
    with pytest.raises(SimulatorError):
        await stage.client.press_key(stage.person_id, stage.bot_id, "Points")


async def test_blocking_is_told_and_unblocking_restores(stage: Stage) -> None:
    await stage.client.block(stage.person_id, stage.bot_id)
    with pytest.raises(SimulatorError):
        await stage.client.send_text(stage.person_id, stage.bot_id, "x")
    await stage.client.start(stage.person_id, stage.bot_id)
    blocked, unblocked, started = await stage.updates()
    assert blocked["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert unblocked["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert started["message"]["text"] == "/start"
    await stage.send("welcome back")


async def test_in_a_group_the_bot_sees_what_is_meant_for_it(stage: Stage) -> None:
    group = await stage.client.create_group("Tea friends", stage.person_id, [stage.bot_id])
    chat_id = group["chat_id"]
    joined = await _last(stage)
    assert joined["my_chat_member"]["new_chat_member"]["status"] == "member"
    for text in ("hello all", "/points", "/points@other_bot", "/points@tea_bot"):
        await stage.client.send_text(stage.person_id, chat_id, text)
    seen = [u["message"]["text"] for u in await stage.updates(offset=joined["update_id"] + 1)]
    assert seen == ["/points", "/points@tea_bot"]
    await stage.call("sendMessage", chat_id=chat_id, text="in private, please")
    await stage.client.wait_for_message(stage.person_id, chat_id, contains="private")
    moved = await stage.client.change_group(chat_id, "migrate", stage.person_id)
    _, body = await stage.try_call("sendMessage", chat_id=chat_id, text="x")
    assert body["parameters"] == {"migrate_to_chat_id": moved["chat_id"]}
    await stage.call("sendMessage", chat_id=moved["chat_id"], text="x")
    await stage.client.change_group(moved["chat_id"], "kick_bot", stage.person_id, bot=stage.bot_id)
    refusal = await stage.refused("sendMessage", chat_id=moved["chat_id"], text="x")
    assert refusal == "403 Forbidden: bot was kicked from the group chat"


async def test_waiting_sees_what_comes_and_what_is_edited(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.client.wait_for_message(stage.person_id, stage.bot_id, contains="later"))
    await asyncio.sleep(0.05)
    sent = await stage.send("now")
    await stage.call("editMessageText", chat_id=stage.person_id, message_id=sent["message_id"], text="later")
    found = await asyncio.wait_for(waiting, 30)
    assert found["message"]["message_id"] == sent["message_id"]
    with pytest.raises(TimeoutError):
        await stage.client.wait_for_message(stage.person_id, stage.bot_id, after=found["sequence"], seconds=0.1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("users", {"first_name": ""}, 400),
        ("users", {"first_name": "x" * 65}, 400),
        ("users", {"first_name": "x", "id": -3}, 400),
        ("users/1/chats/tea_bot/messages", {"text": "x"}, 404),
        ("bots", {"username": "", "name": ""}, 400),
        ("bots", {"username": "a", "name": "b", "token": "nonsense"}, 400),
    ],
)
async def test_bad_requests_are_explained(stage: Stage, path: str, body: dict[str, object], status: int) -> None:
    async with stage.http.post(f"{stage.base_url}/simulator/{path}", json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["description"]


async def test_forms_of_other_sites_are_refused(stage: Stage) -> None:
    async with stage.http.post(f"{stage.base_url}/simulator/users", data={"first_name": "x"}) as answer:
        assert answer.status == 415


async def test_live_changes_are_streamed(stage: Stage) -> None:
    address = f"{stage.base_url}/simulator/users/{stage.person_id}/events"
    async with stage.http.get(address) as answer:
        await answer.content.readuntil(b"\n\n")
        await stage.send("live")
        event = await asyncio.wait_for(answer.content.readuntil(b"\n\n"), 30)
        assert b'"text":"live"' in event


async def test_a_removed_bot_is_gone_with_its_chats(stage: Stage) -> None:
    other = await stage.client.create_bot("demo_bot", "Demo")
    await stage.client.start(stage.person_id, "demo_bot")
    await stage.client.remove_bot("demo_bot")
    assert [chat["username"] for chat in await stage.client.chats(stage.person_id)] == ["tea_bot"]
    with pytest.raises(SimulatorError, match="there is no bot"):
        await stage.client.send_text(stage.person_id, other["id"], "x")
    stage.token = other["token"]
    assert await stage.refused("getMe") == "401 Unauthorized"


async def test_a_revoked_token_is_refused_and_the_new_one_works(stage: Stage) -> None:
    token = await stage.client.revoke_token(stage.bot_id)
    assert await stage.refused("getMe") == "401 Unauthorized"
    stage.token = token
    assert (await stage.call("getMe"))["username"] == "tea_bot"
    assert stage.token not in str(await stage.client.statistics())


async def test_where_any_chat_is_accepted_each_bot_may_write_to_whom_another_one_knows() -> None:
    bots = tuple(BotAccount(new_bot_token(), f"{name}_bot", name) for name in ("tea", "cup"))
    config = SimulatorConfig(bots=bots, limits=RateLimits(is_enforced=False), accepts_any_chat=True)
    async with running_simulator(config) as running, aiohttp.ClientSession() as http:
        for bot in (*bots, *bots):
            body = {"chat_id": 77, "text": "hello"}
            async with http.post(f"{running.base_url}/bot{bot.token}/sendMessage", json=body) as answer:
                assert answer.status == 200

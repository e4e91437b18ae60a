"""Sending to the simulator: texts, keyboards, edits, pictures."""

import asyncio
import io
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from PIL import Image

from bot.channels.telegram.answers import Answer
from bot.channels.telegram.line import Line
from bot.channels.telegram.pictures import Pictures
from bot.channels.telegram.sender import TelegramSender
from bot.channels.telegram.simulator.tokens import new_bot_token
from bot.channels.telegram.transport import BotApi
from crm.bots import service as bots
from crm.deliveries.types import ContentRejected, Lane, NotAccepted, Sent, Unauthorized, Unreachable
from crm.media import service as media
from crm.messages.types import Button, Outbound, Request

from .conftest import House


async def _send(house: House, sender: TelegramSender, message: Outbound) -> object:
    return await sender.send(house.bot.id, house.address, message, lane=Lane.INTERACTIVE)


async def _picture(house: House, colour: str = "green") -> UUID:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(drawn, "PNG")
    async with house.sessions.begin() as session:
        return (await media.store_image(session, drawn.getvalue())).id


async def test_text_with_buttons(house: House, sender: TelegramSender) -> None:
    message = Outbound("<b>Hi</b> 小明 &lt;3", ((Button("Check in", data="1:s:check_in"),),), protect=True)
    outcome = await _send(house, sender, message)
    [shown] = await house.shown()
    assert outcome == Sent(str(shown["message_id"]))
    assert shown["text"] == "Hi 小明 <3"
    assert shown["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "1:s:check_in"
    assert shown["has_protected_content"] is True


async def test_menu_and_request_reach_the_keyboard(house: House, sender: TelegramSender) -> None:
    assert isinstance(await _send(house, sender, Outbound("menu", menu=(("签到",),))), Sent)
    [chat] = await house.client.chats(house.person_id)
    assert chat["keyboard"]["keyboard"] == [[{"text": "签到"}]]
    asking = Outbound("phone?", request=Request.CONTACT, request_label="Share")
    assert isinstance(await _send(house, sender, asking), Sent)
    await house.client.press_key(house.person_id, house.account_id, "Share")


async def test_edit_replaces_and_says_so_when_nothing_changed(house: House, sender: TelegramSender) -> None:
    first = await _send(house, sender, Outbound("one", ((Button("A", data="a"),),)))
    assert isinstance(first, Sent)
    edited = Outbound("two", edit_ref=first.provider_ref)
    assert await _send(house, sender, edited) == first
    assert await _send(house, sender, edited) == first
    [shown] = await house.shown()
    assert shown["text"] == "two"
    assert "reply_markup" not in shown


@pytest.mark.parametrize("ref", ["999999", "0", "not-a-number"])
async def test_what_cannot_be_edited_is_sent_anew(house: House, sender: TelegramSender, ref: str) -> None:
    outcome = await _send(house, sender, Outbound("new", edit_ref=ref))
    assert isinstance(outcome, Sent)
    assert outcome.provider_ref != ref
    assert await house.texts() == ["new"]


async def test_a_photo_cannot_become_a_text(house: House, sender: TelegramSender) -> None:
    first = await _send(house, sender, Outbound("look", photo_media_id=await _picture(house)))
    assert isinstance(first, Sent)
    assert isinstance(await _send(house, sender, Outbound("words", edit_ref=first.provider_ref)), Sent)
    assert await house.texts() == ["look", "words"]


async def test_an_edit_that_is_refused_for_its_text_is_not_sent(house: House, sender: TelegramSender) -> None:
    first = await _send(house, sender, Outbound("one"))
    assert isinstance(first, Sent)
    outcome = await _send(house, sender, Outbound("<b>open", edit_ref=first.provider_ref))
    assert isinstance(outcome, ContentRejected)
    assert await house.texts() == ["one"]


async def test_a_picture_is_uploaded_once(house: House, sender: TelegramSender) -> None:
    message = Outbound("<i>look</i>", photo_media_id=await _picture(house))
    outcomes = await asyncio.gather(*(_send(house, sender, message) for _ in range(5)))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(house.simulator.world.files) == 1
    async with house.sessions() as session:
        assert message.photo_media_id is not None
        assert await media.channel_file(session, house.bot.id, message.photo_media_id)
    shown = await house.shown()
    assert [entry["caption"] for entry in shown] == ["look"] * 5
    assert len({entry["photo"][-1]["file_unique_id"] for entry in shown}) == 1


async def test_senders_that_start_at_once_upload_a_picture_once(house: House) -> None:
    message = Outbound("look", photo_media_id=await _picture(house))
    line = Line(BotApi(connect_timeout=30), house.sessions, house.base_url, read_timeout=30)
    processes = [TelegramSender(line, Pictures(house.sessions)) for _ in range(4)]
    outcomes = await asyncio.gather(*(_send(house, process, message) for process in processes))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(house.simulator.world.files) == 1
    await line.close()


async def test_a_paid_broadcast_says_so_in_every_call(house: House) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    class Noting:
        async def call(self, bot_id: int, method: str, values: dict[str, Any], **more: Any) -> Answer:
            del bot_id, more
            calls.append((method, values))
            return Answer(200, is_ok=True, result={"message_id": 1})

    paying = TelegramSender(cast("Any", Noting()), Pictures(house.sessions))
    message = Outbound("look", photo_media_id=await _picture(house))
    for lane in (Lane.PAID, Lane.BULK, Lane.INTERACTIVE):
        await paying.send(house.bot.id, house.address, Outbound("hello"), lane=lane)
        await paying.send(house.bot.id, house.address, message, lane=lane)
    assert [values.get("allow_paid_broadcast") for _, values in calls] == [True, True, None, None, None, None]


async def test_an_unknown_file_id_is_uploaded_again_once(house: House, sender: TelegramSender) -> None:
    media_id = await _picture(house)
    async with house.sessions.begin() as session:
        await media.remember_channel_file(session, house.bot.id, media_id, "of-another-bot")
    assert isinstance(await _send(house, sender, Outbound("look", photo_media_id=media_id)), Sent)
    assert await house.calls("sendPhoto") == 2
    async with house.sessions() as session:
        assert await media.channel_file(session, house.bot.id, media_id) != "of-another-bot"
    await house.client.add_fault("bad_request", method="sendPhoto", text="Bad Request: wrong file identifier")
    outcome = await _send(house, sender, Outbound("look", photo_media_id=media_id))
    assert outcome == ContentRejected("Bad Request: wrong file identifier")
    assert await house.calls("sendPhoto") == 4


async def test_an_upload_that_fails_leaves_the_next_one_to_upload(house: House, sender: TelegramSender) -> None:
    message = Outbound("look", photo_media_id=await _picture(house))
    outcome = await sender.send(house.bot.id, "424242", message, lane=Lane.BULK)
    assert outcome == Unreachable("chat_not_found")
    assert isinstance(await _send(house, sender, message), Sent)


async def test_a_picture_that_is_gone(house: House, sender: TelegramSender) -> None:
    assert isinstance(await _send(house, sender, Outbound("look", photo_media_id=uuid4())), ContentRejected)


async def test_a_new_token_is_used_at_once(house: House, sender: TelegramSender) -> None:
    assert isinstance(await _send(house, sender, Outbound("old")), Sent)
    token = await house.client.revoke_token(house.account_id)
    assert isinstance(await _send(house, sender, Outbound("between")), Unauthorized)
    await house.change_bot(token=token)
    assert isinstance(await _send(house, sender, Outbound("new")), Sent)
    assert await house.texts() == ["old", "new"]


async def test_a_bot_without_a_token(house: House, sender: TelegramSender) -> None:
    async with house.sessions.begin() as session:
        bare = await bots.add(session, channel="telegram", name="bare", token=None)
    outcome = await sender.send(bare.id, house.address, Outbound("x"), lane=Lane.BULK)
    assert isinstance(outcome, Unauthorized)


async def test_a_bot_may_name_its_own_server(house: House, sender: TelegramSender) -> None:
    async with house.sessions.begin() as session:
        away = await bots.add(
            session,
            channel="telegram",
            name="away",
            token=new_bot_token(),
            settings={"api_base": "http://127.0.0.1:9"},
        )
    outcome = await sender.send(away.id, house.address, Outbound("x"), lane=Lane.BULK)
    assert isinstance(outcome, NotAccepted)

"""aiogram talks to the simulator as to the real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    MediaUnion,
    MenuButtonCommands,
)

from bot.channels.telegram.simulator.admin.samples import sample_upload

from .conftest import Stage

PICTURE = sample_upload("photo").content


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Bot]:
    server = TelegramAPIServer.from_base(stage.base_url)
    async with Bot(stage.token, session=AiohttpSession(api=server)) as bot:
        yield bot


async def test_profile_and_commands(bot: Bot, stage: Stage) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (stage.bot_id, True, "tea_bot")
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand(command="points", description="积分")], scope=scope, language_code="zh")
    [command] = await bot.get_my_commands(scope=scope, language_code="zh")
    assert command.description == "积分"
    [chat] = await stage.client.chats(stage.person_id)
    assert chat["commands"] == [{"command": "points", "description": "积分"}]
    await bot.delete_my_commands(scope=scope, language_code="zh")
    assert await bot.get_my_commands(scope=scope, language_code="zh") == []
    assert await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    assert await bot.set_my_name("Tea House")
    assert (await bot.get_chat(stage.person_id)).first_name == "小明"
    assert await bot.send_chat_action(stage.person_id, "typing")


async def test_pictures_are_uploaded_once_and_sent_again_by_id(bot: Bot, stage: Stage) -> None:
    upload = BufferedInputFile(PICTURE, "cup.png")
    first = await bot.send_photo(stage.person_id, upload, caption="<b>cup</b>", parse_mode="HTML")
    assert first.photo is not None
    assert (first.photo[0].width, first.caption) == (256, "cup")
    again = await bot.send_photo(stage.person_id, first.photo[0].file_id)
    assert again.photo is not None
    assert again.photo[0].file_unique_id == first.photo[0].file_unique_id
    fetched = await bot.download(first.photo[0].file_id)
    assert fetched is not None
    assert fetched.read() == PICTURE
    album: list[MediaUnion] = [
        InputMediaPhoto(media=upload, caption="a"),
        InputMediaPhoto(media=first.photo[0].file_id),
    ]
    sent = await bot.send_media_group(stage.person_id, album)
    assert len({message.media_group_id for message in sent}) == 1
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.send_photo(stage.person_id, "AgACAgIAAxkBAAE")
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(stage.person_id, BufferedInputFile(b"no picture", "x.png"))
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_photo(stage.person_id, upload, caption="x" * 1025)
    document = await bot.send_document(stage.person_id, BufferedInputFile(b"a,b", "list.csv"))
    assert document.document is not None
    assert document.document.file_name == "list.csv"
    copied = await bot.copy_message(stage.person_id, stage.person_id, document.message_id)
    assert copied.message_id > document.message_id


async def test_a_whole_conversation(bot: Bot, stage: Stage) -> None:
    await stage.client.send_text(stage.person_id, stage.bot_id, "签到 🍵")
    [update] = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "签到 🍵"
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", callback_data="go:1")]])
    sent = await bot.send_message(stage.person_id, "Ready?", reply_markup=keyboard)
    poll = asyncio.create_task(bot.get_updates(offset=update.update_id + 1, timeout=10))
    await stage.client.press_button(stage.person_id, stage.bot_id, sent.message_id, text="Go")
    [tapped] = await poll
    assert tapped.callback_query is not None
    assert await bot.answer_callback_query(tapped.callback_query.id, "ok")
    edited = await bot.edit_message_text("Done", chat_id=stage.person_id, message_id=sent.message_id)
    assert not isinstance(edited, bool)
    assert (edited.text, edited.reply_markup) == ("Done", None)
    assert await bot.delete_message(stage.person_id, sent.message_id)


async def test_its_errors_are_those_that_aiogram_knows(bot: Bot, stage: Stage) -> None:
    await stage.client.add_fault("too_many_requests", retry_after=3, count=1)
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(stage.person_id, "x")
    assert caught.value.retry_after == 3
    await stage.client.block(stage.person_id, stage.bot_id)
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(stage.person_id, "x")
    info = await bot.get_webhook_info()
    assert info.url == ""

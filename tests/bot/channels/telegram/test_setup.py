"""What the server is told at the start, a webhook end to end, and the check of new tokens."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import HttpUrl

from bot.channels.telegram.errors import InvalidTelegramToken, TelegramUnavailable
from bot.channels.telegram.polling import Poller
from bot.channels.telegram.setup import Keeper, check_token, start
from bot.channels.telegram.simulator.tokens import new_bot_token
from bot.channels.telegram.transport import BotApi
from bot.channels.telegram.webhook import make
from crm.bots.types import BotStatus
from crm.config.settings import PublicSettings, TelegramSettings

from .conftest import House


class _Server(uvicorn.Server):
    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, lifespan="off"))
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(app)
    task = asyncio.create_task(server.serve([listener]))
    await asyncio.wait_for(server.is_up.wait(), 30)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


def _public(house: House, url: str | None) -> House:
    settings = house.context.settings.model_copy(
        update={"public": PublicSettings(url=None if url is None else HttpUrl(url))}
    )
    return replace(house, context=replace(house.context, settings=settings))


async def test_a_webhook_end_to_end(house: House) -> None:
    await house.change_bot(mode="webhook")
    app = FastAPI()
    app.include_router(make(house.context))
    async with _served(app) as port:
        await start(_public(house, f"http://127.0.0.1:{port}").context)
        await house.client.send_text(house.person_id, house.account_id, "pushed")
        await asyncio.wait_for(house.intake.heard(b"pushed"), 30)
        account = house.simulator.world.bots[house.account_id]
        assert account.webhook is not None
        assert account.webhook.secret_token
        assert account.allowed_updates == ["message", "callback_query", "my_chat_member"]
        # The start that waited from before is kept: nothing is ever dropped.
        assert any(b"/start" in taken[3] for taken in house.intake.taken)
        account.webhook = None
    [chat] = await house.client.chats(house.person_id)
    assert {"command": "points", "description": "查积分"} in chat["commands"]


async def test_commands_by_language(house: House) -> None:
    await house.change_bot(mode="webhook")
    await start(_public(house, "https://siyu.example").context)
    commands = house.simulator.world.bots[house.account_id].commands
    assert set(commands) == {"all_private_chats|", "all_private_chats|zh", "all_private_chats|en"}
    assert commands["all_private_chats|"] == commands["all_private_chats|zh"]
    assert house.simulator.world.bots[house.account_id].menu_buttons["default"] == {"type": "commands"}
    await house.change_bot(mode="polling")


async def test_polled_bots_are_left_to_the_poller(house: House) -> None:
    await start(house.context)
    assert (await house.client.statistics())["counts"].keys() <= {"getme"}


async def test_without_a_public_address(house: House) -> None:
    await house.change_bot(mode="webhook")
    await start(house.context)
    assert await house.calls("setWebhook") == 0
    assert (await house.stored_bot()).status is BotStatus.ACTIVE


async def test_a_server_that_is_away_does_not_keep_us_from_starting(house: House) -> None:
    await house.change_bot(mode="webhook", settings={"api_base": "http://127.0.0.1:9"})
    await start(_public(house, "https://siyu.example").context)
    assert (await house.stored_bot()).status is BotStatus.ACTIVE


async def test_a_refused_token_stops_the_bot(house: House) -> None:
    await house.change_bot(mode="webhook")
    await house.client.revoke_token(house.account_id)
    await start(_public(house, "https://siyu.example").context)
    assert (await house.stored_bot()).status is BotStatus.STOPPED


async def test_a_good_token(house: House) -> None:
    account = await check_token(house.context, f"  {house.token}\n")
    assert (account.name, account.username) == ("Tea", "tea_bot")


@pytest.mark.parametrize("token", ["", "tea", "123:abc", "../../etc", "12345:" + "é" * 35, "1" * 9999])
async def test_what_is_no_token(house: House, token: str) -> None:
    with pytest.raises(InvalidTelegramToken, match="BotFather"):
        await check_token(house.context, token)
    assert await house.calls("getMe") == 0


async def test_a_token_that_telegram_does_not_know(house: House) -> None:
    with pytest.raises(InvalidTelegramToken, match="BotFather"):
        await check_token(house.context, new_bot_token())


@pytest.mark.parametrize("kind", ["server_error", "too_many_requests", "reset_before_accept"])
async def test_a_server_that_does_not_say(house: House, kind: str) -> None:
    await house.client.add_fault(kind)
    with pytest.raises(TelegramUnavailable, match="SIYU_TELEGRAM_API_BASE"):
        await check_token(house.context, house.token)


async def test_nobody_there(house: House) -> None:
    settings = house.context.settings.model_copy(
        update={"telegram": TelegramSettings(bot_token=None, api_base=HttpUrl("http://127.0.0.1:9"))}
    )
    with pytest.raises(TelegramUnavailable):
        await check_token(replace(house.context, settings=settings), house.token)


async def test_a_bot_that_is_changed_to_a_webhook_and_back(house: House) -> None:
    """The keeper sets the webhook, again with a new address, and no oftener; the poller takes it away."""
    api, keeper = BotApi(), Keeper(_public(house, "https://one.example").context)
    account = house.simulator.world.bots[house.account_id]
    await keeper.look(api)
    assert account.webhook is None, "a polled bot has none"
    await house.change_bot(mode="webhook")
    for _ in range(3):
        await keeper.look(api)
    assert account.webhook is not None
    assert account.webhook.url.startswith("https://one.example/webhooks/telegram/")
    assert await house.calls("setWebhook") == 1
    await house.change_bot(mode="polling")
    await keeper.look(api)
    stop, poller = asyncio.Event(), Poller(house.context, house.intake, look_seconds=0.05)
    polling = asyncio.create_task(poller.run(stop))
    await asyncio.wait_for(house.intake.heard(b"/start"), 30)
    assert account.webhook is None
    stop.set()
    await polling
    await house.change_bot(mode="webhook")
    await keeper.look(api)
    assert await house.calls("setWebhook") == 2
    account.webhook = None
    await api.close()


async def test_what_the_server_did_not_take_is_told_again(house: House) -> None:
    await house.change_bot(mode="webhook")
    api, keeper = BotApi(), Keeper(_public(house, "https://one.example").context)
    await house.client.add_fault("server_error", method="setWebhook")
    await keeper.look(api)
    assert house.simulator.world.bots[house.account_id].webhook is None
    await house.client.lift_faults()
    await keeper.look(api)
    assert house.simulator.world.bots[house.account_id].webhook is not None
    house.simulator.world.bots[house.account_id].webhook = None
    await api.close()

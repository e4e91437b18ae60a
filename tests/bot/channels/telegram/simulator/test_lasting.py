"""What a restart keeps, after a clean end and after a killed process."""

import shutil
from pathlib import Path

import aiohttp

from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import BotAccount, SimulatorConfig
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token

TOKEN = new_bot_token()
BOT = BotAccount(TOKEN, "tea_bot", "Tea")


async def _call(base_url: str, method: str, **parameters: object) -> object:
    address = f"{base_url}/bot{TOKEN}/{method}"
    async with aiohttp.ClientSession() as http, http.post(address, json=parameters) as answer:
        return (await answer.json())["result"]


async def _fill(base_url: str) -> tuple[int, str]:
    async with SimulatorClient(base_url) as client:
        person = (await client.create_user("Ann", phone="+1"))["id"]
        await client.start(person, "tea_bot")
        row = [[{"text": "go", "callback_data": "x"}]]
        sent = await _call(base_url, "sendMessage", chat_id=person, text="hi", reply_markup={"inline_keyboard": row})
        assert isinstance(sent, dict)
        await _call(base_url, "setMyCommands", commands=[{"command": "points", "description": "Points"}])
        await client.send_file(person, "tea_bot", "photo")
        tap = await client.press_button(person, "tea_bot", sent["message_id"], text="go")
        return person, tap["callback_query_id"]


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    config = SimulatorConfig(bots=(BOT,), data_folder=tmp_path / "data")
    async with running_simulator(config) as running:
        person, query_id = await _fill(running.base_url)
        before = await _call(running.base_url, "getUpdates")
    async with running_simulator(config) as running, SimulatorClient(running.base_url) as client:
        assert await _call(running.base_url, "getUpdates") == before
        views = await client.messages(person, "tea_bot")
        assert [view["message"].get("text") for view in views] == ["/start", "hi", None]
        [chat] = await client.chats(person)
        assert chat["commands"] == [{"command": "points", "description": "Points"}]
        assert await _call(running.base_url, "answerCallbackQuery", callback_query_id=query_id) is True
        file_id = views[2]["message"]["photo"][0]["file_id"]
        file = await _call(running.base_url, "getFile", file_id=file_id)
        assert isinstance(file, dict)
        assert (tmp_path / "data" / "files" / file["file_unique_id"]).stat().st_size == file["file_size"]


async def test_after_a_kill_no_id_is_given_twice(tmp_path: Path) -> None:
    config = SimulatorConfig(bots=(BOT,), data_folder=tmp_path / "data")
    async with running_simulator(config) as running:
        person, _ = await _fill(running.base_url)
        updates = await _call(running.base_url, "getUpdates")
        # The files as a killed process leaves them: its last change answered, no clean end noted.
        shutil.copytree(tmp_path / "data", tmp_path / "killed")
    config = SimulatorConfig(bots=(BOT,), data_folder=tmp_path / "killed")
    async with running_simulator(config) as running, SimulatorClient(running.base_url) as client:
        assert isinstance(updates, list)
        assert await _call(running.base_url, "getUpdates") == updates
        said = await client.send_text(person, "tea_bot", "still here")
        assert said["message_id"] > 100
        after = await _call(running.base_url, "getUpdates", offset=-1)
        assert isinstance(after, list)
        assert after[0]["update_id"] > updates[-1]["update_id"] + 500

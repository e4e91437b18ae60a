"""Bad input in the chat: a clear answer, the question stays open, and nothing half done."""

from typing import Any

import httpx
import pytest

from crm.db.session import Sessions
from flows.engine.buttons import start_data
from tests.acceptance.chat import Person
from tests.acceptance.conftest import Telegram
from tests.acceptance.deployment import Deployment
from tests.acceptance.webhooks import Door, content_update, open_door, tap_update, text_update

FORGED = ["", "1", "1:a:999:999:999", "1:a:1:-7:0", "1:s:no_such_flow", "1:c:99999999:0.0", "9:x:" + "y" * 60, "\u202e"]

ODD: list[dict[str, Any]] = [
    {},
    {"update_id": "seven"},
    {"update_id": 7e300},
    {"message": []},
    {"update_id": -1, "message": {}},
]


@pytest.fixture
async def door(committed: Sessions) -> Door:
    """The bot's webhook."""
    return await open_door(committed)


async def _asked_for_name(telegram: Telegram) -> Person:
    person = await telegram.person()
    await person.start()
    await person.hears("Joining takes half a minute")
    await person.tap("Agree, without news")
    await person.hears("What may I call you")
    return person


async def _member(office: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    line = (await office.get("members", params={"query": str(person.user_id)})).json()["items"][0]
    found: dict[str, Any] = (await office.get(f"members/{line['id']}")).json()
    return found


async def test_names_and_phones_that_are_none(office: httpx.AsyncClient, telegram: Telegram) -> None:
    person = await _asked_for_name(telegram)
    for kind in ("sticker", "photo"):
        await telegram.client.send_file(person.user_id, person.bot, kind)
        await person.hears("only read words")
    await telegram.client.send_location(person.user_id, person.bot, 31.2, 121.4)
    await person.hears("What may I call you")
    assert (await _member(office, person))["is_signed_up"] is False
    await person.ask("Lin", "phone number")
    await person.ask("my phone is a secret", "doesn't look like a phone number")
    card = {"phone_number": "+8613900001111", "first_name": "Else", "user_id": person.user_id + 1}
    await telegram.client.send_contact(person.user_id, person.bot, card)
    await person.hears("someone else's card")
    found = await _member(office, person)
    assert (found["phone_masked"], found["is_phone_verified"], found["display_name"]) == (None, False, "Lin")
    await person.skip()
    await person.ask("1995-02-31", "couldn't read that date")


async def test_a_name_of_ten_thousand_letters(
    deployment: Deployment, office: httpx.AsyncClient, telegram: Telegram, door: Door
) -> None:
    """Longer than Telegram lets anybody write, so it is pushed as its server would."""
    person = await _asked_for_name(telegram)
    async with httpx.AsyncClient(base_url=deployment.base_url) as client:
        await door.deliver(client, text_update(person.user_id, "n" * 10_000))
        await person.hears("characters at most")
        await door.deliver(client, text_update(person.user_id, "A\x00 🍵\u202eعربي\u202c"))
    await person.hears("phone number")
    name = str((await _member(office, person))["display_name"])
    assert "\x00" not in name
    assert "🍵" in name


async def test_forged_buttons_change_nothing(
    deployment: Deployment, office: httpx.AsyncClient, telegram: Telegram, door: Door, committed: Sessions
) -> None:
    person = await telegram.person()
    await person.sign_up()
    before = await _member(office, person)
    async with httpx.AsyncClient(base_url=deployment.base_url) as client:
        for data in FORGED:
            await door.deliver(client, tap_update(person.user_id, data))
        await door.deliver(client, content_update(person.user_id, dice={"emoji": "🎲", "value": 6}))
        await door.deliver(client, content_update(person.user_id, text="x" * 20_000, entities=[{"type": 7}]))
        await door.deliver(client, tap_update(person.user_id, start_data("check_in")))
    await person.hears("Checked in", "Day 1")
    after = await _member(office, person)
    assert (after["points_balance"], after["tags"]) == (before["points_balance"] + 5, before["tags"])


@pytest.mark.parametrize("payload", ["", "none_such_source", "x" * 64, "-_-", "drop"])
async def test_start_with_any_payload_greets(telegram: Telegram, payload: str) -> None:
    person = await telegram.person("Mei")
    await person.start(payload)
    await person.hears("Joining takes half a minute")


async def test_in_a_group_the_bot_speaks_in_private_only(office: httpx.AsyncClient, telegram: Telegram) -> None:
    user = await telegram.client.create_user("Group", language_code="en")
    group = await telegram.client.create_group("Tea lovers", int(user["id"]), [telegram.bot])
    chat = str(group["chat_id"])
    person = Person(telegram.client, int(user["id"]), chat)
    await person.say(f"/checkin{telegram.bot}")
    await person.hears("/start")  # in the brand's first language
    found = (await office.get("members", params={"query": chat})).json()["items"]
    assert found == []


async def test_updates_that_nobody_can_read_are_taken_and_kept_apart(
    deployment: Deployment, telegram: Telegram, door: Door, committed: Sessions
) -> None:
    person = await telegram.person()
    await person.sign_up()
    async with httpx.AsyncClient(base_url=deployment.base_url) as client:
        for odd in ODD:
            await door.deliver(client, odd)
        wrong = await client.post(door.path, json={}, headers={"X-Telegram-Bot-Api-Secret-Token": "guess"})
        assert wrong.status_code == 401
        assert (await client.post(f"{door.path}x", json={})).status_code == 404
    await person.ask("/points", "You have")

"""Raw updates as neutral inputs, what the real server's people do and what no one should send."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bot.channels.telegram.inbound import TelegramInbound, make
from bot.channels.telegram.keys import Keys, keys_of_payload
from bot.types import InboundInput, InputKind, SharedContact, SharedLocation, UnusableUpdateError
from crm.messages.types import Button, Outbound

from .conftest import House

ME = {"id": 5, "is_bot": False, "first_name": "小", "last_name": "明", "username": "ming", "language_code": "zh-hans"}
CHAT = {"id": 5, "type": "private", "first_name": "小"}
GROUP = {"id": -100, "type": "supergroup", "title": "Tea friends"}
DATE = 1_800_000_000


@pytest.fixture
async def inbound(house: House) -> AsyncIterator[TelegramInbound]:
    made = make(house.context)
    yield made
    await made.close()


def _raw(**update: Any) -> bytes:
    return orjson.dumps({"update_id": 9, **update})


def _message(**content: Any) -> bytes:
    return _raw(message={"message_id": 3, "date": DATE, "chat": CHAT, "from": ME, **content})


def _parse(payload: bytes) -> InboundInput | None:
    # Parsing asks nobody: the line is for acknowledging only.
    return TelegramInbound.parse(TelegramInbound.__new__(TelegramInbound), 1, payload)


def _given(payload: bytes) -> InboundInput:
    given = _parse(payload)
    assert given is not None
    return given


def test_who_and_where() -> None:
    given = _given(_message(text="签到"))
    assert given == InboundInput(
        bot_id=1,
        channel="telegram",
        address="5",
        chat_key="5",
        kind=InputKind.TEXT,
        text="签到",
        display_name="小 明",
        username="ming",
        locale_hint="zh-hans",
        at=datetime.fromtimestamp(DATE, UTC),
        message_ref="3",
    )


@pytest.mark.parametrize(
    ("text", "kind", "payload"),
    [
        ("/start", InputKind.START, None),
        ("/START", InputKind.START, None),
        ("/start@tea_bot", InputKind.START, None),
        ("/start abc_-9", InputKind.START, "abc_-9"),
        ("/start " + "a" * 64, InputKind.START, "a" * 64),
        ("/start " + "a" * 65, InputKind.START, None),
        ("/start <b>", InputKind.START, None),
        ("/started", InputKind.TEXT, None),
        ("/checkin", InputKind.TEXT, None),
        ("start", InputKind.TEXT, None),
    ],
)
def test_opening(text: str, kind: InputKind, payload: str | None) -> None:
    given = _given(_message(text=text))
    assert (given.kind, given.payload, given.text) == (kind, payload, text)


@pytest.mark.parametrize(("user_id", "is_own"), [(5, True), (6, False), (None, False)])
def test_only_ones_own_card_is_ones_own(user_id: int | None, is_own: bool) -> None:
    card: dict[str, Any] = {"phone_number": "+8613800138000", "first_name": "小"}
    if user_id is not None:
        card["user_id"] = user_id
    given = _given(_message(contact=card))
    assert (given.kind, given.contact) == (InputKind.CONTACT, SharedContact("+8613800138000", is_own))


def test_media() -> None:
    place = _given(_message(location={"latitude": 31.2, "longitude": 121.5}))
    assert (place.kind, place.location) == (InputKind.LOCATION, SharedLocation(31.2, 121.5))
    sizes = [{"file_id": name, "file_unique_id": name, "width": 1, "height": 1} for name in ("small", "large")]
    photo = _given(_message(photo=sizes, caption="look"))
    assert (photo.kind, photo.photo, photo.text) == (InputKind.PHOTO, "large", "look")
    file = {"file_id": "f", "file_unique_id": "f"}
    sticker = {**file, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
    assert _given(_message(sticker={**sticker, "emoji": "🍵"})).kind is InputKind.STICKER
    assert _given(_message(document=file)).kind is InputKind.OTHER
    assert _given(_message(voice={**file, "duration": 1})).kind is InputKind.OTHER
    assert _given(_message(something_of_the_future={"a": 1})).kind is InputKind.OTHER


def _query(**more: Any) -> bytes:
    return _raw(callback_query={"id": "77", "from": ME, "chat_instance": "x", **more})


def test_taps() -> None:
    given = _given(_query(data="1:a:2", message={"message_id": 4, "date": DATE, "chat": CHAT, "text": "?"}))
    assert (given.kind, given.data, given.message_ref, given.tap_ref) == (InputKind.BUTTON, "1:a:2", "4", "77")
    old = _given(_query(data="1:a:2", message={"message_id": 4, "date": 0, "chat": CHAT}))
    assert (old.kind, old.message_ref) == (InputKind.BUTTON, "4")
    in_group = _given(_query(data="x", message={"message_id": 4, "date": DATE, "chat": GROUP, "text": "?"}))
    assert (in_group.kind, in_group.address) == (InputKind.GROUP, "-100")
    assert _parse(_query(data="x", inline_message_id="1")) is None


@pytest.mark.parametrize(
    ("status", "kind"), [("kicked", InputKind.BLOCKED), ("member", InputKind.UNBLOCKED), ("left", None)]
)
def test_blocked_and_unblocked(status: str, kind: InputKind | None) -> None:
    bot = {"id": 9, "is_bot": True, "first_name": "Tea"}
    new = {"user": bot, "status": status, **({"until_date": 0} if status == "kicked" else {})}
    change = {"chat": CHAT, "from": ME, "date": DATE, "old_chat_member": {"user": bot, "status": "left"}}
    given = _parse(_raw(my_chat_member={**change, "new_chat_member": new}))
    assert (given.kind if given else None) == kind
    in_group = _parse(_raw(my_chat_member={**change, "chat": GROUP, "new_chat_member": new}))
    assert in_group is None


@pytest.mark.parametrize(
    ("content", "is_heard"),
    [
        ({"text": "/checkin"}, True),
        ({"text": "@tea_bot hi", "entities": [{"type": "mention", "offset": 0, "length": 8}]}, True),
        ({"text": "lovely weather"}, False),
        ({"new_chat_title": "Coffee"}, False),
    ],
)
def test_groups(content: dict[str, Any], is_heard: bool) -> None:
    given = _parse(_message(chat=GROUP, **content))
    assert (given.kind if given else None) == (InputKind.GROUP if is_heard else None)


@pytest.mark.parametrize(
    "update",
    [
        {"edited_message": {"message_id": 3, "date": DATE, "chat": CHAT, "from": ME, "text": "x"}},
        {"channel_post": {"message_id": 3, "date": DATE, "chat": {"id": -7, "type": "channel"}, "text": "x"}},
        {"business_message": {"message_id": 3, "date": DATE, "chat": CHAT, "from": ME, "text": "x"}},
        {"message": {"message_id": 3, "date": DATE, "chat": CHAT, "from": {**ME, "is_bot": True}, "text": "x"}},
        {"message": {"message_id": 3, "date": DATE, "chat": CHAT, "from": ME, "message_auto_delete_timer_changed":
                     {"message_auto_delete_time": 5}}},
        {"poll_answer": {"poll_id": "1", "user": ME, "option_ids": [0], "option_persistent_ids": ["a"]}},
        {"an_update_of_the_future": {"x": 1}},
        {},
    ],
)  # fmt: skip
def test_what_nobody_said_is_ignored(update: dict[str, Any]) -> None:
    assert _parse(_raw(**update)) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"tea",
        b"[]",
        b"null",
        b"5",
        b"{}",
        b'{"update_id": "x"}',
        b'{"update_id": 1, "message": {}}',
        b'{"update_id": 1, "message": {"message_id": 1, "date": 1e400, "chat": {"id": 1, "type": "private"}}}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_unusable(payload: bytes) -> None:
    with pytest.raises(UnusableUpdateError):
        _parse(payload)


def test_half_a_surrogate_pair_is_only_a_wrong_letter() -> None:
    payload = _message(text="MARK").replace(b"MARK", rb"a\ud83db")
    assert _given(payload).text == "a?b"


def test_keys() -> None:
    assert keys_of_payload(_message(text="x")) == Keys("9", "5")
    assert keys_of_payload(_query(data="x", message={"chat": CHAT})) == Keys("9", "5")
    assert keys_of_payload(_query(data="x")) == Keys("9", "5")
    assert keys_of_payload(_raw(my_chat_member={"chat": GROUP})) == Keys("9", "-100")
    assert keys_of_payload(b'{"update_id": 3}') == Keys("3", "0")
    unread = keys_of_payload(b"tea")
    assert unread == keys_of_payload(b"tea") != keys_of_payload(b"coffee")
    assert unread.update.startswith("sha256:")
    assert keys_of_payload(b'{"update_id": ' + b"9" * 400 + b"}").update.startswith("sha256:")


async def test_a_tap_is_acknowledged(house: House, inbound: TelegramInbound) -> None:
    message = Outbound("tea?", ((Button("yes", data="y"),),))
    await inbound.answer_group(house.bot.id, house.address, message)
    [shown] = await house.shown()
    tap = await house.client.press_button(house.person_id, house.account_id, shown["message_id"], data="y")
    tapped = InboundInput(
        house.bot.id, "telegram", house.address, house.address, InputKind.BUTTON, tap_ref=tap["callback_query_id"]
    )
    await inbound.acknowledge(house.bot.id, tapped)
    assert await house.client.callback_answer(tap["callback_query_id"]) is not None


@pytest.mark.parametrize("fault", [None, "server_error", "too_many_requests", "reset_before_accept", "unauthorized"])
async def test_that_a_tap_came_too_late_is_swallowed(house: House, inbound: TelegramInbound, fault: str | None) -> None:
    if fault is not None:
        await house.client.add_fault(fault)
    tapped = InboundInput(house.bot.id, "telegram", "5", "5", InputKind.BUTTON, tap_ref="long-gone")
    await inbound.acknowledge(house.bot.id, tapped)
    assert await house.calls("answerCallbackQuery") == 1

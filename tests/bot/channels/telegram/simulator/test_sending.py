"""Sending, editing and deleting, with the refusals of the real server."""

import pytest

from .conftest import Stage


async def test_a_message_has_the_real_shape_and_reaches_the_person(stage: Stage) -> None:
    sent = await stage.send("<b>茶</b> &amp; 🍵 <a href='https://example.org/x'>here</a>", parse_mode="HTML")
    assert sent["text"] == "茶 & 🍵 here"
    assert sent["entities"] == [
        {"type": "bold", "offset": 0, "length": 1},
        {"type": "text_link", "offset": 7, "length": 4, "url": "https://example.org/x"},
    ]
    assert sent["from"] == {"id": stage.bot_id, "is_bot": True, "first_name": "Tea", "username": "tea_bot"}
    assert sent["chat"] == {"id": stage.person_id, "type": "private", "first_name": "小明"}
    seen = await stage.client.wait_for_message(stage.person_id, "tea_bot", contains="茶")
    assert seen["message"] == sent


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"text": "  \n "}, "400 Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "400 Bad Request: message is too long"),
        ({"text": "🍵" * 2049}, "400 Bad Request: message is too long"),
        ({"text": "x", "chat_id": ""}, "400 Bad Request: chat_id is empty"),
        ({"text": "x", "chat_id": 5}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": -5}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "400 Bad Request: chat not found"),
        ({"text": {"a": 1}}, '400 Bad Request: field "text" must be of type String'),
        ({"text": "x", "parse_mode": "rot13"}, "400 Bad Request: unsupported parse_mode"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "400 Bad Request: message to be replied not found"),
        (
            {"text": "<b>x</i>", "parse_mode": "HTML"},
            '400 Bad Request: can\'t parse entities: Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
        ),
    ],
)
async def test_refusals(stage: Stage, parameters: dict[str, object], expected: str) -> None:
    assert await stage.refused("sendMessage", **{"chat_id": stage.person_id, **parameters}) == expected


async def test_markup_is_counted_after_parsing(stage: Stage) -> None:
    sent = await stage.send("<b>" + "x" * 4096 + "</b>", parse_mode="HTML")
    assert len(sent["text"]) == 4096


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[{"text": "a", "callback_data": "x" * 65}]], "BUTTON_DATA_INVALID"),
        ([[{"text": "a", "callback_data": "茶" * 22}]], "BUTTON_DATA_INVALID"),
        ([[{"text": "a", "callback_data": ""}]], "BUTTON_DATA_INVALID"),
        ([[{"text": " ", "callback_data": "x"}]], "text buttons are unallowed to be empty"),
        ([[{"text": "a"}]], "Text buttons are unallowed in the inline keyboard"),
        ([[{"text": "a", "url": "nonsense"}]], "Wrong HTTP URL"),
        ([[{"text": "a", "callback_data": "x"}] * 9], "more than 8 buttons in a row"),
        ([[{"text": "a", "callback_data": "x"}]] * 101, "reply markup is too long"),
        ("rows", "must be an array of arrays"),
    ],
)
async def test_keyboard_limits(stage: Stage, rows: object, expected: str) -> None:
    markup = {"inline_keyboard": rows}
    assert expected in await stage.refused("sendMessage", chat_id=stage.person_id, text="x", reply_markup=markup)


async def test_longest_callback_data_passes(stage: Stage) -> None:
    button = {"text": "a", "callback_data": "茶" * 21 + "x"}
    sent = await stage.send("x", reply_markup={"inline_keyboard": [[button]]})
    assert sent["reply_markup"]["inline_keyboard"] == [[button]]


async def test_editing_keeps_what_was_and_refuses_no_change(stage: Stage) -> None:
    sent = await stage.send("one")
    place = {"chat_id": stage.person_id, "message_id": sent["message_id"]}
    edited = await stage.call("editMessageText", text="two", **place)
    assert edited["text"] == "two"
    assert edited["edit_date"] == int(stage.clock.now)
    assert "message is not modified" in await stage.refused("editMessageText", text="two", **place)
    [view] = [m for m in await stage.client.messages(stage.person_id, stage.bot_id) if m["is_outgoing"]]
    assert [body["text"] for body in view["earlier"]] == ["one"]


async def test_only_own_messages_can_be_edited(stage: Stage) -> None:
    said = await stage.client.send_text(stage.person_id, stage.bot_id, "hi")
    place = {"chat_id": stage.person_id, "message_id": said["message_id"], "text": "x"}
    assert await stage.refused("editMessageText", **place) == "400 Bad Request: message can't be edited"
    place["message_id"] = 999
    assert await stage.refused("editMessageText", **place) == "400 Bad Request: message to edit not found"


async def test_keyboard_below_a_message_can_be_taken_away(stage: Stage) -> None:
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}
    sent = await stage.send("one", reply_markup=markup)
    place = {"chat_id": stage.person_id, "message_id": sent["message_id"]}
    edited = await stage.call("editMessageReplyMarkup", **place)
    assert "reply_markup" not in edited
    assert "not modified" in await stage.refused("editMessageReplyMarkup", **place)


async def test_deleting_works_for_two_days_and_once(stage: Stage) -> None:
    first, second = await stage.send("one"), await stage.send("two")
    assert await stage.call("deleteMessage", chat_id=stage.person_id, message_id=first["message_id"]) is True
    again = await stage.refused("deleteMessage", chat_id=stage.person_id, message_id=first["message_id"])
    assert again == "400 Bad Request: message to delete not found"
    stage.clock.now += 48 * 3600
    late = await stage.refused("deleteMessage", chat_id=stage.person_id, message_id=second["message_id"])
    assert late == "400 Bad Request: message can't be deleted for everyone"


async def test_people_who_do_not_want_messages(stage: Stage) -> None:
    stranger = (await stage.client.create_user("Ann"))["id"]
    expected = "403 Forbidden: bot can't initiate conversation with a user"
    assert await stage.refused("sendMessage", chat_id=stranger, text="x") == expected
    await stage.client.block(stage.person_id, stage.bot_id)
    expected = "403 Forbidden: bot was blocked by the user"
    assert await stage.refused("sendMessage", chat_id=stage.person_id, text="x") == expected
    await stage.client.unblock(stage.person_id, stage.bot_id)
    await stage.client.change_user(stage.person_id, is_deactivated=True)
    expected = "403 Forbidden: user is deactivated"
    assert await stage.refused("sendMessage", chat_id=stage.person_id, text="x") == expected


async def test_tokens_and_methods_that_do_not_exist(stage: Stage) -> None:
    assert await stage.refused("sendPigeon") == "404 Not Found"
    stage.token = stage.token[:-1] + ("A" if stage.token[-1] != "A" else "B")
    assert await stage.refused("getMe") == "401 Unauthorized"


async def test_form_query_and_broken_bodies(stage: Stage) -> None:
    address = f"{stage.base_url}/bot{stage.token}/SENDMESSAGE"
    async with stage.http.post(address, data={"chat_id": str(stage.person_id), "text": "form"}) as answer:
        assert (await answer.json())["result"]["text"] == "form"
    async with stage.http.get(address, params={"chat_id": str(stage.person_id), "text": "query"}) as answer:
        assert (await answer.json())["result"]["text"] == "query"
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b'{"chat_id": 1, "text": "\\ud800"}'):
        async with stage.http.post(address, data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error_code"]) == (400, 400)


async def test_control_characters_become_spaces(stage: Stage) -> None:
    assert (await stage.send("a\x00b\rc\td"))["text"] == "a bc\td"

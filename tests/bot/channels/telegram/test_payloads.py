"""Neutral messages as parameters of the Bot API."""

from uuid import uuid4

from bot.channels.telegram.payloads import edit_payload, photo_payload, text_payload
from crm.messages.types import Button, Outbound, Request

ROWS = ((Button("A", data="a"), Button("B", url="https://example.org")), (Button("C", data="c"),))


def test_plain_text() -> None:
    assert text_payload("5", Outbound("hi")) == {
        "chat_id": "5",
        "text": "hi",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def test_silent_and_protected() -> None:
    payload = text_payload("5", Outbound("hi", silent=True, protect=True))
    assert (payload["disable_notification"], payload["protect_content"]) == (True, True)


def test_buttons() -> None:
    assert text_payload("5", Outbound("hi", ROWS))["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "A", "callback_data": "a"}, {"text": "B", "url": "https://example.org"}],
            [{"text": "C", "callback_data": "c"}],
        ]
    }


def test_rows_are_wrapped_at_eight() -> None:
    row = tuple(Button(str(number), data=str(number)) for number in range(11))
    rows = text_payload("5", Outbound("0-10", (row,)))["reply_markup"]["inline_keyboard"]
    assert [len(part) for part in rows] == [8, 3]


def test_menu_and_its_end() -> None:
    menu = text_payload("5", Outbound("hi", menu=(("In", "Points"), ("Help",))))["reply_markup"]
    assert menu["keyboard"] == [[{"text": "In"}, {"text": "Points"}], [{"text": "Help"}]]
    assert (menu["resize_keyboard"], menu["is_persistent"]) == (True, True)
    assert text_payload("5", Outbound("hi", menu=()))["reply_markup"] == {"remove_keyboard": True}


def test_buttons_win_over_the_menu() -> None:
    assert "inline_keyboard" in text_payload("5", Outbound("hi", ROWS, menu=(("In",),)))["reply_markup"]


def test_a_request_takes_the_buttons_along_as_keys() -> None:
    message = Outbound("phone?", ((Button("Skip", data="s"),),), request=Request.CONTACT, request_label="Share")
    markup = text_payload("5", message)["reply_markup"]
    assert markup["keyboard"] == [[{"text": "Share", "request_contact": True}], [{"text": "Skip"}]]
    assert markup["one_time_keyboard"] is True


def test_groups_are_asked_for_nothing_private() -> None:
    assert "reply_markup" not in text_payload("-5", Outbound("where?", request=Request.LOCATION))


def test_edit_needs_a_text_message() -> None:
    assert edit_payload("5", Outbound("new", edit_ref="12")) == {
        "chat_id": "5",
        "message_id": 12,
        "text": "new",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": []},
    }
    for message in (
        Outbound("new"),
        Outbound("new", edit_ref="webchat-1"),
        Outbound("new", edit_ref="²"),
        Outbound("new", photo_media_id=uuid4(), edit_ref="12"),
        Outbound("new", menu=(("In",),), edit_ref="12"),
        Outbound("new", request=Request.CONTACT, edit_ref="12"),
    ):
        assert edit_payload("5", message) is None


def test_photo_without_a_caption() -> None:
    assert photo_payload("5", Outbound("", photo_media_id=uuid4())) == {"chat_id": "5"}

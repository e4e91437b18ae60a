"""Neutral messages as parameters of the Bot API; pure."""

from typing import Any

from crm.messages.types import Button, Outbound, Request

Payload = dict[str, Any]
_ROW = 8
_LABELS = {Request.CONTACT: "📱", Request.LOCATION: "📍"}
_ASKS = {Request.CONTACT: "request_contact", Request.LOCATION: "request_location"}


def text_payload(address: str, message: Outbound) -> Payload:
    """Parameters of `sendMessage`."""
    return {
        "chat_id": address,
        "text": message.text_html,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        **_extras(address, message),
    }


def photo_payload(address: str, message: Outbound) -> Payload:
    """Parameters of `sendPhoto` without the photo."""
    caption = {"caption": message.text_html, "parse_mode": "HTML"} if message.text_html else {}
    return {"chat_id": address, **caption, **_extras(address, message)}


def edit_payload(address: str, message: Outbound) -> Payload | None:
    """Parameters of `editMessageText`; None if this message cannot take the place of an earlier one."""
    ref = message.edit_ref or ""
    is_plain = message.photo_media_id is None and message.request is None and message.menu is None
    if not (ref.isascii() and ref.isdecimal() and is_plain):
        return None
    return {
        "chat_id": address,
        "message_id": int(ref),
        "text": message.text_html,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": _inline(message)},
    }


def _extras(address: str, message: Outbound) -> Payload:
    extras: Payload = {}
    markup = _markup(message, is_private=not address.startswith("-"))
    if markup is not None:
        extras["reply_markup"] = markup
    if message.silent:
        extras["disable_notification"] = True
    if message.protect:
        extras["protect_content"] = True
    return extras


def _markup(message: Outbound, *, is_private: bool) -> Payload | None:
    """One of the keyboards, as a message has room for one: what is asked for, else its buttons, else the menu."""
    if message.request is not None and is_private:
        return _request_keyboard(message, message.request)
    if message.buttons:
        return {"inline_keyboard": _inline(message)}
    if message.menu is None:
        return None
    if not any(message.menu):
        return {"remove_keyboard": True}
    keys = [[{"text": label} for label in part] for row in message.menu for part in _parts(row)]
    return {"keyboard": keys, "resize_keyboard": True, "is_persistent": True}


def _request_keyboard(message: Outbound, request: Request) -> Payload:
    """A key that shares, and below it the buttons as keys whose labels are typed (`Skip`)."""
    share = {"text": message.request_label or _LABELS[request], _ASKS[request]: True}
    rows = [[{"text": button.label} for button in part] for row in message.buttons for part in _parts(row)]
    return {"keyboard": [[share], *rows], "resize_keyboard": True, "one_time_keyboard": True}


def _inline(message: Outbound) -> list[list[Payload]]:
    return [[_button(button) for button in part] for row in message.buttons for part in _parts(row)]


def _button(button: Button) -> Payload:
    if button.url is not None:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.data or ""}


def _parts(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The row in pieces of at most eight."""
    return [row[start : start + _ROW] for start in range(0, len(row), _ROW)]

"""Reply markup: inline keyboards, reply keyboards, their removal, and the limits of each."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .errors import bad_request
from .json_types import Json

MOST_BUTTONS = 100
MOST_BUTTONS_IN_A_ROW = 8
LONGEST_CALLBACK_DATA = 64
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def checked_markup(markup: Json | None, *, is_private: bool) -> Json | None:
    """The markup in its plain form, or nothing; raises a 400 where the real server would."""
    if not markup:
        return None
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"], "inline keyboard", _inline_button)
        return {"inline_keyboard": rows}
    if "keyboard" in markup:
        rows = _rows(markup["keyboard"], "keyboard", lambda raw: _key(raw, is_private=is_private))
        return {**markup, "keyboard": rows}
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return markup
    raise bad_request("object expected as reply markup")


def inline_only(markup: Json | None) -> Json | None:
    """The part of a markup that belongs to the message itself; an empty keyboard is none."""
    rows = (markup or {}).get("inline_keyboard")
    return {"inline_keyboard": rows} if rows else None


def _rows(raw: Any, what: str, read: Callable[[Any], Json]) -> list[list[Json]]:
    if not isinstance(raw, list) or not all(isinstance(row, list) for row in raw):
        raise bad_request(f'field "{what.replace(" ", "_")}" must be an array of arrays')
    rows = [[read(button) for button in row] for row in raw if row]
    if any(len(row) > MOST_BUTTONS_IN_A_ROW for row in rows):
        raise bad_request(f"{what} has more than {MOST_BUTTONS_IN_A_ROW} buttons in a row")
    if sum(map(len, rows)) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    return rows


def _labelled(raw: Any, what: str) -> Json:
    if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
        raise bad_request(f"can't parse {what}: Can't find field \"text\"")
    if not raw["text"].strip():
        raise bad_request("text buttons are unallowed to be empty")
    return raw


def _inline_button(raw: Any) -> Json:
    button = _labelled(raw, "inline keyboard button")
    actions = [name for name in _ACTIONS if button.get(name) is not None]
    if len(actions) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if actions == ["callback_data"]:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_CALLBACK_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
    if actions == ["url"]:
        _check_address(str(button["url"]))
    return button


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address if ":" in address else f"http://{address}")
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme == "tg":
        return
    if parts.scheme not in {"http", "https"} or "." not in host:
        raise bad_request(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")


def _key(raw: Any, *, is_private: bool) -> Json:
    key = _labelled({"text": raw} if isinstance(raw, str) else raw, "keyboard button")
    asks = key.get("request_contact") or key.get("request_location")
    if asks and not is_private:
        raise bad_request("phone number and location can be requested in private chats only")
    return key

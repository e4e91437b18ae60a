"""A person taps: a button below a message, or a key of the keyboard under the text field."""

import secrets

from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import bad_request, conflict
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.dialogs import CallbackQuery, Message

from .speaking import Seat, say, share_contact, share_location

_DEFAULT_PLACE = (31.2304, 121.4737)


def press_button(seat: Seat, message_id: int, *, data: str = "", label: str = "") -> Json:
    """Tap the inline button with this data or label; says what the tap did.

    A link answers `{"url": ...}`; any other button sends a callback query and answers its id.
    """
    if seat.dialog.is_blocked:
        raise conflict("the bot is blocked; unblock it first")
    message = seat.simulator.world.find_message(seat.dialog, message_id)
    if message is None:
        raise bad_request(f"there is no message {message_id} in this chat")
    button = _find_button(message, data, label)
    if "callback_data" in button:
        return {"callback_query_id": _ask(seat, message, button["callback_data"])}
    for kind in ("url", "web_app", "login_url", "copy_text"):
        if kind in button:
            target = button[kind]
            return {"url": target} if isinstance(target, str) else {kind: target}
    raise bad_request("the simulator cannot press a button of this kind")


def press_key(seat: Seat, label: str) -> Message:
    """Tap a key of the shown keyboard; keys that ask for contact or location share it."""
    rows = (seat.dialog.keyboard or {}).get("keyboard", [])
    key = next((key for row in rows for key in row if key["text"] == label), None)
    if key is None:
        shown = ", ".join(key["text"] for row in rows for key in row) or "none"
        raise bad_request(f"no such key; the keyboard shows: {shown}")
    if key.get("request_contact"):
        return share_contact(seat)
    if key.get("request_location"):
        return share_location(seat, *_DEFAULT_PLACE)
    return say(seat, label)


def _find_button(message: Message, data: str, label: str) -> Json:
    rows = message.body.get("reply_markup", {}).get("inline_keyboard", [])
    buttons: list[Json] = [button for row in rows for button in row]
    for button in buttons:
        if (data and button.get("callback_data") == data) or (label and button["text"] == label):
            return button
    shown = ", ".join(button["text"] for button in buttons) or "none"
    raise bad_request(f"no such button; the message has: {shown}")


def _ask(seat: Seat, message: Message, data: str) -> str:
    simulator = seat.simulator
    query = CallbackQuery(
        id=str(10**17 + secrets.randbelow(9 * 10**17)),
        bot_id=message.bot_id,
        person_id=seat.person.id,
        chat_id=seat.dialog.chat_id,
        message_id=message.message_id,
        asked_at=simulator.config.clock(),
    )
    _forget_expired(simulator)
    simulator.world.callbacks[query.id] = query
    simulator.world.store.put("callback", query.id, query)
    simulator.deliver(
        _owner(simulator, message),
        "callback_query",
        {
            "id": query.id,
            "from": seat.person.as_user(),
            "message": message.body,
            "chat_instance": str(abs(_instance(seat))),
            "data": data,
        },
        f"callback_query:{seat.person.id}",
    )
    return query.id


def _instance(seat: Seat) -> int:
    return seat.dialog.chat_id * 1_000_003 + seat.dialog.bot_id


def _owner(simulator: Simulator, message: Message) -> Bot:
    bot = simulator.world.bots.get(message.bot_id)
    if bot is None:
        raise bad_request("the message is not of a bot")
    return bot


def _forget_expired(simulator: Simulator) -> None:
    oldest = simulator.config.clock() - simulator.config.callback_expiry_seconds
    world = simulator.world
    for query_id in [q.id for q in world.callbacks.values() if q.asked_at <= oldest]:
        del world.callbacks[query_id]
        world.store.remove("callback", query_id)

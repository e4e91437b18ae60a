"""A person writes: text, own or foreign contact, location, picture, sticker, document."""

from dataclasses import dataclass

from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.entities.detect import detect_entities
from bot.channels.telegram.simulator.entities.text import clean
from bot.channels.telegram.simulator.entities.utf16 import utf16_length
from bot.channels.telegram.simulator.errors import bad_request, conflict
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.methods.media import media_fields
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.dialogs import Dialog, Message
from bot.channels.telegram.simulator.world.files import StoredFile
from bot.channels.telegram.simulator.world.people import Group, Person

_LONGEST_TEXT = 4096
_POLE, _DATE_LINE = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's place in a dialog: with one bot, or in a group with several."""

    simulator: Simulator
    person: Person
    dialog: Dialog
    bots: tuple[Bot, ...]
    group: Group | None = None

    @property
    def chat(self) -> Json:
        """The Bot API's Chat object of the dialog."""
        return self.group.as_chat() if self.group else self.person.as_chat()


def say(seat: Seat, text: str, *, reply_to: int = 0) -> Message:
    """Write a text; raises a 400 when it is empty or over the limit of one message."""
    text = clean(text).strip()
    if not text:
        raise bad_request("message text is empty")
    if utf16_length(text) > _LONGEST_TEXT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    entities = detect_entities(text, [])
    if entities:
        content["entities"] = entities
    if reply_to:
        content["reply_to_message"] = _original(seat, reply_to)
    return write(seat, content)


def share_contact(seat: Seat, contact: Json | None = None) -> Message:
    """Share the own contact, or the given card of somebody else."""
    if contact is None:
        if not seat.person.phone:
            raise bad_request("this person has no phone; set one first")
        contact = {
            "phone_number": seat.person.phone,
            "first_name": seat.person.first_name,
            "user_id": seat.person.id,
        }
    if not contact.get("phone_number") or not contact.get("first_name"):
        raise bad_request("a contact needs phone_number and first_name")
    return write(seat, {"contact": contact})


def share_location(seat: Seat, latitude: float, longitude: float) -> Message:
    """Share a place by its degrees."""
    if abs(latitude) > _POLE or abs(longitude) > _DATE_LINE:
        raise bad_request("latitude must be within 90 and longitude within 180 degrees")
    return write(seat, {"location": {"latitude": latitude, "longitude": longitude}})


def send_file(seat: Seat, file: StoredFile, caption: str = "") -> Message:
    """Send a kept file; every bot sees it under an id of its own."""
    content = media_fields(seat.bots[0].id, file) if seat.bots else {}
    caption = clean(caption).strip()
    if caption and file.kind != "sticker":
        content["caption"] = caption
    return write(seat, content)


def write(seat: Seat, content: Json) -> Message:
    """Put a person's message into the dialog and tell the bots that may see it."""
    if seat.dialog.is_blocked:
        raise conflict("the bot is blocked; unblock it first")
    if seat.group is None:
        seat.dialog.is_started = True
    body: Json = {
        "message_id": 0,
        "from": seat.person.as_user(),
        "chat": seat.chat,
        "date": seat.simulator.world.now(),
        **content,
    }
    message = seat.simulator.world.record(seat.dialog, body, bot_id=0)
    _hide_one_time_keyboard(seat)
    for bot in seat.bots:
        if seat.group is None or _sees(bot, body):
            seat.simulator.deliver(bot, "message", body, f"message:{seat.dialog.chat_id}")
    return message


def _hide_one_time_keyboard(seat: Seat) -> None:
    keyboard = seat.dialog.keyboard
    if keyboard and keyboard.get("one_time_keyboard"):
        seat.dialog.keyboard = None
        seat.simulator.world.keep_dialog(seat.dialog)


def _sees(bot: Bot, body: Json) -> bool:
    """Privacy mode: in groups a bot sees commands, answers to it and service messages only."""
    replied = body.get("reply_to_message", {}).get("from", {}).get("id")
    if bot.reads_groups or replied == bot.id:
        return True
    text = str(body.get("text", ""))
    if not text.startswith("/"):
        return f"@{bot.username}".lower() in text.lower()
    _, _, addressed = text.split(maxsplit=1)[0].partition("@")
    return not addressed or addressed.lower() == bot.username.lower()


def _original(seat: Seat, message_id: int) -> Json:
    message = seat.simulator.world.find_message(seat.dialog, message_id)
    if message is None:
        raise bad_request("message to be replied not found")
    return {name: value for name, value in message.body.items() if name != "reply_to_message"}

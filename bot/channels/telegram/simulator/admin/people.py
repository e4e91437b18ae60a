"""Endpoints that make people and let them act."""

import base64
import binascii
import secrets
from typing import Any

from bot.channels.telegram.simulator.acting import membership, pressing, speaking
from bot.channels.telegram.simulator.acting.seats import find_bot, find_group, find_person, find_seat
from bot.channels.telegram.simulator.acting.views import bot_view, group_view, message_view, person_view, seat_view
from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.entities.text import clean
from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.methods.media import check_upload
from bot.channels.telegram.simulator.parameters import Parameters, Upload
from bot.channels.telegram.simulator.world.dialogs import Message
from bot.channels.telegram.simulator.world.people import Person

from .answers import Ask
from .samples import sample_upload

_LONGEST_NAME = 64
_FIELDS = ("first_name", "last_name", "username", "language_code", "phone")


async def create_person(ask: Ask) -> Json:
    """Make a pretend user."""
    person_id = ask.given.integer("id", 0) or 100_000_000 + secrets.randbelow(900_000_000)
    taken = person_id in ask.simulator.world.people or person_id in ask.simulator.world.bots
    if person_id < 1 or taken:
        raise bad_request("id must be positive and not in use")
    return _write_person(ask.simulator, Person(person_id, ""), ask.given)


async def change_person(ask: Ask) -> Json:
    """Change a pretend user; `is_deactivated` is how an account ends."""
    return _write_person(ask.simulator, find_person(ask.simulator, ask.part("person")), ask.given)


async def start(ask: Ask) -> Json:
    """Press Start in a chat."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    return message_view(membership.start(seat, ask.given.text("payload")))


async def write(ask: Ask) -> Json:
    """Send one of: text, contact, location, photo, sticker, document."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    return message_view(_write(seat, ask.given))


async def press(ask: Ask) -> Json:
    """Tap an inline button by its data or its text."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    message_id = ask.given.integer("message_id")
    return pressing.press_button(seat, message_id, data=ask.given.text("data"), label=ask.given.text("text"))


async def press_key(ask: Ask) -> Json:
    """Tap a key of the reply keyboard."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    return message_view(pressing.press_key(seat, ask.given.text("text")))


async def block(ask: Ask) -> Json:
    """Block a bot."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    membership.block(seat)
    return seat_view(seat)


async def unblock(ask: Ask) -> Json:
    """Unblock a bot."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    membership.unblock(seat)
    return seat_view(seat)


async def create_group(ask: Ask) -> Json:
    """Make a group of one user with bots."""
    founder = find_person(ask.simulator, ask.given.text("user_id"))
    bots = [find_bot(ask.simulator, str(bot)) for bot in ask.given.sequence("bots") or []]
    return group_view(membership.found_group(ask.simulator, ask.given.text("title"), founder, bots))


async def change_group(ask: Ask) -> Json:
    """Carry out `action` on a group: add_user, add_bot, kick_bot or migrate."""
    group = find_group(ask.simulator, ask.part("group"))
    person = find_person(ask.simulator, ask.given.text("user_id"))
    match ask.given.text("action"):
        case "add_user":
            if person.id not in group.person_ids:
                group.person_ids.append(person.id)
                ask.simulator.world.add_group(group)
        case "add_bot":
            membership.take_in(ask.simulator, group, person, find_bot(ask.simulator, ask.given.text("bot")))
        case "kick_bot":
            membership.put_out(ask.simulator, group, person, find_bot(ask.simulator, ask.given.text("bot")))
        case "migrate":
            group = membership.migrate(ask.simulator, group, person)
        case _:
            raise bad_request("action must be add_user, add_bot, kick_bot or migrate")
    return group_view(group)


async def list_bots(ask: Ask) -> list[Json]:
    """All bots, without their tokens."""
    return [bot_view(bot) for bot in ask.simulator.world.bots.values()]


def _write_person(simulator: Simulator, person: Person, given: Parameters) -> Json:
    values = {name: clean(given.text(name)).strip() for name in _FIELDS if given.has(name)}
    if any(len(value) > _LONGEST_NAME for value in values.values()):
        raise bad_request("names, codes and phones have at most 64 characters")
    if not values.get("first_name", person.first_name):
        raise bad_request("first_name is required")
    for name, value in values.items():
        setattr(person, name, value)
    if given.has("is_deactivated"):
        person.is_deactivated = given.flag("is_deactivated")
    return person_view(simulator.world.add_person(person))


def _write(seat: speaking.Seat, given: Parameters) -> Message:
    if given.has("contact"):
        contact: Any = given.parsed("contact")
        return speaking.share_contact(seat, contact if isinstance(contact, dict) else None)
    if given.has("location"):
        place = Parameters(given.mapping("location") or {})
        return speaking.share_location(seat, place.number("latitude"), place.number("longitude"))
    for kind in ("photo", "sticker", "document"):
        if given.has(kind):
            upload = _upload(given, kind)
            world = seat.simulator.world
            file = world.keep_file(check_upload(upload, kind), upload.content)
            return speaking.send_file(seat, file, given.text("caption"))
    return speaking.say(seat, given.text("text"), reply_to=given.integer("reply_to", 0))


def _upload(given: Parameters, kind: str) -> Upload:
    """The file in the field: `{name, mime_type, data}` with base64 data, or `true` for a sample."""
    value = given.values[kind]
    if not isinstance(value, dict):
        return sample_upload(kind, value if isinstance(value, str) else "")
    try:
        content = base64.b64decode(str(value.get("data", "")), validate=True)
    except binascii.Error:
        raise bad_request(f"{kind}.data must be base64") from None
    mime_type = str(value.get("mime_type") or "application/octet-stream")
    return Upload(str(value.get("name") or kind), mime_type, content)

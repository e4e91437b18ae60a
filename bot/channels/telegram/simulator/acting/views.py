"""What scripts and the chat page are shown of bots, people, dialogs and messages."""

from dataclasses import asdict

from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.methods.profile import commands_for
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.dialogs import Message
from bot.channels.telegram.simulator.world.people import Group, Person

from .speaking import Seat


def bot_view(bot: Bot, language: str = "") -> Json:
    """A bot without its token."""
    return {
        "id": bot.id,
        "username": bot.username,
        "name": bot.localised.get(f"name|{language}") or bot.name,
        "description": bot.localised.get(f"description|{language}") or bot.description,
        "has_webhook": bot.webhook is not None,
    }


def person_view(person: Person) -> Json:
    """A person as stored."""
    return asdict(person)


def group_view(group: Group) -> Json:
    """A group as stored."""
    return asdict(group)


def seat_view(seat: Seat) -> Json:
    """A dialog as one line of a chat list."""
    world = seat.simulator.world
    history = world.history(seat.dialog)
    last = next((m for m in reversed(history.values()) if not m.is_deleted), None)
    language = seat.person.language_code
    bot = seat.bots[0] if seat.group is None else None
    return {
        "peer": seat.dialog.bot_id or seat.dialog.chat_id,
        "type": seat.chat["type"],
        "title": seat.group.title if seat.group else bot_view(seat.bots[0], language)["name"],
        "username": bot.username if bot else "",
        "description": bot_view(bot, language)["description"] if bot else "",
        "is_started": seat.dialog.is_started or seat.group is not None,
        "is_blocked": seat.dialog.is_blocked,
        "keyboard": seat.dialog.keyboard,
        "commands": commands_for(bot.commands, seat.dialog.chat_id, language) if bot else [],
        "last_message": message_view(last) if last else None,
    }


def message_view(message: Message) -> Json:
    """A message with what became of it; `is_outgoing` means that a bot sent it."""
    return {
        "message_id": message.message_id,
        "sequence": message.sequence,
        "is_outgoing": message.bot_id != 0,
        "is_deleted": message.is_deleted,
        "message": message.body,
        "markup": message.markup,
        "earlier": message.earlier,
    }


def shown_text(message: Message) -> str:
    """The text or caption that a message shows."""
    return str(message.body.get("text") or message.body.get("caption") or "")

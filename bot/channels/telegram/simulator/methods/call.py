"""One call of a bot: who calls, with what, and whom it may reach."""

from dataclasses import dataclass

from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import BotApiError, bad_request, forbidden, migrated
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.parameters import Parameters
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.dialogs import Dialog
from bot.channels.telegram.simulator.world.people import Person
from bot.channels.telegram.simulator.world.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """A bot's call on its way through a method."""

    simulator: Simulator
    bot: Bot
    parameters: Parameters

    @property
    def world(self) -> World:
        """All that the server knows."""
        return self.simulator.world


@dataclass(frozen=True, slots=True)
class Target:
    """The chat that a call is about."""

    dialog: Dialog
    chat: Json

    @property
    def is_private(self) -> bool:
        """Whether it is the chat with one person."""
        return self.dialog.chat_id > 0


def find_target(call: Call, name: str = "chat_id") -> Target:
    """The chat that the parameter names; raises a 400 when the bot cannot know it."""
    chat_id = _chat_id(call, call.parameters.text(name).strip())
    if chat_id > 0:
        person = _person(call, chat_id)
        return Target(call.world.dialog(call.bot.id, chat_id), person.as_chat())
    group = call.world.groups.get(chat_id)
    if group is None or call.bot.id not in {*group.bot_ids, *group.kicked_bot_ids}:
        raise bad_request("chat not found")
    if group.migrated_to is not None:
        raise migrated(group.migrated_to)
    return Target(call.world.dialog(0, chat_id), group.as_chat())


def sending_target(call: Call) -> Target:
    """The chat to send to; raises a 403 when it does not take messages of this bot."""
    target = find_target(call)
    if target.is_private:
        _check_private(call, target.dialog)
    elif call.bot.id in call.world.groups[target.dialog.chat_id].kicked_bot_ids:
        raise forbidden("bot was kicked from the group chat")
    return target


def pace(call: Call, target: Target, weight: int = 1) -> None:
    """Count messages against the sending limits; raises 429 over them."""
    now = call.simulator.config.clock()
    call.simulator.pacer.charge(call.bot.id, target.dialog.chat_id, now=now, weight=weight)


def _check_private(call: Call, dialog: Dialog) -> None:
    person = call.world.people[dialog.chat_id]
    if person.is_deactivated:
        raise forbidden("user is deactivated")
    if dialog.is_blocked:
        raise forbidden("bot was blocked by the user")
    if not dialog.is_started:
        raise forbidden("bot can't initiate conversation with a user")


def _chat_id(call: Call, given: str) -> int:
    if not given:
        raise bad_request("chat_id is empty")
    if given.startswith("@"):
        raise bad_request("chat not found")
    try:
        chat_id = int(given)
    except ValueError:
        raise bad_request("chat not found") from None
    return call.world.aliases.get(chat_id, chat_id)


def _person(call: Call, person_id: int) -> Person:
    person = call.world.people.get(person_id)
    if call.simulator.config.accepts_any_chat and (call.bot.id, person_id) not in call.world.dialogs:
        person = person or call.world.add_person(Person(person_id, f"Person {person_id}"))
        call.world.dialog(call.bot.id, person_id).is_started = True
    if person is None:
        raise bad_request("chat not found")
    return person


def not_found() -> BotApiError:
    """The 404 for a method or file that is not there."""
    return BotApiError(404, "Not Found")

"""Finding who acts and in which dialog, from ids and names in an address."""

from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import BotApiError, bad_request
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.people import Group, Person

from .speaking import Seat


def find_person(simulator: Simulator, given: str) -> Person:
    """The person with this id."""
    person = simulator.world.people.get(_number(given))
    if person is None:
        raise BotApiError(404, f"Not Found: there is no user {given}")
    return person


def find_bot(simulator: Simulator, given: str) -> Bot:
    """The bot with this id or username."""
    bots = simulator.world.bots
    name = given.removeprefix("@").lower()
    bot = next((b for b in bots.values() if b.username.lower() == name), None)
    bot = bot or bots.get(_number(given))
    if bot is None:
        raise BotApiError(404, f"Not Found: there is no bot {given}")
    return bot


def find_group(simulator: Simulator, given: str) -> Group:
    """The group with this chat id."""
    group = simulator.world.groups.get(_number(given))
    if group is None:
        raise BotApiError(404, f"Not Found: there is no group {given}")
    return group


def find_seat(simulator: Simulator, person_id: str, peer: str) -> Seat:
    """The person's dialog with a peer: a bot's id or username, or a group's (negative) id."""
    person = find_person(simulator, person_id)
    if not peer.startswith("-"):
        bot = find_bot(simulator, peer)
        return Seat(simulator, person, simulator.world.dialog(bot.id, person.id), (bot,))
    group = find_group(simulator, peer)
    if person.id not in group.person_ids:
        raise bad_request("this user is not in the group")
    if group.migrated_to is not None:
        group = find_group(simulator, str(group.migrated_to))
    bots = tuple(simulator.world.bots[bot_id] for bot_id in group.bot_ids)
    return Seat(simulator, person, simulator.world.dialog(0, group.chat_id), bots, group)


def _number(given: str) -> int:
    try:
        return int(given)
    except ValueError:
        return 0

"""A person starts, blocks and unblocks bots; groups take bots in, put them out and migrate."""

import re
import secrets

from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import bad_request, conflict
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.world.bots import Bot
from bot.channels.telegram.simulator.world.dialogs import Message
from bot.channels.telegram.simulator.world.people import Group, Person

from .speaking import Seat, say

_LONGEST_TITLE = 128
_PAYLOAD = re.compile(r"\A[A-Za-z0-9_-]{0,64}\Z")


def start(seat: Seat, payload: str = "") -> Message:
    """Press Start, by a deep link if there is a payload; a blocked bot is unblocked first."""
    if not _PAYLOAD.match(payload):
        raise bad_request("a start payload has at most 64 characters A-Z a-z 0-9 _ -")
    if seat.dialog.is_blocked:
        unblock(seat)
    return say(seat, f"/start {payload}".strip())


def block(seat: Seat) -> None:
    """Block the bot: it is told and can send nothing more."""
    _require_private(seat)
    if seat.dialog.is_blocked:
        raise conflict("the bot is blocked already")
    seat.dialog.is_blocked = True
    _tell_membership(seat, old="member", new="kicked")


def unblock(seat: Seat) -> None:
    """Unblock the bot."""
    _require_private(seat)
    if not seat.dialog.is_blocked:
        raise conflict("the bot is not blocked")
    seat.dialog.is_blocked = False
    _tell_membership(seat, old="kicked", new="member")


def found_group(simulator: Simulator, title: str, founder: Person, bots: list[Bot]) -> Group:
    """Make a group of a person with bots."""
    title = title.strip()
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise bad_request("a group's title has 1 to 128 characters")
    chat_id = -(10**9 + secrets.randbelow(9 * 10**8))
    group = simulator.world.add_group(Group(chat_id, title, [founder.id]))
    for bot in bots:
        take_in(simulator, group, founder, bot)
    return group


def take_in(simulator: Simulator, group: Group, person: Person, bot: Bot) -> None:
    """Add a bot to a group."""
    if bot.id in group.bot_ids:
        raise conflict("the bot is in the group already")
    group.bot_ids.append(bot.id)
    if bot.id in group.kicked_bot_ids:
        group.kicked_bot_ids.remove(bot.id)
    simulator.world.add_group(group)
    _tell_bot(simulator, bot, group.as_chat(), person, old="left", new="member")


def put_out(simulator: Simulator, group: Group, person: Person, bot: Bot) -> None:
    """Remove a bot from a group."""
    if bot.id not in group.bot_ids:
        raise conflict("the bot is not in the group")
    group.bot_ids.remove(bot.id)
    group.kicked_bot_ids.append(bot.id)
    simulator.world.add_group(group)
    _tell_bot(simulator, bot, group.as_chat(), person, old="member", new="kicked")


def migrate(simulator: Simulator, group: Group, person: Person) -> Group:
    """Turn a group into a supergroup: the old id is refused and names the new one."""
    if group.migrated_to is not None:
        raise conflict("the group has migrated already")
    world = simulator.world
    new_id = -(1_000_000_000_000 + abs(group.chat_id))
    heir = world.add_group(Group(new_id, group.title, [*group.person_ids], [*group.bot_ids]))
    group.migrated_to = new_id
    world.add_group(group)
    notices = ((group, "migrate_to_chat_id", new_id), (heir, "migrate_from_chat_id", group.chat_id))
    for place, field, value in notices:
        body: Json = {
            "message_id": 0,
            "from": person.as_user(),
            "chat": place.as_chat(),
            "date": world.now(),
            field: value,
        }
        world.record(world.dialog(0, place.chat_id), body, bot_id=0)
        for bot_id in group.bot_ids:
            simulator.deliver(world.bots[bot_id], "message", body, f"message:{place.chat_id}")
    return heir


def _require_private(seat: Seat) -> None:
    if seat.group is not None:
        raise bad_request("only a private chat can be blocked")


def _tell_membership(seat: Seat, *, old: str, new: str) -> None:
    seat.simulator.world.keep_dialog(seat.dialog)
    _tell_bot(seat.simulator, seat.bots[0], seat.chat, seat.person, old=old, new=new)


def _tell_bot(simulator: Simulator, bot: Bot, chat: Json, person: Person, *, old: str, new: str) -> None:
    update = {
        "chat": chat,
        "from": person.as_user(),
        "date": simulator.world.now(),
        "old_chat_member": _member(bot, old),
        "new_chat_member": _member(bot, new),
    }
    simulator.deliver(bot, "my_chat_member", update, f"my_chat_member:{chat['id']}")


def _member(bot: Bot, status: str) -> Json:
    member: Json = {"user": bot.as_user(), "status": status}
    return {**member, "until_date": 0} if status == "kicked" else member

"""Bringing the world back from the store after a restart."""

from .bots import Bot, Webhook
from .dialogs import CallbackQuery, Dialog, Message
from .files import StoredFile
from .people import Group, Person
from .world import World

_UPDATE_GAP = 1000
_MESSAGE_GAP = 100


def load_world(world: World) -> None:
    """Read everything; after an unclean end, ids skip ahead so that none is given twice."""
    store = world.store
    for _, body in store.load("bot"):
        hook = body.pop("webhook")
        bot = Bot(**body, webhook=Webhook(**hook) if hook else None)
        world.bots[bot.id] = bot
    for _, body in store.load("person"):
        world.people[body["id"]] = Person(**body)
    for _, body in store.load("group"):
        world.groups[body["chat_id"]] = Group(**body)
    for key, body in store.load("alias"):
        world.aliases[int(key)] = body["chat_id"]
    for _, body in store.load("file"):
        world.files[body["unique_id"]] = StoredFile(**body)
    _load_dialogs(world)
    _load_callbacks(world)
    if not any(store.load("clean_end")):
        _skip_ahead(world)
    store.remove("clean_end", "")


def mark_clean_end(world: World) -> None:
    """Note that everything was written."""
    world.store.put("clean_end", "", {"sequence": world.sequence})


def _load_dialogs(world: World) -> None:
    for _, body in world.store.load("dialog"):
        dialog = Dialog(**body)
        world.dialogs[dialog.bot_id, dialog.chat_id] = dialog
        world.messages[dialog.bot_id, dialog.chat_id] = {}
    for key, body in world.store.load("message"):
        bot_id, chat_id, _ = key.split("/")
        message = Message(**body)
        world.sequence = max(world.sequence, message.sequence)
        world.messages[int(bot_id), int(chat_id)][message.message_id] = message


def _load_callbacks(world: World) -> None:
    oldest = world.config.clock() - world.config.callback_expiry_seconds
    for key, body in world.store.load("callback"):
        query = CallbackQuery(**body)
        if query.asked_at < oldest:
            world.store.remove("callback", key)
        else:
            world.callbacks[query.id] = query


def _skip_ahead(world: World) -> None:
    world.sequence += _UPDATE_GAP
    for bot in world.bots.values():
        bot.next_update_id += _UPDATE_GAP
        world.keep_bot(bot)
    for dialog in world.dialogs.values():
        dialog.next_message_id += _MESSAGE_GAP
        world.store.put("dialog", dialog.key, dialog)

"""All that the server knows, in memory, with every change handed to the store and to watchers."""

import secrets
from collections.abc import Callable, Iterator

from bot.channels.telegram.simulator.config import BotAccount, SimulatorConfig
from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.store import Store

from .bots import Bot
from .dialogs import CallbackQuery, Dialog, Message
from .files import FileBox, StoredFile
from .people import Group, Person

Watcher = Callable[[Json, Dialog], None]


class World:
    """Bots, people, groups, dialogs, callbacks and files."""

    def __init__(self, config: SimulatorConfig, store: Store) -> None:
        self.config = config
        self.store = store
        self.bots: dict[int, Bot] = {}
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.aliases: dict[int, int] = {}
        self.dialogs: dict[tuple[int, int], Dialog] = {}
        self.messages: dict[tuple[int, int], dict[int, Message]] = {}
        self.callbacks: dict[str, CallbackQuery] = {}
        self.files: dict[str, StoredFile] = {}
        self.file_box = FileBox(config.data_folder)
        self.sequence = 0
        self.watcher: Watcher | None = None

    def now(self) -> int:
        """Whole seconds since the epoch, the unit of every date in messages."""
        return int(self.config.clock())

    def add_bot(self, account: BotAccount) -> Bot:
        """Register a bot, or take over the new token and names of a known one."""
        bot = self.bots.get(account.id)
        if bot is None:
            first = 100_000_000 + secrets.randbelow(100_000_000)
            bot = Bot(account.id, account.token, account.username, account.name)
            bot.next_update_id = first
            self.bots[bot.id] = bot
        bot.token, bot.username, bot.name = account.token, account.username, account.name
        bot.description = bot.description or account.description
        bot.reads_groups = account.reads_groups
        self.keep_bot(bot)
        return bot

    def remove_bot(self, bot: Bot) -> None:
        """Forget a bot with its private chats; in groups its messages stay."""
        del self.bots[bot.id]
        self.store.remove("bot", str(bot.id))
        for place in [place for place in self.dialogs if place[0] == bot.id]:
            dialog = self.dialogs.pop(place)
            self.store.remove("dialog", dialog.key)
            for message_id in self.messages.pop(place):
                self.store.remove("message", f"{dialog.key}/{message_id:012d}")
        for query in [query for query in self.callbacks.values() if query.bot_id == bot.id]:
            del self.callbacks[query.id]
            self.store.remove("callback", query.id)
        for group in self.groups.values():
            group.bot_ids = [bot_id for bot_id in group.bot_ids if bot_id != bot.id]
            self.add_group(group)

    def keep_bot(self, bot: Bot) -> None:
        """Hand a changed bot to the store."""
        self.store.put("bot", str(bot.id), bot)

    def add_person(self, person: Person) -> Person:
        """Register or change a person."""
        self.people[person.id] = person
        self.store.put("person", str(person.id), person)
        return person

    def add_group(self, group: Group) -> Group:
        """Register or change a group."""
        self.groups[group.chat_id] = group
        self.store.put("group", str(group.chat_id), group)
        return group

    def add_alias(self, new_chat_id: int, chat_id: int) -> None:
        """Let a new chat id lead to an old chat."""
        self.aliases[new_chat_id] = chat_id
        self.store.put("alias", str(new_chat_id), {"chat_id": chat_id})

    def dialog(self, bot_id: int, chat_id: int) -> Dialog:
        """The dialog of a bot with a person, or of a group, made at first use."""
        place = (bot_id if chat_id > 0 else 0, chat_id)
        dialog = self.dialogs.get(place)
        if dialog is None:
            dialog = self.dialogs[place] = Dialog(*place)
            self.messages[place] = {}
        return dialog

    def keep_dialog(self, dialog: Dialog) -> None:
        """Hand a changed dialog to the store and to watchers."""
        self.store.put("dialog", dialog.key, dialog)
        self.announce({"type": "chat"}, dialog)

    def history(self, dialog: Dialog) -> dict[int, Message]:
        """The dialog's messages by id, oldest first."""
        return self.messages[dialog.bot_id, dialog.chat_id]

    def record(self, dialog: Dialog, body: Json, *, bot_id: int, markup: Json | None = None) -> Message:
        """Give a message its id and keep it; `body` is completed in place."""
        body["message_id"] = dialog.next_message_id
        dialog.next_message_id += 1
        self.sequence += 1
        message = Message(body["message_id"], body, bot_id, self.sequence, markup)
        history = self.history(dialog)
        history[message.message_id] = message
        if len(history) > self.config.history_per_chat:
            oldest = next(iter(history))
            del history[oldest]
            self.store.remove("message", f"{dialog.key}/{oldest:012d}")
        self.store.put("dialog", dialog.key, dialog)
        self._keep_message(dialog, message)
        return message

    def change(self, dialog: Dialog, message: Message) -> None:
        """Note that a message was edited or deleted."""
        self.sequence += 1
        message.sequence = self.sequence
        self._keep_message(dialog, message)

    def find_message(self, dialog: Dialog, message_id: int) -> Message | None:
        """A message that has not been deleted."""
        message = self.history(dialog).get(message_id)
        return None if message is None or message.is_deleted else message

    def announce(self, event: Json, dialog: Dialog) -> None:
        """Tell the watchers of a dialog."""
        if self.watcher is not None:
            self.watcher(event, dialog)

    def dialogs_of(self, person: Person) -> Iterator[Dialog]:
        """One dialog per bot, and the groups that the person is in."""
        for bot_id in self.bots:
            yield self.dialog(bot_id, person.id)
        for group in self.groups.values():
            if person.id in group.person_ids and group.migrated_to is None:
                yield self.dialog(0, group.chat_id)

    def file(self, unique_id: str) -> StoredFile:
        """A known file; raises a 400 for one that never came here."""
        found = self.files.get(unique_id)
        if found is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return found

    def keep_file(self, file: StoredFile, content: bytes) -> StoredFile:
        """Keep a file; one that is here already is kept once."""
        known = self.files.get(file.unique_id)
        if known is not None:
            return known
        self.file_box.write(file.unique_id, content)
        self.files[file.unique_id] = file
        self.store.put("file", file.unique_id, file)
        return file

    def _keep_message(self, dialog: Dialog, message: Message) -> None:
        self.store.put("message", f"{dialog.key}/{message.message_id:012d}", message)
        self.announce({"type": "message", "message_id": message.message_id}, dialog)

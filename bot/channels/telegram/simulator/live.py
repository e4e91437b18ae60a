"""Telling open chat pages and waiting scripts that something changed."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from .json_types import Json
from .world.dialogs import Dialog
from .world.world import World

Feed = asyncio.Queue[Json]
GOODBYE = "goodbye"
_LONGEST_FEED = 1000


class Live:
    """One feed per watcher, each fed with the changes of one person's chats."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._feeds: dict[int, set[Feed]] = defaultdict(set)
        world.watcher = self.tell

    def tell(self, event: Json, dialog: Dialog) -> None:
        """Pass an event on to everybody in the dialog who watches."""
        if not self._feeds:
            return
        for person_id in self._people_in(dialog):
            for feed in self._feeds.get(person_id, ()):
                if feed.qsize() < _LONGEST_FEED:
                    feed.put_nowait({**event, "peer": dialog.bot_id or dialog.chat_id})

    @contextmanager
    def watch(self, person_id: int) -> Iterator[Feed]:
        """A feed of all changes in the person's chats while the block runs."""
        feed: Feed = asyncio.Queue()
        self._feeds[person_id].add(feed)
        try:
            yield feed
        finally:
            self._feeds[person_id].discard(feed)
            if not self._feeds[person_id]:
                del self._feeds[person_id]

    def close(self) -> None:
        """Tell every watcher that nothing more will come."""
        for feeds in self._feeds.values():
            for feed in feeds:
                feed.put_nowait({"type": GOODBYE})

    def _people_in(self, dialog: Dialog) -> list[int]:
        if dialog.chat_id > 0:
            return [dialog.chat_id]
        group = self._world.groups.get(dialog.chat_id)
        return group.person_ids if group else []

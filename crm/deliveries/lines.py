"""Which runs of one process may reserve slots and open groups: one is made ready while the one before it still sends.

Judging and rendering a chunk takes a while; slots that pass meanwhile are lost for good. So the next chunk of a bot is
taken up shortly before the last one ends. It reserves its first slots when that one has reserved all of its own, and
opens its first group when that one has written what came of its last: never are more groups open than may be. What
stopped that one, a pause of the bot or of the source, is seen when the group's intent is to be written.
"""

import asyncio
from collections import defaultdict


class Line:
    """The runs of one bot, in the order in which they came."""

    def __init__(self, open_groups: int) -> None:
        self.reserving = asyncio.Semaphore(open_groups)
        self.opening = asyncio.Semaphore(open_groups)
        self.ending = 0
        """How many of the runs need their place for a moment only."""


class Lines:
    """The lines of all bots of one process; so many groups may be open at once in each."""

    def __init__(self, open_groups: int = 1) -> None:
        self.open_groups = open_groups
        self.news = asyncio.Event()
        """Set when some run is about to end."""
        self._lines: defaultdict[int, Line] = defaultdict(lambda: Line(open_groups))

    def room(self, bot_id: int) -> int:
        """How many runs the bot may have at this moment, those included that wait for their turn."""
        return self.open_groups + self._lines[bot_id].ending if bot_id in self._lines else self.open_groups

    def join(self, bot_id: int) -> "Turn":
        """The turn of one run more."""
        return Turn(self._lines[bot_id], self.news)


class Turn:
    """What one run may do; to be left in the end, whatever happened."""

    def __init__(self, line: Line, news: asyncio.Event) -> None:
        self._line = line
        self._news = news
        self._may_reserve = self._may_open = self._is_ending = False

    async def reserve(self) -> None:
        """Wait until slots may be reserved."""
        if not self._may_reserve:
            await self._line.reserving.acquire()
            self._may_reserve = True

    async def open(self) -> None:
        """Wait until groups may be opened."""
        if not self._may_open:
            await self._line.opening.acquire()
            self._may_open = True

    def reserved_all(self) -> None:
        """No more slots will be reserved."""
        if self._may_reserve:
            self._may_reserve = False
            self._line.reserving.release()

    def end_soon(self) -> None:
        """The next run may be made ready."""
        if not self._is_ending:
            self._is_ending = True
            self._line.ending += 1
            self._news.set()

    def leave(self) -> None:
        """Nothing of this run is open any more."""
        self._line.ending -= self._is_ending
        self.reserved_all()
        if self._may_open:
            self._line.opening.release()
        self._may_open = self._is_ending = False

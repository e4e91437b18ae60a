"""What the suite needs to know of a channel's far side."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.channels.contract import ChannelContext
from crm.db.session import Sessions


class Harness(Protocol):
    """A channel with its stand-in running, one bot, and one person who can be reached."""

    context: ChannelContext
    """With the channel's parts pointed at the stand-in."""
    bot_id: int
    address: str
    """Where the person is reached."""

    async def shown(self) -> list[str]:
        """What the person sees of the bot's messages as plain text, oldest first."""
        ...

    def said(self, text: str) -> bytes:
        """The raw update that is stored when the person writes `text`."""
        ...

    def tapped(self, data: str) -> bytes:
        """The raw update that is stored when the person taps a button that carries `data`."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What a harness is built on."""

    sessions: Sessions
    valkey_url: str


class OpenHarness(Protocol):
    """`harness` in `tests/conformance/channels/<channel>.py`."""

    def __call__(self, around: Surroundings) -> AbstractAsyncContextManager[Harness]:
        """Start the stand-in; everything is stopped at the end of the block."""
        ...

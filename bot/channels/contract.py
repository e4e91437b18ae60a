"""What a channel brings, and what it is given. A channel is one folder with a light `manifest.py`.

The manifest names its parts as `module:attribute`; a part is loaded only by the processes that use it, so that
the bulk sender never loads a bot framework.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from redis.asyncio import Redis

from crm.db.session import Sessions
from crm.messages.types import ChannelTraits

if TYPE_CHECKING:
    from crm.config.settings import Settings


class Intake(Protocol):
    """Where a receiver hands over what came in."""

    async def __call__(self, *, bot_id: int, update_key: str, chat_key: str, payload: bytes) -> bool:
        """Store the raw update, committed when this returns, then have it handled. False: it was here before."""
        ...


@dataclass(frozen=True)
class ChannelContext:
    """What every part of a channel is given; nothing is looked up globally."""

    settings: "Settings"
    sessions: Sessions
    """Of the interactive lane."""
    valkey: Redis
    intake: Intake | None = None
    """Only in processes that receive."""


@dataclass(frozen=True)
class ChannelAccount:
    """What a channel's provider says about a token."""

    name: str
    username: str | None


@dataclass(frozen=True)
class Trouble:
    """Something amiss with one bot, and what to do."""

    bot: str
    text: str
    is_fatal: bool = False


@dataclass(frozen=True)
class ChannelManifest:
    """A channel at a glance."""

    name: str
    title: str
    """As operators see it, e.g. `Telegram`."""
    traits: ChannelTraits
    needs_token: bool
    """Whether a bot of this channel has a token that an operator enters."""
    inbound: str
    """`make(context) -> bot.types.InboundChannel`."""
    sender: str
    """`make(context) -> crm.deliveries.types.ChannelSender`; must not load a bot framework."""
    router: str | None = None
    """`make(context) -> fastapi.APIRouter`: webhooks, pages."""
    poller: str | None = None
    """`async poll(context, stop)`: serves every bot of the channel that has no webhook, until `stop`."""
    start: str | None = None
    """`async start(context)`: what must be told to the provider when a process begins to serve (commands, webhook)."""
    keep: str | None = None
    """`async keep(context, stop)`: tells the provider again whenever bots were added or changed, until `stop`."""
    modes: tuple[str, ...] = ("polling",)
    """How updates of its bots may arrive; the first one is usual."""
    check_token: str | None = None
    """`async check_token(context, token) -> ChannelAccount`; raises a DomainError that says what is wrong."""
    diagnose: str | None = None
    """`async diagnose(context) -> list[Trouble]`: what is amiss between bots and their provider; changes nothing."""

"""What channels hand to the dispatcher: one neutral input per update, and what a channel must be able to do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crm.messages.types import ChannelTraits, Outbound


class InputKind(StrEnum):
    """What a person (or the provider about a person) sent."""

    TEXT = "text"
    BUTTON = "button"
    CONTACT = "contact"
    LOCATION = "location"
    PHOTO = "photo"
    STICKER = "sticker"
    OTHER = "other"
    START = "start"
    """The channel's own "open the chat", with `payload` of a deep link if there is one."""
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    GROUP = "group"
    """Something said in a group; `address` is the group."""


@dataclass(frozen=True)
class SharedContact:
    """A contact card. `is_own` only if the provider proves that it is the sender's own."""

    phone: str
    is_own: bool


@dataclass(frozen=True)
class SharedLocation:
    """Degrees of latitude and longitude."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class InboundInput:
    """One update, whatever channel it came by. Text may be hostile: the dispatcher cleans it."""

    bot_id: int
    channel: str
    address: str
    """Where replies go: the chat's id on the channel."""
    chat_key: str
    """What orders updates: those of one chat are handled one after the other."""
    kind: InputKind
    text: str = ""
    data: str | None = None
    """What a tapped button carried."""
    payload: str | None = None
    """What a deep link carried, at most 64 characters."""
    contact: SharedContact | None = None
    location: SharedLocation | None = None
    photo: str | None = None
    """The channel's own reference of a picture."""
    display_name: str = ""
    username: str | None = None
    locale_hint: str | None = None
    device: str | None = None
    """Fingerprint of the device, where a channel knows one: a keyed digest, see `crm.referrals.service.devices`."""
    at: datetime | None = None
    message_ref: str | None = None
    """The channel's reference of the message that was written or tapped."""
    tap_ref: str | None = None
    """What the channel needs to acknowledge a tap."""


class UnusableUpdateError(Exception):
    """An authentic update that no one can read; it becomes a dead letter at once."""


class InboundChannel(Protocol):
    """What the dispatcher needs of a channel; sending goes through deliveries."""

    name: str
    traits: ChannelTraits

    def parse(self, bot_id: int, payload: bytes) -> InboundInput | None:
        """The stored update as an input; None when there is nothing to do. Raises UnusableUpdateError."""
        ...

    async def acknowledge(self, bot_id: int, tapped: InboundInput) -> None:
        """Tell the channel that a tap arrived; must swallow that it came too late."""
        ...

    async def answer_group(self, bot_id: int, address: str, message: Outbound) -> None:
        """Say something in a group, where no member can be served; best effort, nothing is recorded."""
        ...

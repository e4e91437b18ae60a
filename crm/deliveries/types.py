"""Public values of deliveries: lanes, classes, states, what a channel's sender answers, counts and recipients."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from crm.messages.types import ChannelTraits, Outbound


class Lane(StrEnum):
    """Replies have a budget of their own, so that a broadcast never delays one."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    PAID = "paid"
    """Bulk for which the channel is paid by the message, and takes more of them."""


class MessageClass(StrEnum):
    """Decides which gates apply, and what becomes of a send whose fate is unknown."""

    MARKETING = "marketing"
    """Needs consent, honours quiet hours and caps; a doubtful send is held as `uncertain`."""
    RECEIPT = "receipt"
    """Something the member is owed (an order, points, a code); a doubtful send is repeated once, with the same
    short reference number in both copies."""
    REPLY = "reply"
    """An answer in a conversation; a doubtful send is repeated once, plainly."""


class DeliveryState(StrEnum):
    """Where one delivery stands, derived from its rows."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a delivery was suppressed, deferred, failed or paused; channels may add reasons of their own."""

    INACTIVE = "inactive"
    """The member was merged into another or erased."""
    NO_IDENTITY = "no_identity"
    UNREACHABLE = "unreachable"
    NO_CONSENT = "no_consent"
    EXPIRED = "expired"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    THROTTLED = "throttled"
    BOT_STOPPED = "bot_stopped"
    NOT_STARTED = "not_started"
    """The sender let go of it before the call (pause, shutdown)."""
    NOT_ACCEPTED = "not_accepted"
    CONTENT = "content"
    MOVED = "moved"
    """The member was merged into one whom this message reaches anyway."""
    STARS_CAP = "stars_cap"
    """As much was spent as may be."""
    OPERATOR = "operator"
    RESTORED = "restored"
    """It was queued when the backup was made from which this database was restored."""
    CRASH = "crash"
    """The sender vanished between the call and its result."""
    IN_DOUBT = "in_doubt"
    """The channel did not say whether it took the message."""


@dataclass(frozen=True)
class Sent:
    """The channel took the message; `provider_ref` is its reference there."""

    provider_ref: str
    awaits_receipt: bool = False
    """The channel will later say by `service.confirm` that the member was shown it."""


@dataclass(frozen=True)
class Throttled:
    """Not taken: too many messages. `retry_after` in seconds."""

    retry_after: float


@dataclass(frozen=True)
class Unreachable:
    """Not taken, and no later message to this address will be: `blocked`, `deactivated`, `chat_not_found` ..."""

    reason: str


@dataclass(frozen=True)
class ContentRejected:
    """Not taken: the message itself is at fault."""

    detail: str


@dataclass(frozen=True)
class Unauthorized:
    """Not taken: the bot's token is not valid any more."""

    detail: str


@dataclass(frozen=True)
class Migrated:
    """Not taken: the chat has another address now."""

    address: str


@dataclass(frozen=True)
class NotAccepted:
    """Certainly not taken (connect failed, refused before it was read): safe to try again."""

    detail: str


@dataclass(frozen=True)
class InDoubt:
    """Perhaps taken (read timeout, reset after write, server error): never repeated blindly."""

    detail: str


SendOutcome = Sent | Throttled | Unreachable | ContentRejected | Unauthorized | Migrated | NotAccepted | InDoubt


class ChannelSender(Protocol):
    """What a channel implements so that deliveries can send through it.

    It answers and does not raise: whatever it cannot explain is `InDoubt`.
    """

    name: str
    traits: ChannelTraits

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """Make one call to the provider, without any retry of its own."""
        ...


@dataclass(frozen=True)
class DeliveryCounts:
    """Deliveries of one source by state; they always add up to `total`."""

    total: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    """Every `DeliveryState` is a key."""
    suppressed: dict[str, int] = field(default_factory=dict)
    """By reason; adds up to `by_state["suppressed"]`."""
    deferred: int = 0
    """How many of the queued ones wait for a later time."""
    next_at: datetime | None = None
    """When the first deferred one is due."""


@dataclass(frozen=True)
class Delivery:
    """One delivery as an operator sees it."""

    delivery_id: UUID
    member_id: int
    step: int
    state: DeliveryState
    reason: str | None
    """Why suppressed, failed, uncertain or deferred."""
    detail: str | None
    not_before: datetime | None
    """Deferred until then."""
    identity_id: int | None
    provider_ref: str | None
    at: datetime | None
    """When the state was reached."""
    attempts: int


@dataclass(frozen=True)
class MemberDelivery(Delivery):
    """A delivery in one member's history."""

    source_kind: str
    source_id: str


class BroadcastStatus(StrEnum):
    """Whether senders may work on a source."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Broadcast:
    """One source of bulk deliveries: a campaign, a node of a journey ..."""

    id: int
    source_kind: str
    source_id: str
    topic: str
    message_class: MessageClass
    status: BroadcastStatus
    paused_reason: str | None
    resumes_at: datetime | None
    not_before: datetime
    send_before: datetime | None
    total: int
    created_at: datetime
    finished_at: datetime | None
    paid_limit: int | None = None
    """How many messages may be paid for; None where nothing is paid."""
    paid_count: int = 0
    """How many were."""

"""Public values of draws."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class DrawKind(StrEnum):
    """How points and prizes are shared out."""

    LUCKY = "lucky"
    """Prizes with odds and stock."""
    PACKETS = "packets"
    """Red packets: a sum of points in a number of packets of random size."""


class DrawStatus(StrEnum):
    """Where a draw stands; it only goes forward."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class PrizeKind(StrEnum):
    """What a prize is."""

    POINTS = "points"
    COUPON = "coupon"
    GOODS = "goods"
    NOTHING = "nothing"


class PlayStatus(StrEnum):
    """Whether the prize has reached the member."""

    GIVEN = "given"
    PENDING = "pending"
    """To be handed over by the shop: goods, or a voucher that could not be issued."""


@dataclass(frozen=True)
class Prize:
    """One prize. `odds` are millionths; the last prize of a draw is the fallback, which takes what others leave."""

    name: dict[str, str]
    kind: PrizeKind
    odds: int = 0
    points: int = 0
    coupon_id: int | None = None
    stock: int | None = None
    """None: never runs out."""


@dataclass(frozen=True)
class Rules:
    """What a result follows from; published as text when the draw opens, and fixed from then on."""

    kind: DrawKind
    prizes: tuple[Prize, ...] = ()
    """Of lucky draws."""
    points: int = 0
    packets: int = 0
    """Of red packets: the sum, and how many share it."""


@dataclass(frozen=True)
class Stand:
    """What is left: of each prize (None: no limit), or of the sum and its packets."""

    left: tuple[int | None, ...] = ()
    points: int = 0
    packets: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a play gives. `drawn` is what the ticket says; `prize` differs where its stock had ended."""

    drawn: int | None
    prize: int | None
    points: int


@dataclass(frozen=True)
class Terms:
    """Who may play, when, and with how many chances."""

    free_per_day: int = 1
    """Of the member's local day."""
    price: int | None = None
    """Points for one more chance; None: none are sold."""
    bought_per_day: int = 10
    earned_by: dict[str, int] = field(default_factory=dict)
    """Chances for events, by their kind."""
    tiers: list[str] = field(default_factory=list)
    """Keys of tiers; empty: everybody."""
    stages: list[str] = field(default_factory=list)
    """Stages of the lifecycle; empty: every one."""
    minimum_orders: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class NewDraw:
    """A draw to be made."""

    name: dict[str, str]
    rules: Rules
    description: dict[str, str] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class Draw:
    """A draw. `seed` is None until it is closed."""

    id: int
    name: dict[str, str]
    description: dict[str, str]
    rules: Rules
    terms: Terms
    status: DrawStatus
    commitment: str | None
    """SHA-256 of the seed, in hex; published when the draw opened."""
    rules_hash: str | None
    """SHA-256 of the text of the rules."""
    rules_text: str
    seed: str | None
    """32 bytes in hex."""
    stand: Stand
    plays: int
    opened_at: datetime | None
    closed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Chances:
    """How often a member may play now."""

    free: int
    extra: int
    """Bought or earned; they stay until used."""
    for_sale: int
    """How many more can be bought today."""
    price: int | None

    @property
    def total(self) -> int:
        """All that can be used now."""
        return self.free + self.extra


@dataclass(frozen=True)
class Play:
    """One play: a line of the draw's log."""

    draw_id: int
    position: int
    """Place in the log, from 1 on without a gap."""
    at: datetime
    member_id: int
    number: int
    """The member's public number, as it was then."""
    attempt: int
    """The how manieth of this number in this draw."""
    outcome: Outcome
    prize: Prize | None
    """None for red packets."""
    status: PlayStatus
    voucher_id: UUID | None
    is_new: bool = False


@dataclass(frozen=True)
class CheckedPlay:
    """A play that was recomputed from the revealed seed."""

    position: int
    number: int
    attempt: int
    digest: str
    """HMAC-SHA256 in hex."""
    ticket: int
    """0 to 999,999."""
    recorded: Outcome
    expected: Outcome

    @property
    def is_right(self) -> bool:
        """Whether the log says what the seed says."""
        return self.recorded == self.expected


@dataclass(frozen=True)
class MemberProof:
    """A member's plays in one draw, recomputed if the seed is revealed."""

    draw: Draw
    number: int
    seed_fits: bool | None
    """Whether SHA-256 of the seed is the commitment; None before the close."""
    rules_fit: bool
    plays: list[Play]
    checked: list[CheckedPlay]


@dataclass(frozen=True)
class Verification:
    """What recomputing a whole closed draw found."""

    plays: int
    seed_fits: bool
    rules_fit: bool
    wrong: list[int]
    """Positions whose result does not follow, the first hundred."""

    @property
    def is_right(self) -> bool:
        """Whether everything follows from the seed and the rules."""
        return self.seed_fits and self.rules_fit and not self.wrong


@dataclass(frozen=True)
class OfferedDraw:
    """An open draw as one member sees it."""

    draw: Draw
    chances: Chances
    why_not: str | None
    """Code of the reason why it cannot be played now, chances aside."""

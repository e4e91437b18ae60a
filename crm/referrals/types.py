"""Public values of referrals."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class Act(StrEnum):
    """What an invited friend has to do before anybody is rewarded."""

    SIGN_UP = "sign_up"
    CHECK_IN = "check_in"
    ORDER = "order"
    PHONE = "phone"
    """They told their phone number and it was verified."""


class Status(StrEnum):
    """Where a referral stands."""

    PENDING = "pending"
    """The friend came; the act is still to be done."""
    REVIEW = "review"
    """The act is done, but something speaks against it: an operator decides, and rewards are held."""
    QUALIFIED = "qualified"
    REJECTED = "rejected"
    VOID = "void"
    """It had counted and was taken back."""


class Flag(StrEnum):
    """What speaks against a referral."""

    SELF = "self"
    """Friend and referrer are one person."""
    VELOCITY = "velocity"
    SHARED_DEVICE = "shared_device"
    SHARED_PHONE = "shared_phone"
    RING = "ring"


class Outcome(StrEnum):
    """What became of a visit through a personal link."""

    BOUND = "bound"
    SELF = "self"
    KNOWN = "known"
    """Whoever came had been here before."""
    NO_PROGRAMME = "no_programme"


class Part(StrEnum):
    """For what somebody was rewarded."""

    REFERRER = "referrer"
    FRIEND = "friend"
    SECOND = "second"
    """A friend's friend came."""
    LEVEL = "level"
    """So many friends qualified."""


@dataclass(frozen=True)
class Gift:
    """Points, a voucher of a coupon, both or nothing."""

    points: int = 0
    coupon_id: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given."""
        return not self.points and self.coupon_id is None


@dataclass(frozen=True)
class Level:
    """What is given once that many friends have qualified."""

    friends: int
    gift: Gift


@dataclass(frozen=True)
class Limits:
    """What keeps a programme from running away; None for no limit."""

    per_referrer: int | None = None
    """Friends that a referrer is rewarded for; friends are rewarded all the same."""
    per_hour: int = 10
    """Friends of one referrer that may come within an hour before an operator looks at them."""
    per_day: int = 30
    budget_points: int | None = None
    """The most points that the programme gives altogether."""


@dataclass(frozen=True)
class Terms:
    """What a programme asks for and gives; checked by `policy.check_terms`."""

    act: Act
    referrer: Gift = Gift()
    friend: Gift = Gift()
    levels: tuple[Level, ...] = ()
    second_percent: int = 0
    """Of the referrer's points, for whoever invited the referrer."""
    minimum_order: Decimal | None = None
    """In the brand's currency, for the act `order`."""
    qualify_days: int | None = None
    """Days that a friend has for the act; None: as long as they like."""
    points_last_days: int | None = None
    """Days until points of the programme expire; None: never."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Programme:
    """A programme as it is now."""

    id: int
    name: str
    headline: dict[str, str]
    """By locale; stands on posters and on the status page."""
    terms: Terms
    is_active: bool
    spent_points: int
    created_at: datetime


@dataclass(frozen=True)
class Touch:
    """What coming through a personal link did."""

    outcome: Outcome
    referral_id: UUID | None = None
    referrer_name: str = ""
    gift: Gift = Gift()
    """What the friend gets after the act."""
    act: str = ""
    minimum_order: Decimal | None = None
    """What the order has to come to, for the act `order`."""


@dataclass(frozen=True)
class Doubt:
    """A flag with what was seen: a number, or ids of members."""

    flag: Flag
    detail: str


@dataclass(frozen=True)
class Referral:
    """One friend who came through a member's link."""

    id: UUID
    programme_id: int
    referrer_id: int
    friend_id: int
    status: Status
    doubts: tuple[Doubt, ...]
    joined_at: datetime
    deadline_at: datetime | None
    acted_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


@dataclass(frozen=True)
class Given:
    """What somebody was given for a referral or a level."""

    key: str
    part: Part
    member_id: int
    referral_id: UUID | None
    friends: int | None
    points: int
    voucher_id: UUID | None
    problem: str | None
    """Why something of it was not given, e.g. `budget`, `limit`, `coupon_gone`."""
    given_at: datetime
    taken_back_at: datetime | None
    remains: str | None
    """Why something of it could not be taken back, e.g. `voucher_used`."""


@dataclass(frozen=True)
class Standing:
    """What a member sees of their invitations."""

    programme: Programme | None
    joined: int
    qualified: int
    pending: int
    next_level: Level | None
    missing: int
    """Friends to the next level; 0 without one."""
    points: int
    """Given so far and not taken back."""
    vouchers: int


@dataclass(frozen=True)
class Invitee:
    """A member in the tree of invitations."""

    referral_id: UUID
    member_id: int
    name: str
    status: Status
    joined_at: datetime
    invitees: tuple["Invitee", ...] = ()


@dataclass(frozen=True)
class Subtree:
    """What taking back everything below a member takes, or took."""

    member_id: int
    referrals: int
    members: int
    """Different people who were rewarded."""
    points: int
    vouchers: int
    """Unused vouchers, which can be taken away."""
    used_vouchers: int
    """Vouchers that were used or have run out, which stay as they are."""
    names: list[str] = field(default_factory=list)
    """Shown names of the first few friends."""

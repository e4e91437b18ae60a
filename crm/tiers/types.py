"""Public values of tiers: a programme, where members stand, and what changes."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Measure(StrEnum):
    """What qualifies for a tier."""

    POINTS = "points"
    """Points earned, less those of earnings that were taken back; what is spent counts still."""
    SPEND = "spend"
    """Money of paid orders."""
    ORDERS = "orders"
    """Number of paid orders."""


class Window(StrEnum):
    """Over which time it is measured."""

    ROLLING = "rolling"
    CALENDAR_YEAR = "calendar_year"
    """This year counts for rising; for keeping, the better one of this year and the last."""
    LIFETIME = "lifetime"


class Downgrade(StrEnum):
    """What happens to a member who falls short of the tier's keep threshold when the grace period is over."""

    ONE_STEP = "one_step"
    TO_BALANCE = "to_balance"
    NEVER = "never"


class Reason(StrEnum):
    """Why a tier changed."""

    REACHED = "reached"
    FELL_SHORT = "fell_short"
    GRANTED = "granted"
    GRANT_ENDED = "grant_ended"
    PROGRAMME = "programme"
    MERGED = "merged"


class ProgrammeStatus(StrEnum):
    """At most one programme is a draft and at most one is live."""

    DRAFT = "draft"
    LIVE = "live"
    RETIRED = "retired"


class RunKind(StrEnum):
    """Why all members are evaluated."""

    DAILY = "daily"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Tier:
    """One tier and what its members have of it."""

    key: str
    name: dict[str, str]
    enter: Decimal
    """The measure from which a member comes in."""
    keep: Decimal
    """The measure from which a member stays."""
    multiplier: Decimal = Decimal(1)
    """Of points for purchases."""
    monthly_coupon_id: int | None = None
    birthday_coupon_id: int | None = None
    has_priority: bool = False
    """Whether tickets show that these members come first."""


@dataclass(frozen=True)
class Rules:
    """What a programme says; tiers from the lowest to the highest."""

    measure: Measure
    window: Window
    tiers: list[Tier]
    months: int | None = None
    """Length of a rolling window."""
    grace_days: int = 30
    downgrade: Downgrade = Downgrade.TO_BALANCE
    at_risk_days: int = 30
    """How long before a downgrade a member counts as at risk; 0 for not at all."""


@dataclass(frozen=True)
class Programme:
    """One version of the programme."""

    version: int
    status: ProgrammeStatus
    rules: Rules
    created_by: str
    created_at: datetime
    published_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True)
class Spans:
    """From when on amounts count; None for `current_from` and `coming_from` is from ever on."""

    current_from: datetime | None
    previous_from: datetime | None
    """Start of the year before, which ends at `current_from`; None when there is none."""
    coming_from: datetime | None
    """From when on they would count when the time of warning is over."""
    has_previous_then: bool
    """Whether the year before would count then."""


@dataclass(frozen=True)
class Measured:
    """What a member reached: for rising, for keeping, and for keeping later if nothing more came."""

    entry: Decimal = Decimal(0)
    keep: Decimal = Decimal(0)
    coming: Decimal = Decimal(0)


@dataclass(frozen=True)
class Grant:
    """A tier that an operator gave by hand; it stands instead of the earned one until it ends."""

    tier: str
    until: datetime
    reason: str
    by: str


@dataclass(frozen=True)
class Standing:
    """Where a member stands; everything is None for who never had a tier."""

    tier: str | None = None
    """The tier in force."""
    earned: str | None = None
    """The tier without any grant."""
    since: datetime | None = None
    falls_at: datetime | None = None
    """When the grace period ends; None while the member does enough."""
    risk_ends_at: datetime | None = None
    """When the tier is lost unless more is done; None while it is not at risk."""
    grant: Grant | None = None


@dataclass(frozen=True)
class Outcome:
    """What an evaluation says; the reason is None when the tier stays."""

    tier: str | None
    earned: str | None
    falls_at: datetime | None
    risk_ends_at: datetime | None
    reason: Reason | None = None
    has_grant_ended: bool = False
    is_up: bool = False
    next_tier: str | None = None
    """Where the member would fall to."""
    missing: Decimal = Decimal(0)
    """What is missing to keep the tier."""


@dataclass(frozen=True)
class Subject:
    """A member to be evaluated."""

    member_id: int
    standing: Standing
    measured: Measured
    multiplier: Decimal
    """As the profile has it."""


@dataclass(frozen=True)
class Interval:
    """A time that a member spent in one tier, or without one."""

    tier: str | None
    started_at: datetime
    ended_at: datetime | None
    reason: Reason
    measure: Measure
    value: Decimal
    version: int
    by: str


@dataclass(frozen=True)
class Move:
    """How many members go from one tier to another."""

    from_tier: str | None
    to_tier: str | None
    members: int


@dataclass(frozen=True)
class Preview:
    """What publishing a programme would do to the members of now."""

    now: dict[str, int]
    """Members by tier as it is."""
    then: dict[str, int]
    moves: list[Move]
    up: int
    down: int
    in_grace: int
    """Members who would keep their tier only until the grace period ends."""


@dataclass(frozen=True)
class Run:
    """An evaluation of all members, in ranges, which goes on where it stopped."""

    id: int
    version: int
    kind: RunKind
    next_id: int
    until_id: int
    up: int
    down: int
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """What a member wants to see: the tier, the way to the next one, and what keeps it."""

    tier: Tier | None
    standing: Standing
    measure: Measure
    window: Window
    months: int | None
    value: Decimal
    following: Tier | None
    """The next tier; None in the highest."""
    missing: Decimal
    """Until the next tier."""
    share: Decimal
    """How much of the next tier's threshold is reached, 0 to 1."""
    keep_missing: Decimal
    """Until the tier is safe again."""


@dataclass(frozen=True)
class TierMember:
    """One line of the list of a tier's members."""

    member_id: int
    display_name: str
    tier: str | None
    since: datetime | None
    risk_ends_at: datetime | None
    granted_until: datetime | None


@dataclass(frozen=True)
class Given:
    """What the last rounds of a benefit came to."""

    kind: str
    period: str
    given: int
    problems: dict[str, int] = field(default_factory=dict)

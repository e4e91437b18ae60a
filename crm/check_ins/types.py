"""Public values of check-ins."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class DayKind(StrEnum):
    """How a day came to count."""

    CHECKED_IN = "checked_in"
    MADE_UP = "made_up"
    """Missed, and filled afterwards."""
    SAVED_BY_PASS = "saved_by_pass"  # noqa: S105 - a free pass, not a password
    """Missed, and filled by the streak insurance with one of the month's free passes."""
    SAVED_BY_CARD = "saved_by_card"


class Insurance(StrEnum):
    """What saves a streak by itself at the check-in after a missed day."""

    OFF = "off"
    PASSES = "passes"
    CARDS = "cards"
    BOTH = "both"
    """Passes first, then cards."""


class CardCause(StrEnum):
    """Why cards came or went."""

    BOUGHT = "bought"
    MILESTONE = "milestone"
    EVENT = "event"
    OPERATOR = "operator"
    USED = "used"
    INSURED = "insured"
    """The streak insurance used them."""


class Board(StrEnum):
    """What the leaderboard compares; days that were filled afterwards count for streaks alone."""

    WEEK = "week"
    MONTH = "month"
    STREAK = "streak"


@dataclass(frozen=True)
class Programme:
    """What operators chose; the values here are those of a deployment where nobody chose anything."""

    days_back: int = 0
    """How many days back a missed day may be filled; 0: not at all."""
    make_ups_per_month: int | None = None
    """Days that a member may fill in a month of theirs; None: no limit."""
    made_up_points: int = 0
    """Points for a day that was filled; the earning rules give theirs for real check-ins alone."""
    has_made_up_milestones: bool = True
    """Whether a milestone that is reached by filling a day is given."""
    card_price: int | None = None
    """Points for one make-up card; None: they are not sold."""
    bought_per_month: int | None = None
    most_cards: int = 10
    """Cards that a member may hold."""
    cards_for: dict[str, int] = field(default_factory=dict)
    """Cards that an event gives, by its kind."""
    insurance: Insurance = Insurance.OFF
    passes_per_month: int = 0
    insured_days: int = 1
    """Missed days in a row that the insurance saves; of more it saves none."""
    insured_from: int = 3
    """The shortest streak that the insurance saves."""
    has_leaderboard: bool = False
    places: int = 10
    """Places of the leaderboard that are shown."""


@dataclass(frozen=True)
class NewMilestone:
    """A milestone to be made; it gives at least one thing."""

    day: int
    """Days in a row."""
    is_repeated: bool = False
    """Again at every multiple of the days."""
    points: int = 0
    coupon_id: int | None = None
    cards: int = 0
    badge: dict[str, str] = field(default_factory=dict)
    """A few words by locale that stand beside the member on the leaderboard and in the calendar."""


@dataclass(frozen=True)
class Milestone:
    """A milestone as it is now."""

    id: int
    day: int
    is_repeated: bool
    points: int
    coupon_id: int | None
    cards: int
    badge: dict[str, str]
    is_active: bool
    created_at: datetime


@dataclass(frozen=True)
class Gift:
    """What a member got for a milestone."""

    milestone_id: int
    reached_on: date
    """The day that completed it, which may be one before today when days were filled."""
    days: int
    points: int
    has_coupon: bool
    cards: int
    badge: dict[str, str]


@dataclass(frozen=True)
class CheckInResult:
    """What a tap on check-in did; `is_new` False means that the day was checked in before."""

    is_new: bool
    local_date: date
    """Today in the member's time zone."""
    streak: int
    """Days in a row, with today when it counts."""
    points: int
    """Points for the day; 0 when it was checked in before."""
    bonus: int
    """Points for the streak by earning rules, on top."""
    milestone: int | None
    """The streak that earned the bonus."""
    balance: int
    next_at: datetime
    """When the next check-in counts, aware UTC."""
    calendar: list[int]
    """Days of this month with a check-in."""
    month: int
    year: int
    filled: list[int] = field(default_factory=list)
    """Days of this month that were missed and filled."""
    saved: list[date] = field(default_factory=list)
    """Days that the streak insurance has just filled."""
    gifts: list[Gift] = field(default_factory=list)
    has_programme: bool = False
    """Whether there is more to see: make-ups or a leaderboard."""
    pending: int = 0
    """Points of today that can be spent later."""


@dataclass(frozen=True)
class CheckInCalendar:
    """A member's month at a glance."""

    year: int
    month: int
    today: int | None
    """Today's day, when it is in this month."""
    days: list[int]
    """Days with a check-in."""
    filled: list[int]
    """Days that were missed and filled."""
    streak: int
    """Days in a row that still run: the last was today or the day before."""
    best: int
    total: int
    """Check-ins ever; days that were filled are not among them."""
    has_earlier: bool
    """Whether there is anything before this month."""
    is_this_month: bool
    badge: dict[str, str]
    """The latest badge; empty: none yet."""


@dataclass(frozen=True)
class MakeUps:
    """What a member may fill now, and by what."""

    days: list[date]
    """Missed days within reach, the latest first."""
    cards: int
    left_this_month: int | None
    """How many days may still be filled this month; None: no limit."""
    price: int | None
    """Points for one more card; None: not for sale now."""
    days_back: int


@dataclass(frozen=True)
class MadeUp:
    """What filling a day did."""

    local_date: date
    streak: int
    """The streak as it runs now."""
    points: int
    cards: int
    """Cards that are left."""
    gifts: list[Gift]


@dataclass(frozen=True)
class CardMove:
    """Cards that came or went."""

    at: datetime
    change: int
    cause: CardCause
    by: str
    reason: str


@dataclass(frozen=True)
class Place:
    """A line of the leaderboard; equal values share a rank, and the ranks after them are left out."""

    rank: int
    member_id: int
    name: str
    value: int
    badge: dict[str, str]


@dataclass(frozen=True)
class Leaderboard:
    """The first places, and the one of whoever asks."""

    board: Board
    since: date | None
    """The first day that counts, by the brand's calendar; None for streaks."""
    places: list[Place]
    members: int
    """How many are on the board with at least one day."""
    own: Place | None
    """None when the member is not on the board, or has nothing that counts yet."""
    is_on_it: bool

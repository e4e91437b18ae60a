"""Public values of activities."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ActivityStatus(StrEnum):
    """Where an activity stands; it only goes forward."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    """It took place, and its list is final."""
    CALLED_OFF = "called_off"
    """It does not take place; every registration is cancelled and what was paid goes back."""


class RegistrationStatus(StrEnum):
    """What a member has at an activity."""

    REGISTERED = "registered"
    WAITING = "waiting"
    ATTENDED = "attended"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a registration was cancelled."""

    MEMBER = "member"
    OPERATOR = "operator"
    CALLED_OFF = "called_off"
    POINTS = "points"
    """A place became free, but the member had not enough points for it."""
    GONE = "gone"
    """The profile was erased while it waited."""
    MERGED = "merged"


class Presence(StrEnum):
    """How a segment tells members apart."""

    REGISTERED = "registered"
    """Has a place, or had one: those who came and those who did not are among them."""
    WAITING = "waiting"
    ATTENDED = "attended"
    MISSED = "missed"
    """Had a place and did not come."""
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Terms:
    """When it is, who may come, and for what."""

    starts_at: datetime
    ends_at: datetime
    opens_at: datetime | None = None
    """When registration begins; None: when the activity is published."""
    closes_at: datetime | None = None
    """When registration ends; None: when the activity begins."""
    capacity: int | None = None
    """None: as many as like to."""
    has_waiting_list: bool = True
    points: int = 0
    """What a place costs; 0: nothing."""
    tiers: list[str] = field(default_factory=list)
    """Keys of tiers; empty: everybody."""
    segment_ids: list[int] = field(default_factory=list)
    """Segments any one of which a member is in; empty: everybody."""
    cancel_hours: int = 24
    """Until so many hours before the start, cancelling brings the points back."""
    reminder_hours: list[int] = field(default_factory=lambda: [24, 2])
    """How many hours before the start those with a place are reminded."""
    survey_id: int | None = None
    """Asks those who came how it was."""
    feedback_hours: int = 2
    """How long after the end it is asked."""


@dataclass(frozen=True)
class NewActivity:
    """An activity to be made, or the new content of one; texts by locale."""

    name: dict[str, str]
    terms: Terms
    description: dict[str, str] = field(default_factory=dict)
    place: dict[str, str] = field(default_factory=dict)
    photo_media_id: UUID | None = None


@dataclass(frozen=True)
class Counts:
    """How many have what just now."""

    registered: int = 0
    """With a place, those who came included."""
    waiting: int = 0
    attended: int = 0
    cancelled: int = 0


@dataclass(frozen=True)
class Activity:
    """An activity as operators keep it."""

    id: int
    name: dict[str, str]
    description: dict[str, str]
    place: dict[str, str]
    photo_media_id: UUID | None
    terms: Terms
    status: ActivityStatus
    counts: Counts
    published_at: datetime | None
    closed_at: datetime | None
    created_at: datetime

    @property
    def left(self) -> int | None:
        """Free places; None: no limit."""
        return None if self.terms.capacity is None else max(0, self.terms.capacity - self.counts.registered)

    @property
    def is_full(self) -> bool:
        """Whether who comes now has to wait: those who wait already are served first."""
        return self.terms.capacity is not None and (self.left == 0 or self.counts.waiting > 0)


@dataclass(frozen=True)
class Registration:
    """A member's registration for an activity: one, however often it was cancelled and made again."""

    id: int
    activity_id: int
    name: dict[str, str]
    """The activity's."""
    member_id: int
    status: RegistrationStatus
    code: str
    """What the member shows at the door."""
    points: int
    """What was paid; 0 once it went back."""
    registered_at: datetime
    changed_at: datetime
    changed_by: str
    reason: Reason | None
    place_in_line: int | None = None
    """From 1 on, while waiting."""
    is_new: bool = False


@dataclass(frozen=True)
class OfferedActivity:
    """An activity as one member sees it."""

    activity: Activity
    registration: Registration | None
    why_not: str | None
    """Code of the reason why the member cannot register now."""
    gets_points_back: bool
    """Whether cancelling now would bring back what was paid."""


@dataclass(frozen=True)
class Door:
    """What hangs at the door."""

    code: str
    """What members send to check in."""
    links: dict[str, str]
    """Addresses that say the code when they are opened, by channel."""


@dataclass(frozen=True)
class QuestionAverage:
    """What those who came answered to one question with a number."""

    question: str
    title: dict[str, str]
    answers: int
    average: float


@dataclass(frozen=True)
class Report:
    """How an activity went. Until it is over, nobody has missed it."""

    registered: int
    cancelled: int
    waiting: int
    attended: int
    missed: int
    answered: int
    """How many of those who came finished the survey."""
    feedback: list[QuestionAverage]

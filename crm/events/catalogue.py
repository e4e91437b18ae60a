"""Every kind of event that Siyu records: journey triggers, timelines, webhooks and docs read this list."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.events import loyalty
from crm.events.types import Event


@dataclass(frozen=True, kw_only=True)
class MemberCreated(Event):
    """A stranger wrote for the first time."""

    kind = "member_created"
    title = "First contact"
    channel: str


@dataclass(frozen=True, kw_only=True)
class MemberSignedUp(Event):
    """A member agreed to the terms and finished sign-up."""

    kind = "member_signed_up"
    title = "Signed up"
    channel: str
    source_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class MemberUpdated(Event):
    """Attributes or profile fields changed; names of fields only. `filled` are those that hold something now."""

    kind = "member_updated"
    title = "Profile updated"
    changed: list[str]
    by: str
    filled: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class MembersMerged(Event):
    """Another profile was joined into this one."""

    kind = "members_merged"
    title = "Profiles merged"
    merged_member_id: int
    merge_id: int


@dataclass(frozen=True, kw_only=True)
class MergeUndone(Event):
    """A merge was taken apart again."""

    kind = "merge_undone"
    title = "Merge undone"
    merged_member_id: int
    merge_id: int


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(Event):
    """The member came to own another channel account."""

    kind = "identity_linked"
    title = "Channel linked"
    channel: str
    identity_id: int


@dataclass(frozen=True, kw_only=True)
class ReachabilityChanged(Event):
    """A channel account became reachable or unreachable (blocked, deactivated)."""

    kind = "reachability_changed"
    title = "Reachability changed"
    identity_id: int
    is_reachable: bool
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class TagAdded(Event):
    """A tag was put on the member."""

    kind = "tag_added"
    title = "Tag added"
    tag: str
    source: str


@dataclass(frozen=True, kw_only=True)
class TagRemoved(Event):
    """A tag was taken off the member."""

    kind = "tag_removed"
    title = "Tag removed"
    tag: str
    source: str


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(Event):
    """Consent to a topic on a channel was given or withdrawn."""

    kind = "consent_changed"
    title = "Consent changed"
    channel: str
    topic: str
    is_given: bool
    source: str


@dataclass(frozen=True, kw_only=True)
class SourceTouched(Event):
    """The member came through a deep link, QR code or embed."""

    kind = "source_touched"
    title = "Came through a source"
    source_id: int
    is_first: bool


@dataclass(frozen=True, kw_only=True)
class CheckedIn(Event):
    """The daily check-in."""

    kind = "checked_in"
    title = "Checked in"
    local_date: date
    streak: int
    channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class PointsEarned(Event):
    """Points were credited."""

    kind = "points_earned"
    title = "Points earned"
    points: int
    rule: str
    transaction_id: UUID
    balance: int


@dataclass(frozen=True, kw_only=True)
class PointsRedeemed(Event):
    """Points were spent."""

    kind = "points_redeemed"
    title = "Points redeemed"
    points: int
    reason: str
    transaction_id: UUID
    balance: int


@dataclass(frozen=True, kw_only=True)
class PointsExpired(Event):
    """Points of a lot ran out."""

    kind = "points_expired"
    title = "Points expired"
    points: int
    transaction_id: UUID
    balance: int


@dataclass(frozen=True, kw_only=True)
class PointsAdjusted(Event):
    """An operator corrected the balance."""

    kind = "points_adjusted"
    title = "Points adjusted"
    points: int
    reason: str
    transaction_id: UUID
    balance: int


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(Event):
    """An order came in; the amount is net paid, after coupons. Items: sku, category, quantity, amount as a text."""

    kind = "order_placed"
    title = "Order placed"
    order_id: int
    amount: Decimal
    currency: str
    placed_at: datetime
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SurveyStarted(Event):
    """A member began a survey."""

    kind = "survey_started"
    title = "Survey started"
    survey_id: int
    response_id: int


@dataclass(frozen=True, kw_only=True)
class SurveyCompleted(Event):
    """A member finished a survey."""

    kind = "survey_completed"
    title = "Survey completed"
    survey_id: int
    response_id: int
    nps: int | None = None


@dataclass(frozen=True, kw_only=True)
class FlowStarted(Event):
    """A conversation began."""

    kind = "flow_started"
    title = "Conversation started"
    flow: str


@dataclass(frozen=True, kw_only=True)
class FlowEnded(Event):
    """A conversation ended: finished, cancelled, timed out or failed."""

    kind = "flow_ended"
    title = "Conversation ended"
    flow: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class KeywordMatched(Event):
    """The member's text matched a keyword."""

    kind = "keyword_matched"
    title = "Keyword used"
    keyword: str


@dataclass(frozen=True, kw_only=True)
class ButtonTapped(Event):
    """The member tapped a button of a broadcast, journey or menu."""

    kind = "button_tapped"
    title = "Button tapped"
    button: str
    campaign_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class PersonRequested(Event):
    """The member asked for a person."""

    kind = "person_requested"
    title = "Asked for a person"
    ticket_id: int


@dataclass(frozen=True, kw_only=True)
class BroadcastPaused(Event):
    """Sending of a source was stopped, by an operator or by itself; `until` when it goes on by itself."""

    kind = "broadcast_paused"
    title = "Broadcast paused"
    source_kind: str
    source_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BroadcastFinished(Event):
    """Nothing of a source is on its way any more."""

    kind = "broadcast_finished"
    title = "Broadcast finished"
    source_kind: str
    source_id: str


@dataclass(frozen=True, kw_only=True)
class JourneyEntered(Event):
    """A lifecycle trigger enrolled the member."""

    kind = "journey_entered"
    title = "Entered a journey"
    journey_id: int
    enrollment_id: int


@dataclass(frozen=True, kw_only=True)
class JourneyEnded(Event):
    """An enrollment reached its end."""

    kind = "journey_ended"
    title = "Left a journey"
    journey_id: int
    enrollment_id: int
    outcome: str


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """Something needs an operator; told once while it is open."""

    kind = "alert_raised"
    title = "Alert raised"
    alert_id: int
    alert: str
    subject: str
    severity: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class AlertResolved(Event):
    """The cause of an alert ended."""

    kind = "alert_resolved"
    title = "Alert resolved"
    alert_id: int
    alert: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class CustomEvent(Event):
    """A fact reported through the API."""

    kind = "custom"
    title = "Reported event"
    name: str
    properties: dict[str, Any] = field(default_factory=dict)


CATALOGUE: dict[str, type[Event]] = {
    kind.kind: kind
    for kind in [*vars().copy().values(), *vars(loyalty).values()]
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}

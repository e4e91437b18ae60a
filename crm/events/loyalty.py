"""Events of what loyalty gives: vouchers and rewards. They are part of the catalogue like all others."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from crm.events.types import Event


@dataclass(frozen=True, kw_only=True)
class VoucherIssued(Event):
    """A voucher was issued to the member."""

    kind = "voucher_issued"
    title = "Voucher issued"
    voucher_id: UUID
    coupon_id: int
    issued_for: str


@dataclass(frozen=True, kw_only=True)
class VoucherUsed(Event):
    """A voucher was used at the counter or for an order."""

    kind = "voucher_used"
    title = "Voucher used"
    voucher_id: UUID
    coupon_id: int


@dataclass(frozen=True, kw_only=True)
class VoucherRolledBack(Event):
    """The use of a voucher was taken back."""

    kind = "voucher_rolled_back"
    title = "Voucher given back"
    voucher_id: UUID
    coupon_id: int


@dataclass(frozen=True, kw_only=True)
class VoucherExpired(Event):
    """A voucher ran out unused."""

    kind = "voucher_expired"
    title = "Voucher expired"
    voucher_id: UUID
    coupon_id: int


@dataclass(frozen=True, kw_only=True)
class VoucherExpiring(Event):
    """A voucher runs out in 30, 7 or 1 days; `on` is the day in the brand's time zone."""

    kind = "voucher_expiring"
    title = "Voucher runs out soon"
    voucher_id: UUID
    coupon_id: int
    at: datetime
    on: date
    days: int


@dataclass(frozen=True, kw_only=True)
class VoucherCancelled(Event):
    """An unused voucher was taken away."""

    kind = "voucher_cancelled"
    title = "Voucher cancelled"
    voucher_id: UUID
    coupon_id: int


@dataclass(frozen=True, kw_only=True)
class RewardRedeemed(Event):
    """The member took a reward for points."""

    kind = "reward_redeemed"
    title = "Reward redeemed"
    redemption_id: UUID
    reward_id: int
    points: int


@dataclass(frozen=True, kw_only=True)
class RedemptionAdvanced(Event):
    """Goods were prepared, shipped or delivered."""

    kind = "redemption_advanced"
    title = "Redemption went on"
    redemption_id: UUID
    reward_id: int
    status: str


@dataclass(frozen=True, kw_only=True)
class RedemptionCancelled(Event):
    """A redemption was taken back; its points returned."""

    kind = "redemption_cancelled"
    title = "Redemption cancelled"
    redemption_id: UUID
    reward_id: int


@dataclass(frozen=True, kw_only=True)
class TierChanged(Event):
    """The member came to another tier, with the reason and what they were measured at."""

    kind = "tier_changed"
    title = "Tier changed"
    from_tier: str | None
    to_tier: str | None
    direction: str
    reason: str
    measure: str
    value: Decimal


@dataclass(frozen=True, kw_only=True)
class TierAtRisk(Event):
    """The member loses their tier soon unless they do more: how much is missing, by when, and where they would go."""

    kind = "tier_at_risk"
    title = "Tier at risk"
    tier: str
    next_tier: str | None
    measure: str
    missing: Decimal
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class PointsExpiring(Event):
    """So many points run out in 30, 7 or 1 days; `on` is the day in the brand's time zone, `at` its first moment."""

    kind = "points_expiring"
    title = "Points run out soon"
    points: int
    at: datetime
    on: date
    days: int


@dataclass(frozen=True, kw_only=True)
class PointsPending(Event):
    """Points were earned that become active later: at a time, by an act of the member's, or whichever comes first."""

    kind = "points_pending"
    title = "Points pending"
    points: int
    rule: str
    transaction_id: UUID
    activates_at: datetime | None
    act: str | None = None


@dataclass(frozen=True, kw_only=True)
class PendingPointsCancelled(Event):
    """Points went before they were active."""

    kind = "pending_points_cancelled"
    title = "Pending points cancelled"
    points: int
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PointsHeld(Event):
    """Points were set aside."""

    kind = "points_held"
    title = "Points held"
    points: int
    reason: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class PointsReleased(Event):
    """Points that were set aside came back."""

    kind = "points_released"
    title = "Held points given back"
    points: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderRefunded(Event):
    """An order was returned, whole or in part: the amount now, and all that was returned of what was paid."""

    kind = "order_refunded"
    title = "Order refunded"
    order_id: int
    amount: Decimal
    refunded: Decimal
    paid: Decimal
    currency: str
    placed_at: datetime
    key: str


@dataclass(frozen=True, kw_only=True)
class ReferralJoined(Event):
    """A friend came through the member's personal link, for the first time. The event is the referrer's."""

    kind = "referral_joined"
    title = "Friend joined"
    referral_id: UUID
    programme_id: int
    friend_id: int


@dataclass(frozen=True, kw_only=True)
class ReferralQualified(Event):
    """An invited friend did what the programme asks for, and nothing speaks against it. The event is the referrer's."""

    kind = "referral_qualified"
    title = "Referral qualified"
    referral_id: UUID
    programme_id: int
    friend_id: int
    act: str
    count: int


@dataclass(frozen=True, kw_only=True)
class ReferralRejected(Event):
    """A referral was refused, or taken back after it had counted. The event is the referrer's."""

    kind = "referral_rejected"
    title = "Referral rejected"
    referral_id: UUID
    programme_id: int
    friend_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class DrawPlayed(Event):
    """The member played a draw: the line of its log, and what it gave; `prize` is None for a red packet."""

    kind = "draw_played"
    title = "Draw played"
    draw_id: int
    position: int
    prize_kind: str
    prize: int | None
    points: int


@dataclass(frozen=True, kw_only=True)
class MissionCompleted(Event):
    """The member completed a mission in one of its windows, with what it is rewarded with."""

    kind = "mission_completed"
    title = "Mission completed"
    mission_id: int
    window: str
    points: int
    coupon_id: int | None
    badge_id: int | None
    draw_id: int | None
    draw_chances: int


@dataclass(frozen=True, kw_only=True)
class BadgeEarned(Event):
    """The member was given a badge."""

    kind = "badge_earned"
    title = "Badge earned"
    badge_id: int
    given_for: str


@dataclass(frozen=True, kw_only=True)
class ActivityRegistered(Event):
    """The member registered for an activity; without a free place they wait, and have paid nothing yet."""

    kind = "activity_registered"
    title = "Registered for an activity"
    activity_id: int
    registration_id: int
    is_waiting: bool
    points: int


@dataclass(frozen=True, kw_only=True)
class ActivityPlaceGiven(Event):
    """A place became free, and the member came in from the waiting list."""

    kind = "activity_place_given"
    title = "Place at an activity"
    activity_id: int
    registration_id: int
    points: int


@dataclass(frozen=True, kw_only=True)
class ActivityCancelled(Event):
    """A registration ended before the activity, with the points that went back."""

    kind = "activity_cancelled"
    title = "Activity registration cancelled"
    activity_id: int
    registration_id: int
    was_waiting: bool
    points_returned: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ActivityReminderDue(Event):
    """An activity that the member has a place at begins in so many hours."""

    kind = "activity_reminder_due"
    title = "Activity begins soon"
    activity_id: int
    registration_id: int
    hours: int


@dataclass(frozen=True, kw_only=True)
class ActivityAttended(Event):
    """The member checked in at an activity; `by` is `member` or who let them in."""

    kind = "activity_attended"
    title = "Activity attended"
    activity_id: int
    registration_id: int
    by: str


@dataclass(frozen=True, kw_only=True)
class ActivityFeedbackDue(Event):
    """An activity that the member attended is over, and a survey asks how it was."""

    kind = "activity_feedback_due"
    title = "Activity feedback asked for"
    activity_id: int
    registration_id: int
    survey_id: int


@dataclass(frozen=True, kw_only=True)
class CheckInMadeUp(Event):
    """A missed day was filled with a make-up card, or by an operator; the streak as it runs now (0: it does not)."""

    kind = "check_in_made_up"
    title = "Check-in made up"
    local_date: date
    streak: int
    points: int
    made_up_by: str


@dataclass(frozen=True, kw_only=True)
class StreakSaved(Event):
    """The streak insurance filled missed days at a check-in."""

    kind = "streak_saved"
    title = "Streak saved"
    first_on: date
    days: int
    streak: int


@dataclass(frozen=True, kw_only=True)
class MilestoneReached(Event):
    """The member's streak reached a milestone, with what it gave."""

    kind = "milestone_reached"
    title = "Milestone reached"
    milestone_id: int
    days: int
    reached_on: date
    points: int
    voucher_id: UUID | None
    cards: int

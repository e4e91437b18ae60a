"""Public values of profiles: the derived facts of a member, one row each."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict


class Stage(StrEnum):
    """Where a member stands in their life with the brand."""

    LEAD = "lead"
    NEW = "new"
    REPEAT = "repeat"
    LOYAL = "loyal"
    AT_RISK = "at_risk"
    CHURNED = "churned"
    WON_BACK = "won_back"


@dataclass(frozen=True)
class Profile:
    """The derived facts of one member; each is written by its owner through `profiles.service.record`."""

    member_id: int
    is_active: bool
    stage: Stage
    grade: str | None
    tier: str | None
    multiplier: Decimal
    points_balance: int
    streak: int
    last_check_in_on: date | None
    check_ins_count: int
    orders_count: int
    orders_total: Decimal
    first_order_at: datetime | None
    last_order_at: datetime | None
    last_seen_at: datetime | None
    signed_up_at: datetime | None
    locale: str
    tag_ids: list[int]
    first_source_id: int | None
    last_source_id: int | None
    joined_at: datetime
    is_reachable: bool
    segment_ids: list[int] = field(default_factory=list)
    """Segments of promotions and activities that the member was in when they were last looked through."""


class ProfileChanges(TypedDict, total=False):
    """Facts that an owner may write."""

    is_active: bool
    stage: Stage | str
    grade: str | None
    tier: str | None
    multiplier: Decimal
    points_balance: int
    streak: int
    last_check_in_on: date | None
    check_ins_count: int
    orders_count: int
    orders_total: Decimal
    first_order_at: datetime | None
    last_order_at: datetime | None
    last_seen_at: datetime | None
    signed_up_at: datetime | None
    locale: str
    tag_ids: list[int]
    first_source_id: int | None
    last_source_id: int | None
    joined_at: datetime
    is_reachable: bool
    segment_ids: list[int]

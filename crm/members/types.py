"""Public values of members and their identities."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final


class MemberStatus(StrEnum):
    """Whether the member is there, joined into another one, or erased."""

    ACTIVE = "active"
    MERGED = "merged"
    ERASED = "erased"


@dataclass(frozen=True)
class Member:
    """One person. Phone and e-mail are masked; personal attributes are left out."""

    id: int
    display_name: str
    locale: str
    time_zone: str | None
    """IANA name in force; None means the brand's."""
    next_time_zone: str | None
    """What the member chose meanwhile; in force from `zone_changes_at`, the next local midnight."""
    zone_changes_at: datetime | None
    is_signed_up: bool
    signed_up_at: datetime | None
    birthday: date | None
    phone_masked: str | None
    is_phone_verified: bool
    email_masked: str | None
    attributes: dict[str, Any]
    status: MemberStatus
    merged_into_id: int | None
    first_source_id: int | None
    last_source_id: int | None
    is_demo: bool
    created_at: datetime
    last_seen_at: datetime
    version: int


@dataclass(frozen=True)
class Identity:
    """A member's account on one channel, as one bot sees it."""

    id: int
    member_id: int
    bot_id: int
    channel: str
    address: str
    display_name: str
    username: str | None
    is_reachable: bool
    unreachable_reason: str | None
    last_seen_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Contact:
    """Who wrote: the identity, its member, and whether this is the first contact."""

    identity: Identity
    member: Member
    is_new: bool


class Unset(Enum):
    """The type of `UNSET`: leave as it is, where None means empty."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True)
class MemberChanges:
    """What to change; a field that is left out stays. In `attributes` the value None removes a key."""

    display_name: str | Unset = UNSET
    locale: str | Unset = UNSET
    time_zone: str | Unset | None = UNSET
    birthday: date | Unset | None = UNSET
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MemberQuery:
    """Which members to list, newest first."""

    query: str = ""
    """Part of a name or username, a phone, its last four digits, an e-mail or channel address."""
    tag: int | None = None
    """Id of a tag that they carry; `tags.service.find` knows it by name."""
    stage: str | None = None
    channel: str | None = None
    source_id: int | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class MemberSummary:
    """One line of a list of members."""

    id: int
    display_name: str
    locale: str
    stage: str
    phone_masked: str | None
    points_balance: int
    tag_ids: list[int]
    channels: list[str]
    is_reachable: bool
    orders_count: int
    orders_total: Decimal
    signed_up_at: datetime | None
    last_seen_at: datetime
    is_demo: bool
    created_at: datetime


@dataclass(frozen=True)
class Merge:
    """One merge of two profiles."""

    id: int
    keep_id: int
    drop_id: int
    by: str
    merged_at: datetime
    undone_at: datetime | None
    undone_by: str | None

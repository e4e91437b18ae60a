"""Public values of the brand."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True)
class QuietHours:
    """When marketing waits, in the member's own time zone; may cross midnight."""

    start: time
    end: time


@dataclass(frozen=True)
class FrequencyCap:
    """At most `limit` marketing messages per member in `days` days."""

    limit: int
    days: int


class Shortfall(StrEnum):
    """What becomes of points that are taken back when the member has spent them already."""

    DEBT = "debt"
    """The member owes them; later earnings make them good first."""
    WRITE_OFF = "write_off"
    """The balance goes to zero and the programme bears the rest."""


@dataclass(frozen=True)
class Brand:
    """The one brand that this deployment serves."""

    name: str
    logo_media_id: UUID | None
    time_zone: str
    currency: str
    locales: list[str]
    default_locale: str
    embed_origins: list[str]
    quiet_hours: QuietHours | None
    frequency_cap: FrequencyCap | None
    terms: dict[str, str]
    """What a member agrees to at sign-up, by locale."""
    terms_version: str
    """Changes with the terms; stored with each consent."""
    points_shortfall: Shortfall = Shortfall.DEBT
    point_value: Decimal | None = None
    """What a point is worth in the brand's currency when it is redeemed; None: not said yet."""

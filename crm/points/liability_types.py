"""Public values of the report on outstanding points: what is owed to members, and what will probably run out."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Outstanding:
    """Points that run out in one month, seen from now: `step` is the time that is left, in steps of thirty days."""

    month: date | None
    """Its first day; None: they never run out."""
    step: int
    points: int


@dataclass(frozen=True)
class Bucket:
    """Of lots that have ended: what belongs to one step, to be added up from the longest step down."""

    step: int
    earned: int
    """Points of lots that were there this long before their end, and not longer."""
    spent: int
    """Points that were spent this long before the end, and not longer."""
    expired: int
    """Points of these lots that ran out at the end."""


@dataclass(frozen=True)
class Experience:
    """What became of points that were still unspent some days before their end."""

    days: int
    unspent: int
    expired: int

    @property
    def share(self) -> Fraction:
        """The part that ran out, 0 to 1."""
        return Fraction(self.expired, self.unspent)


@dataclass(frozen=True)
class ExpiryMonth:
    """What runs out in one month of the brand's time zone."""

    month: date
    points: int
    value: Decimal | None
    expected_breakage: int
    """Points that will probably run out unused, rounded down."""
    breakage_value: Decimal | None
    share: Decimal | None
    """`expected_breakage` of `points`, 0 to 1 with four decimals; None when no history speaks of it."""


@dataclass(frozen=True)
class Amount:
    """Points and what they are worth; the value is None as long as the brand has not said what a point is worth."""

    points: int
    value: Decimal | None


@dataclass(frozen=True)
class Observed:
    """A line of the history behind the expectation."""

    days_left: int
    unspent: int
    expired: int
    share: Decimal


@dataclass(frozen=True)
class Liability:
    """What the programme owes its members at a moment."""

    at: datetime
    currency: str
    point_value: Decimal | None
    """Money per point at redemption."""
    months: list[ExpiryMonth]
    """By month of expiry, the soonest first; months without points are left out."""
    never: Amount
    """Points without an expiry; none of them is expected to run out."""
    outstanding: Amount
    """All that members can spend: `months` and `never` together, which is the sum of all balances."""
    expected_breakage: Amount
    expected_redemption: Amount
    """What is outstanding less what will probably run out."""
    pending: Amount
    held: Amount
    debt: Amount
    """What members owe to later earnings; not set off against what is outstanding."""
    history_from: datetime
    """Lots that ended since then are the history."""
    history: list[Observed]

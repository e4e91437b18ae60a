"""How long points last: some months, to the end of a period, until a fixed day of the year, or for ever. Pure."""

from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from crm.kit.rules import Parameters
from crm.points.policy import MAX_MONTHS, months_later

_QUARTER, _YEAR = 3, 12
_LEAP_YEAR = 2028


class RoundTo(StrEnum):
    """Up to where the last day of points is moved."""

    EXACT = "exact"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class CountsFrom(StrEnum):
    """From when the validity of points that were pending is counted."""

    EARNING = "earning"
    ACTIVATION = "activation"


_MONTHS = {RoundTo.MONTH: 1, RoundTo.QUARTER: _QUARTER, RoundTo.YEAR: _YEAR}


class Validity(Parameters):
    """When points run out. The fields may stand among a rule's own parameters; all empty means never."""

    expires_after_months: int | None = Field(
        None, ge=1, le=MAX_MONTHS, description="Months after which these points run out; empty: never."
    )
    expires_round_to: RoundTo = Field(
        RoundTo.EXACT, description="Let them run until the end of that month, quarter or year."
    )
    expires_on: str | None = Field(
        None,
        pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
        description="The last day of each year on which they are good, such as 12-31; instead of rounding.",
    )
    expiry_counts_from: CountsFrom = Field(
        CountsFrom.EARNING, description="For points that start as pending: count from earning or from activation."
    )

    @model_validator(mode="after")
    def _agrees(self) -> "Validity":
        """Rounding needs months, and a fixed day is instead of it."""
        rounded = self.expires_round_to is not RoundTo.EXACT
        if rounded and self.expires_after_months is None:
            raise ValueError("rounding needs a number of months after which the points run out")
        if self.expires_on is None:
            return self
        if rounded:
            raise ValueError("choose a fixed day of the year or rounding, not both")
        month, day = _month_and_day(self.expires_on)
        try:
            date(_LEAP_YEAR, month, day)
        except ValueError as error:
            raise ValueError(f"there is no day {self.expires_on} in any year") from error
        return self

    def expires_at(self, earned_at: datetime, zone: ZoneInfo, activated_at: datetime | None = None) -> datetime | None:
        """The first moment at which they are no longer good; None for never.

        Days end at midnight of `zone`, the brand's. With months and a fixed day it is the first such day that lies
        at least that many months on. `activated_at` is given for points that were pending.
        """
        from_activation = self.expiry_counts_from is CountsFrom.ACTIVATION and activated_at is not None
        start = activated_at if from_activation and activated_at is not None else earned_at
        exact = months_later(start, self.expires_after_months)
        if self.expires_on is not None:
            return _after_day(self.expires_on, exact or start, zone)
        if exact is None or self.expires_round_to is RoundTo.EXACT:
            return exact
        return _after_period(exact, _MONTHS[self.expires_round_to], zone)


def _month_and_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _after_day(text: str, at: datetime, zone: ZoneInfo) -> datetime:
    """Midnight after the next such day; 29 February is 28 February in other years."""
    local = at.astimezone(zone).date()
    month, day = _month_and_day(text)
    last = _day(local.year, month, day)
    if last < local:
        last = _day(local.year + 1, month, day)
    return _midnight_after(last, zone)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _after_period(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The end of the period of `months` months that `at` lies in; what ends with a period stays there."""
    local = at.astimezone(zone)
    begins = local.replace(month=(local.month - 1) // months * months + 1, day=1, hour=0, minute=0, second=0)
    begins = begins.replace(microsecond=0, fold=0)
    if begins == local:
        return at
    ends = months_later(begins, months)
    return at if ends is None else _midnight(ends.date(), zone)


def _midnight_after(day: date, zone: ZoneInfo) -> datetime:
    return _midnight(date.fromordinal(day.toordinal() + 1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

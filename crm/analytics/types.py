"""Public values of analytics."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class DayCount:
    """How many on one local day of the brand."""

    day: date
    count: int


@dataclass(frozen=True)
class Dashboard:
    """The figures of the first page."""

    members: int
    """Signed up and active."""
    leads: int
    """Wrote, but have not signed up."""
    joined_today: int
    joined_this_week: int
    """In the last seven days, today included."""
    checked_in_today: int
    checked_in_yesterday: int
    active_this_week: int
    """Seen in the last seven days."""
    reachable: int
    points_outstanding: int
    campaigns_running: int
    joined_by_day: list[DayCount]
    """The last 30 days, oldest first, days without any included."""
    checked_in_by_day: list[DayCount]

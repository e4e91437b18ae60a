"""How much of outstanding points will probably run out, from what became of lots that have ended. Pure.

History is read by the time that was left: of the points that were still unspent so many days before their end, which
part ran out. Points without such a history are expected to be spent, so that a liability is never told too small.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from crm.points.liability_types import Amount, Bucket, Experience, ExpiryMonth, Observed, Outstanding

STEP_DAYS = 30
MIDDLE_DAYS = 15
"""A step is judged by its middle: what has 30 to 59 days left by what was unspent 45 days before the end."""
_CENT, _SHARE = Decimal("0.01"), Decimal("0.0001")


def experiences(buckets: Iterable[Bucket]) -> list[Experience]:
    """What history says, the shortest time left first; steps at which nothing was unspent are left out."""
    found, earned, spent, expired = [], 0, 0, 0
    for bucket in sorted(buckets, key=lambda item: -item.step):
        earned, spent, expired = earned + bucket.earned, spent + bucket.spent, expired + bucket.expired
        if earned > spent and bucket.step >= 0:
            days = bucket.step * STEP_DAYS + MIDDLE_DAYS
            found.append(Experience(days, earned - spent, min(expired, earned - spent)))
    return found[::-1]


def judged(known: Sequence[Experience], step: int) -> Experience | None:
    """What speaks for points with that much time left: their own step, else the next longer one, else nothing."""
    place = bisect_left([item.days for item in known], step * STEP_DAYS + MIDDLE_DAYS)
    return known[place] if place < len(known) else None


def by_month(
    outstanding: Iterable[Outstanding], known: Sequence[Experience], point_value: Decimal | None
) -> list[ExpiryMonth]:
    """The lines of the report, the soonest month first; points that never run out are left out."""
    months: dict[date, list[Outstanding]] = {}
    for item in outstanding:
        if item.month is not None:
            months.setdefault(item.month, []).append(item)
    return [_month(month, months[month], known, point_value) for month in sorted(months)]


def worth(points: int, point_value: Decimal | None) -> Amount:
    """Points with their value, to the cent."""
    value = None if point_value is None else (points * point_value).quantize(_CENT, ROUND_HALF_UP)
    return Amount(points, value)


def observed(known: Iterable[Experience]) -> list[Observed]:
    """The history as it is shown."""
    return [Observed(item.days, item.unspent, item.expired, _share(item.expired, item.unspent)) for item in known]


def _month(
    month: date, parts: Sequence[Outstanding], known: Sequence[Experience], point_value: Decimal | None
) -> ExpiryMonth:
    points, breakage, is_known = sum(part.points for part in parts), 0, False
    for part in parts:
        experience = judged(known, part.step)
        if experience is not None:
            is_known = True
            breakage += int(part.points * experience.share)
    return ExpiryMonth(
        month=month,
        points=points,
        value=worth(points, point_value).value,
        expected_breakage=breakage,
        breakage_value=worth(breakage, point_value).value,
        share=_share(breakage, points) if is_known else None,
    )


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / Decimal(whole)).quantize(_SHARE, ROUND_HALF_UP)

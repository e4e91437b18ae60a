"""Caps: which counters a rule's points fall under, and how many of them fit. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from crm.points.deciding import Verdict
from crm.points.terms import Over

EVER = date(1970, 1, 1)
"""Start of the period that never ends."""
ALL = 0
"""Stands for all rules, or for all members."""


class Counter(NamedTuple):
    """What counts the points of a rule, or of all, for a member, or for all, in a period."""

    rule_id: int
    member_id: int
    period: str
    starts_on: date


@dataclass(frozen=True)
class Budget:
    """The most that all rules together may give in a month."""

    month: int
    over: Over


@dataclass(frozen=True)
class Capped:
    """A verdict with the counters that it falls under, by their limits."""

    verdict: Verdict
    limits: Mapping[Counter, int]


def starts(day: date) -> dict[str, date]:
    """The first day of each period that `day` lies in."""
    week = day - timedelta(days=day.weekday())
    return {"day": day, "week": week, "month": day.replace(day=1), "ever": EVER}


def under(verdict: Verdict, member_id: int, day: date, budget: Budget | None) -> Capped:
    """The verdict of `member_id` on the brand's `day` with its limits; without caps there are none."""
    caps, begin = verdict.terms.caps, starts(day)
    limits: dict[Counter, int] = {}
    for owner, periods in ((member_id, ("day", "week", "month", "ever")), (ALL, ("month", "ever"))):
        for period in periods:
            limit = getattr(caps, f"{'member' if owner else 'rule'}_{period}")
            if limit is not None:
                limits[Counter(verdict.rule.id, owner, period, begin[period])] = limit
    if budget is not None:
        limits[Counter(ALL, ALL, "month", begin["month"])] = budget.month
    return Capped(verdict, limits)


def within(
    items: Sequence[Capped], used: Mapping[Counter, int], budget: Budget | None
) -> tuple[list[Verdict], dict[Counter, int]]:
    """The verdicts that still give something, cut to what is left, and what they add to which counter.

    Earlier ones take their share first, so `items` stand in order of rank.
    """
    added: dict[Counter, int] = {}
    left: list[Verdict] = []
    for item in items:
        points = _granted(item, {key: used.get(key, 0) + added.get(key, 0) for key in item.limits}, budget)
        if points > 0:
            left.append(replace(item.verdict, points=points))
            for key in item.limits:
                added[key] = added.get(key, 0) + points
    return left, added


def _granted(item: Capped, used: Mapping[Counter, int], budget: Budget | None) -> int:
    points = item.verdict.points
    for key, limit in item.limits.items():
        room = max(limit - used[key], 0)
        over = budget.over if budget is not None and key.rule_id == ALL else item.verdict.terms.caps.over
        if points > room:
            points = room if over is Over.PARTIAL else 0
    return points

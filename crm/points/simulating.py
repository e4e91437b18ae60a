"""What a set of rules would give for a run of events, with caps, groups and budgets, kept in small counters. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.points import capping, deciding
from crm.points.capping import ALL, Budget, Capped, Counter
from crm.points.deciding import Verdict
from crm.points.facts import Situation
from crm.points.types import EarningRule

_MOST_FAILURES = 5
Tally = dict[str, list[Any]]
"""Of one member or of all: `rule:period` -> [first day of the period, points]."""


@dataclass
class World:
    """One set of rules with what it gave so far; all but the rules goes through JSON between batches."""

    rules: Sequence[EarningRule]
    budget: Budget | None
    zone: ZoneInfo
    everybody: Tally = field(default_factory=dict)
    by_rule: dict[str, list[int]] = field(default_factory=dict)
    """Rule -> [points, awards]."""
    by_day: dict[str, int] = field(default_factory=dict)
    withheld: int = 0
    """Points that caps and budgets kept back."""
    failures: dict[str, int] = field(default_factory=dict)
    _judged: dict[str, list[EarningRule]] = field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("everybody", "by_rule", "by_day", "withheld", "failures")
        return {name: getattr(self, name) for name in names}

    def meets(self, kind: str, at: datetime, names: Iterable[str]) -> list[EarningRule]:
        """The rules for an event of that kind, within their own validity."""
        if kind not in self._judged:
            reacting = set(names)
            self._judged[kind] = [rule for rule in self.rules if rule.kind in reacting]
        return [rule for rule in self._judged[kind] if _is_valid(rule, at)]

    def give(self, rules: Sequence[EarningRule], situation: Situation, mine: Tally) -> int:
        """What the event earns; counts it."""
        verdicts = [deciding.judge(rule, situation) for rule in rules]
        for verdict in verdicts:
            if verdict.failure and (verdict.failure in self.failures or len(self.failures) < _MOST_FAILURES):
                self.failures[verdict.failure] = self.failures.get(verdict.failure, 0) + 1
        due = [item for item in deciding.stacked(verdicts) if not _is_spent(item, mine)]
        day = situation.at.astimezone(self.zone).date()
        given = self._cut(due, day, mine)
        for item in given:
            self._count(item, day, mine)
        self.withheld += sum(item.points for item in due) - sum(item.points for item in given)
        return sum(item.points for item in given)

    def _cut(self, due: list[Verdict], day: date, mine: Tally) -> list[Verdict]:
        if self.budget is None and not any(item.terms.caps.is_set for item in due):
            return due
        items: list[Capped] = [capping.under(item, _SELF, day, self.budget) for item in due]
        used = {key: _held(mine if key.member_id else self.everybody, key) for item in items for key in item.limits}
        given, added = capping.within(items, used, self.budget)
        for key, points in added.items():
            tally = mine if key.member_id else self.everybody
            tally[_name(key)] = [key.starts_on.isoformat(), used[key] + points]
        return given

    def _count(self, item: Verdict, day: date, mine: Tally) -> None:
        if item.terms.is_once:
            mine[f"{item.rule.id}:once"] = [day.isoformat(), item.points]
        counted = self.by_rule.setdefault(str(item.rule.id), [0, 0])
        counted[0] += item.points
        counted[1] += 1
        self.by_day[day.isoformat()] = self.by_day.get(day.isoformat(), 0) + item.points


_SELF = 1
"""Any number but that of all members: a tally is of one member alone."""


def world(
    rules: Sequence[EarningRule], budget: Budget | None, zone: ZoneInfo, state: Mapping[str, Any] | None
) -> World:
    """Go on from `state`, or begin."""
    return World(rules, budget, zone, **(state or {}))


def days_between(first: datetime, last: datetime, zone: ZoneInfo) -> list[str]:
    """Every day from first to last, in the brand's zone."""
    begin, end = first.astimezone(zone).date(), last.astimezone(zone).date()
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def _is_valid(rule: EarningRule, at: datetime) -> bool:
    return (rule.valid_from is None or rule.valid_from <= at) and (rule.valid_until is None or at < rule.valid_until)


def _is_spent(item: Verdict, mine: Tally) -> bool:
    return item.terms.is_once and f"{item.rule.id}:once" in mine


def _name(key: Counter) -> str:
    return f"{key.rule_id}:{key.period}"


def _held(tally: Tally, key: Counter) -> int:
    """What the counter holds; one of an earlier period holds nothing now."""
    starts_on, points = tally.get(_name(key), (None, 0))
    return int(points) if starts_on == key.starts_on.isoformat() else 0


assert ALL != _SELF

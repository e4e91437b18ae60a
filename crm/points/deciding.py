"""What rules give for one event: kind, audience, condition, formula, multipliers, stacking. Pure; caps come later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import groupby

from crm.points import facts, formulas
from crm.points.facts import Situation
from crm.points.formulas import FormulaError
from crm.points.kinds import RuleParameters, kind_named
from crm.points.starting import AT_ONCE, Starting
from crm.points.terms import NONE, Audience, BirthdayPeriod, Stacking, Terms, Window, terms_of
from crm.points.types import MAX_POINTS, EarningRule
from crm.points.validity import RoundTo
from crm.profiles.types import Profile

_WEEK = 3
"""Days before and after a birthday that belong to its week."""
_ONE = Fraction(1)


@dataclass(frozen=True)
class Verdict:
    """What one rule says to one event."""

    rule: EarningRule
    base: int
    """Points of the kind by itself."""
    points: int
    refused_by: str = ""
    """What said no: kind, audience, when, window, formula or failure."""
    multiplier: Fraction = _ONE
    failure: str = ""
    """Why a formula or condition failed."""
    expires_at: datetime | None = None
    terms: Terms = NONE
    starting: Starting = AT_ONCE
    """When the points become spendable."""


def needs_zone(rules: Iterable[EarningRule]) -> bool:
    """Whether the brand's time zone matters to any of them."""
    return any(bool(rule.terms) or _is_rounded(rule) for rule in rules)


def needs_birthday(rules: Iterable[EarningRule]) -> bool:
    """Whether any of them asks for the member's birthday."""
    return any(_asks_birthday(terms_of(rule.terms)) for rule in rules if rule.terms)


def judge(rule: EarningRule, situation: Situation) -> Verdict:
    """What the rule gives by itself, before other rules and caps are looked at."""
    kind = kind_named(rule.kind)
    parameters = kind.parameters.model_validate(rule.parameters)
    terms = terms_of(rule.terms)
    base = min(kind.points(parameters, situation.event, situation.profile), MAX_POINTS)
    if base <= 0:
        return Verdict(rule, 0, 0, "kind", terms=terms)
    if terms is NONE:
        return Verdict(rule, base, base, expires_at=_expires(parameters, situation), starting=parameters)
    return _with_terms(Verdict(rule, base, base, terms=terms), parameters, situation)


def stacked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that give something: of each group one, highest priority first, else the oldest rule."""
    giving = sorted((item for item in verdicts if item.points > 0), key=_rank)
    alone = [item for item in giving if not item.terms.group]
    grouped = sorted((item for item in giving if item.terms.group), key=lambda item: item.terms.group)
    chosen = [_chosen(list(items)) for _, items in groupby(grouped, key=lambda item: item.terms.group)]
    return sorted([*alone, *chosen], key=_rank)


def _with_terms(verdict: Verdict, parameters: RuleParameters, situation: Situation) -> Verdict:
    terms, base, rule = verdict.terms, verdict.base, verdict.rule
    if not fits(terms.audience, situation.profile):
        return Verdict(rule, base, 0, "audience", terms=terms)
    window = _window(terms, situation.local)
    if window is None:
        return Verdict(rule, base, 0, "window", terms=terms)
    try:
        if terms.when and not formulas.truth(terms.when, _values(terms.when, situation, base)):
            return Verdict(rule, base, 0, "when", terms=terms)
        exact = Fraction(base)
        if terms.formula:
            exact = formulas.number(terms.formula, _values(terms.formula, situation, base))
    except FormulaError as error:
        return Verdict(rule, base, 0, "failure", failure=str(error), terms=terms)
    multiplier = window * _tier(terms, situation.profile) * _birthday(terms, situation)
    points = min(int(exact * multiplier), MAX_POINTS)
    refused = "" if points else "formula"
    expires_at = _expires(parameters, situation)
    return Verdict(rule, base, points, refused, multiplier, "", expires_at, terms, parameters)


def fits(audience: Audience, profile: Profile) -> bool:
    """Whether the member is one of those for whom the rule is."""
    return (
        (not audience.stages or profile.stage in audience.stages)
        and (not audience.grades or profile.grade in audience.grades)
        and (not audience.tiers or profile.tier in audience.tiers)
        and (not audience.tag_ids or not set(audience.tag_ids).isdisjoint(profile.tag_ids))
        and (not audience.segment_ids or not set(audience.segment_ids).isdisjoint(profile.segment_ids))
    )


def is_open(window: Window, local: datetime) -> bool:
    """Whether the wall clock lies in the window; after midnight it still belongs to the day on which it began."""
    clock = local.time().replace(tzinfo=None)
    begins, ends = window.from_time or time.min, window.until_time
    day = local.date()
    if ends is not None and begins > ends:
        if clock < ends:
            day -= timedelta(days=1)
        elif clock < begins:
            return False
    elif clock < begins or (ends is not None and clock >= ends):
        return False
    in_days = (window.from_day or day) <= day <= (window.until_day or day)
    return in_days and (not window.weekdays or day.isoweekday() in window.weekdays)


def _window(terms: Terms, local: datetime) -> Fraction | None:
    """The multiplier of the moment; None when the rule gives nothing now."""
    found = [Fraction(window.multiplier) for window in terms.windows if is_open(window, local)]
    return max(found) if found else (None if terms.only_in_windows else _ONE)


def _tier(terms: Terms, profile: Profile) -> Fraction:
    if terms.uses_tier:
        return Fraction(profile.multiplier)
    return Fraction(terms.tier_multipliers.get(profile.tier or "", 1))


def _birthday(terms: Terms, situation: Situation) -> Fraction:
    if terms.birthday_multiplier is None or situation.birthday is None:
        return _ONE
    today = situation.local.date()
    days = abs(facts.days_to_birthday(situation.birthday, today))
    is_now = {
        BirthdayPeriod.DAY: days == 0,
        BirthdayPeriod.WEEK: days <= _WEEK,
        BirthdayPeriod.MONTH: situation.birthday.month == today.month,
    }
    return Fraction(terms.birthday_multiplier) if is_now[terms.birthday_period] else _ONE


def _values(source: str, situation: Situation, base: int) -> dict[str, object]:
    return facts.values(situation, base, formulas.names_in(source))


def _expires(parameters: RuleParameters, situation: Situation) -> datetime | None:
    return parameters.expires_at(situation.at, situation.zone)


def _is_rounded(rule: EarningRule) -> bool:
    rounds = rule.parameters.get("expires_round_to", RoundTo.EXACT) != RoundTo.EXACT
    return rounds or rule.parameters.get("expires_on") is not None


def _asks_birthday(terms: Terms) -> bool:
    return terms.birthday_multiplier is not None or any(
        _mentions_birthday(source) for source in (terms.when, terms.formula) if source
    )


@lru_cache(maxsize=1024)
def _mentions_birthday(source: str) -> bool:
    try:
        return "birthday" in formulas.names_in(source)
    except FormulaError:
        return False


def _rank(verdict: Verdict) -> tuple[int, int]:
    return -verdict.terms.priority, verdict.rule.id


def _chosen(group: list[Verdict]) -> Verdict:
    """`group` stands in order of rank; its first rule says how to choose."""
    if group[0].terms.stacking is Stacking.FIRST:
        return group[0]
    return max(group, key=lambda item: (item.points, item.terms.priority, -item.rule.id))

"""What makes a tier programme and a grant valid. Pure."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from crm.kit.localized import clean_names
from crm.kit.text import clean_name
from crm.tiers.errors import InvalidGrant, InvalidProgramme
from crm.tiers.types import Downgrade, Measure, Rules, Tier, Window

MAX_TIERS, MAX_MONTHS, MAX_DAYS, MAX_REASON = 10, 60, 366, 200
MAX_MEASURE, MAX_MULTIPLIER = Decimal(10) ** 12, Decimal(100)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
_CENT, _THOUSANDTH = Decimal("0.01"), Decimal("0.001")
_LONGEST_GRANT = timedelta(days=5 * 366)


def check_rules(rules: Rules) -> Rules:
    """`rules` with cleaned names. Raises InvalidProgramme with `problems` by path, the first one as its detail."""
    cleaned = replace(rules, tiers=[replace(tier, name=clean_names(tier.name)) for tier in rules.tiers])
    problems = _frame_problems(cleaned)
    for number, tier in enumerate(cleaned.tiers):
        problems |= {f"tiers.{number}.{path}": said for path, said in _tier_problems(cleaned.measure, tier).items()}
    if not problems:
        problems = _order_problems(cleaned.tiers)
    if problems:
        raise InvalidProgramme(next(iter(problems.values())), problems=problems)
    return cleaned


def check_grant(reason: str, until: datetime, now: datetime) -> str:
    """The reason on one line. Raises InvalidGrant."""
    said = clean_name(reason)[:MAX_REASON]
    if not said:
        raise InvalidGrant("say why the tier is given by hand")
    if until.tzinfo is None:
        raise InvalidGrant("the end of a grant needs its offset from UTC, such as 2026-12-31T00:00:00+08:00")
    if not now < until <= now + _LONGEST_GRANT:
        raise InvalidGrant("a grant ends in the future, at most five years from now")
    return said


def _frame_problems(rules: Rules) -> dict[str, str]:
    found = {}
    if not 1 <= len(rules.tiers) <= MAX_TIERS:
        found["tiers"] = f"a programme has 1 to {MAX_TIERS} tiers"
    if rules.window is Window.ROLLING and not 1 <= (rules.months or 0) <= MAX_MONTHS:
        found["months"] = f"a rolling window has 1 to {MAX_MONTHS} months"
    if rules.window is not Window.ROLLING and rules.months is not None:
        found["months"] = "only a rolling window has a number of months; leave it empty"
    if not 0 <= rules.grace_days <= MAX_DAYS:
        found["grace_days"] = f"the grace period has 0 to {MAX_DAYS} days"
    if not 0 <= rules.at_risk_days <= MAX_DAYS:
        found["at_risk_days"] = f"members are warned 0 to {MAX_DAYS} days before"
    if rules.downgrade is Downgrade.ONE_STEP and rules.grace_days == 0:
        found["grace_days"] = "one step at a time needs a grace period of at least 1 day between the steps"
    return found


def _tier_problems(measure: Measure, tier: Tier) -> dict[str, str]:
    found = {}
    if not _KEY.fullmatch(tier.key):
        found["key"] = "a key is 1 to 30 of a-z, 0-9 and _, with a letter first, such as gold"
    if not tier.name:
        found["name"] = "a tier needs a name in at least one language"
    step = _CENT if measure is Measure.SPEND else Decimal(1)
    for path, value in (("enter", tier.enter), ("keep", tier.keep)):
        if not value.is_finite() or not 0 <= value <= MAX_MEASURE or value != value.quantize(step):
            unit = "an amount with at most two decimals" if measure is Measure.SPEND else "a whole number"
            found[path] = f"a threshold is {unit} from 0 to {MAX_MEASURE:f}"
    factor = tier.multiplier
    if not factor.is_finite() or not 0 < factor <= MAX_MULTIPLIER or factor != factor.quantize(_THOUSANDTH):
        found["multiplier"] = f"a multiplier is above 0, at most {MAX_MULTIPLIER:f}, with at most three decimals"
    if not found and tier.keep > tier.enter:
        found["keep"] = f"{tier.key}: keeping the tier ({tier.keep:f}) cannot ask for more than entry ({tier.enter:f})"
    return found


def _order_problems(tiers: list[Tier]) -> dict[str, str]:
    """Thresholds must rise, and what a tier is kept by must not lie in the range of the tier below."""
    found: dict[str, str] = {}
    for number, tier in enumerate(tiers):
        if tier.key in {other.key for other in tiers[:number]}:
            found[f"tiers.{number}.key"] = f"two tiers have the key {tier.key}"
        if not number:
            continue
        below = tiers[number - 1]
        if tier.enter <= below.enter:
            found[f"tiers.{number}.enter"] = (
                f"{tier.key} must ask for more than {below.key} below it: {tier.enter:f} is not above {below.enter:f}"
            )
        elif tier.keep < below.enter:
            found[f"tiers.{number}.keep"] = (
                f"{tier.key} and {below.key} overlap: {tier.key} would be kept with {tier.keep:f}, "
                f"but {below.key} is only entered with {below.enter:f}"
            )
    return found

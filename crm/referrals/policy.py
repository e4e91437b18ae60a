"""Pure decisions about referrals: what a programme may say, what counts as first contact, which level comes next."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from crm.kit.localized import LOCALES
from crm.kit.text import clean_name, clean_text
from crm.points.types import MAX_POINTS
from crm.referrals.errors import InvalidReferralProgramme, ReasonMissing
from crm.referrals.types import Act, Gift, Level, Limits, Terms

PREFIX = "i-"
"""Codes of personal links begin so; what follows is random."""
CODE_BYTES = 12
CODE = re.compile(r"i-[A-Za-z0-9_-]{16}")
FIRST_CONTACT = timedelta(minutes=1)
"""A chat is opened and its owner made known within one update; a little is left for an update that is tried again."""
MAX_LEVELS, MAX_FRIENDS, MAX_DAYS, MAX_RATE = 10, 10_000, 3660, 10_000
MAX_MONEY = Decimal(1_000_000)
MAX_HEADLINE, MAX_REASON, MAX_PERCENT = 60, 200, 100


def is_first_contact(created_at: datetime, now: datetime, *, is_signed_up: bool, has_source: bool) -> bool:
    """Whether a member is new enough to be somebody's friend."""
    return not is_signed_up and not has_source and now - created_at <= FIRST_CONTACT


def is_running(is_active: bool, starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> bool:
    """Whether friends who come now are bound."""
    return is_active and (starts_at is None or starts_at <= now) and (ends_at is None or now < ends_at)


def overlap(one: Terms, other: Terms) -> bool:
    """Whether the windows of two programmes have a moment in common."""
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: Terms, other: Terms) -> bool:
    return one.starts_at is None or other.ends_at is None or one.starts_at < other.ends_at


def next_level(levels: Sequence[Level], qualified: int) -> Level | None:
    """The next level that is still ahead."""
    return next((level for level in levels if level.friends > qualified), None)


def check_name(name: str) -> str:
    """The name for operators. Raises InvalidReferralProgramme."""
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidReferralProgramme("a programme needs a name", path="name")
    return cleaned


def check_headline(headline: dict[str, str]) -> dict[str, str]:
    """One line by locale, at most 60 characters. Raises InvalidReferralProgramme."""
    strange = [locale for locale in headline if locale not in LOCALES]
    if strange:
        raise InvalidReferralProgramme(f"a headline is written in {' or '.join(LOCALES)}", path="headline")
    cleaned = {locale: " ".join(clean_text(text).split()) for locale, text in headline.items()}
    if any(len(text) > MAX_HEADLINE for text in cleaned.values()):
        raise InvalidReferralProgramme(f"a headline has at most {MAX_HEADLINE} characters", path="headline")
    return {locale: text for locale, text in cleaned.items() if text}


def check_reason(reason: str) -> str:
    """Why an operator decided so. Raises ReasonMissing."""
    cleaned = " ".join(clean_text(reason).split())
    if not 1 <= len(cleaned) <= MAX_REASON:
        raise ReasonMissing(path="reason")
    return cleaned


def check_terms(terms: Terms) -> Terms:
    """The terms, if they make sense. Raises InvalidReferralProgramme, which says what to change."""
    for name, gift in (("referrer", terms.referrer), ("friend", terms.friend)):
        _check_gift(gift, name)
    _check_levels(terms.levels)
    if terms.referrer.is_empty and terms.friend.is_empty and not terms.levels:
        raise InvalidReferralProgramme("give something to the referrer, to the friend, or for a level", path="referrer")
    if not 0 <= terms.second_percent <= MAX_PERCENT:
        raise InvalidReferralProgramme("the second level's share is 0 to 100 per cent", path="second_percent")
    if terms.second_percent and not terms.referrer.points:
        raise InvalidReferralProgramme("a second level needs points for the referrer to share", path="second_percent")
    _check_order(terms)
    _check_between("qualify_days", terms.qualify_days, MAX_DAYS)
    _check_between("points_last_days", terms.points_last_days, MAX_DAYS)
    if terms.starts_at is not None and terms.ends_at is not None and terms.ends_at <= terms.starts_at:
        raise InvalidReferralProgramme("the end must come after the start", path="ends_at")
    _check_limits(terms.limits)
    return terms


def _check_gift(gift: Gift, path: str) -> None:
    if not 0 <= gift.points <= MAX_POINTS:
        raise InvalidReferralProgramme(f"points are whole numbers from 0 to {MAX_POINTS}", path=path)


def _check_levels(levels: Sequence[Level]) -> None:
    if len(levels) > MAX_LEVELS:
        raise InvalidReferralProgramme(f"a programme has at most {MAX_LEVELS} levels", path="levels")
    steps = [level.friends for level in levels]
    if any(not 1 <= step <= MAX_FRIENDS for step in steps) or steps != sorted(set(steps)):
        raise InvalidReferralProgramme("levels ask for more and more friends, 1 to 10000", path="levels")
    for level in levels:
        _check_gift(level.gift, "levels")
        if level.gift.is_empty:
            raise InvalidReferralProgramme(f"the level of {level.friends} friends gives nothing", path="levels")


def _check_order(terms: Terms) -> None:
    if terms.minimum_order is None:
        return
    if terms.act is not Act.ORDER:
        raise InvalidReferralProgramme(
            "a minimum belongs to the first order; choose that as the act", path="minimum_order"
        )
    if not 0 <= terms.minimum_order <= MAX_MONEY:
        raise InvalidReferralProgramme(f"the smallest order is 0 to {MAX_MONEY}", path="minimum_order")


def _check_limits(limits: Limits) -> None:
    _check_between("per_referrer", limits.per_referrer, MAX_FRIENDS)
    _check_between("per_hour", limits.per_hour, MAX_RATE)
    _check_between("per_day", limits.per_day, MAX_RATE)
    budget = limits.budget_points
    if budget is not None and not 0 <= budget <= 10**15:
        raise InvalidReferralProgramme("a budget is 0 to 1e15 points", path="budget_points")


def _check_between(path: str, number: int | None, most: int) -> None:
    if number is not None and not 1 <= number <= most:
        raise InvalidReferralProgramme(f"{path} is a whole number from 1 to {most}", path=path)

"""Pure decisions about activities: what makes sense, who may register, when the door is open, what is told when."""

import re
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from crm.activities.errors import (
    ActivityFull,
    ActivityNotOpen,
    ActivityNotYet,
    ActivitySegment,
    ActivityTier,
    InvalidActivity,
    RegistrationOver,
)
from crm.activities.types import Activity, ActivityStatus, NewActivity, Terms
from crm.kit.errors import DomainError
from crm.kit.localized import clean_names, clean_texts
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile

MAX_CAPACITY, MAX_TIERS, MAX_SEGMENTS, MAX_REMINDERS, MAX_HOURS = 1_000_000, 50, 50, 5, 24 * 60
MAX_DESCRIPTION, MAX_PLACE = 1000, 200
MAX_LENGTH = timedelta(days=366)
EARLY = timedelta(hours=2)
"""How long before the start the door opens."""
CLOSED_AFTER = timedelta(days=1)
"""How long after its end an activity is closed by itself; until then the shop completes the list."""
CODE_LENGTH = 8
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what is mistaken for something else."""
_NOT_CODE = re.compile(r"[^0-9A-Z]")
_HOUR = timedelta(hours=1)


def new_code() -> str:
    """Eight characters that nobody guesses (40 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def clean_code(text: str) -> str:
    """A code as it was typed or scanned, in the form in which it is kept; for what cannot be one: something else."""
    return _NOT_CODE.sub("", text[:100].upper())[: CODE_LENGTH + 1]


def check_new(new: NewActivity) -> NewActivity:
    """`new` with cleaned texts. Raises InvalidActivity."""
    name = clean_names(new.name)
    if not name:
        raise InvalidActivity("an activity needs a name in at least one language", path="name")
    return replace(
        new,
        name=name,
        description=_check_text(new.description, "a description", MAX_DESCRIPTION),
        place=_check_text(new.place, "a place", MAX_PLACE),
        terms=check_terms(new.terms),
    )


def _check_text(texts: dict[str, str], what: str, most: int) -> dict[str, str]:
    cleaned = clean_texts(texts)
    if any(len(text) > most for text in cleaned.values()):
        raise InvalidActivity(f"{what} has at most {most} characters")
    return cleaned


def check_terms(terms: Terms) -> Terms:
    """Terms with reminders in their order. Raises InvalidActivity."""
    _check_times(terms)
    if terms.capacity is not None and not 1 <= terms.capacity <= MAX_CAPACITY:
        raise InvalidActivity(
            f"capacity is a whole number from 1 to {MAX_CAPACITY}, or empty for no limit", path="capacity"
        )
    if not 0 <= terms.points <= MAX_POINTS:
        raise InvalidActivity("a place costs 0 to 1000000000 points", path="points")
    if len(terms.tiers) > MAX_TIERS:
        raise InvalidActivity(f"at most {MAX_TIERS} tiers", path="tiers")
    if len(terms.segment_ids) > MAX_SEGMENTS or any(segment_id < 1 for segment_id in terms.segment_ids):
        raise InvalidActivity(f"at most {MAX_SEGMENTS} segments, by their numbers")
    if any(not 0 <= hours <= MAX_HOURS for hours in (terms.cancel_hours, terms.feedback_hours)):
        raise InvalidActivity(f"hours are whole numbers from 0 to {MAX_HOURS}")
    reminders = sorted(set(terms.reminder_hours), reverse=True)
    if len(reminders) > MAX_REMINDERS or any(not 1 <= hours <= MAX_HOURS for hours in reminders):
        raise InvalidActivity(f"at most {MAX_REMINDERS} reminders, each 1 to {MAX_HOURS} hours before the start")
    return replace(terms, reminder_hours=reminders, segment_ids=sorted(set(terms.segment_ids)))


def _check_times(terms: Terms) -> None:
    times = (terms.starts_at, terms.ends_at, terms.opens_at, terms.closes_at)
    if any(at is not None and at.tzinfo is None for at in times):
        raise InvalidActivity("times need a time zone, such as 2026-03-01T14:00:00+08:00")
    if not timedelta() < terms.ends_at - terms.starts_at <= MAX_LENGTH:
        raise InvalidActivity("the end must be later than the start, by a year at most", path="ends_at")
    if terms.closes_at is not None and terms.closes_at > terms.ends_at:
        raise InvalidActivity("registration ends before the activity does", path="closes_at")
    opens_at = terms.opens_at
    if opens_at is not None and opens_at >= registration_ends(terms):
        raise InvalidActivity("registration must begin before it ends", path="opens_at")


def registration_ends(terms: Terms) -> datetime:
    """When nobody can register any more."""
    return terms.closes_at or terms.starts_at


def obstacle(activity: Activity, who: Profile, now: datetime) -> DomainError | None:
    """The first reason why the member cannot register now, points aside; None: they can, or can wait."""
    terms = activity.terms
    obstacles: tuple[tuple[bool, DomainError], ...] = (
        (activity.status is not ActivityStatus.PUBLISHED, ActivityNotOpen()),
        (now >= registration_ends(terms), RegistrationOver()),
        (bool(terms.tiers) and who.tier not in terms.tiers, ActivityTier(tiers=terms.tiers)),
        (bool(terms.segment_ids) and set(terms.segment_ids).isdisjoint(who.segment_ids), ActivitySegment()),
        (terms.opens_at is not None and now < terms.opens_at, ActivityNotYet(starts_at=terms.opens_at)),
        (activity.is_full and not terms.has_waiting_list, ActivityFull()),
    )
    return next((error for holds, error in obstacles if holds), None)


def gets_points_back(terms: Terms, now: datetime) -> bool:
    """Whether a member who cancels now is in time."""
    return now <= terms.starts_at - terms.cancel_hours * _HOUR


def is_door_open(activity: Activity, now: datetime, *, by_member: bool) -> bool:
    """Whether one can check in: members until the end, the shop until the list is closed."""
    is_on = activity.status is ActivityStatus.PUBLISHED and now >= activity.terms.starts_at - EARLY
    return is_on and (not by_member or now <= activity.terms.ends_at)


def next_reminder(terms: Terms, now: datetime) -> datetime | None:
    """When those with a place are reminded next; None: not any more."""
    moments = [terms.starts_at - hours * _HOUR for hours in terms.reminder_hours]
    return min((moment for moment in moments if moment > now), default=None)


def hours_ahead(terms: Terms, now: datetime) -> int:
    """Hours until the start, rounded; at least 1."""
    return max(1, round((terms.starts_at - now) / _HOUR))


def asks_at(terms: Terms, now: datetime) -> datetime | None:
    """When somebody who is checked in now is asked how it was; None: never."""
    return None if terms.survey_id is None else max(now, terms.ends_at + terms.feedback_hours * _HOUR)

"""Pure decisions about missions: what makes sense, which events count, in which window."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from crm.kit.localized import clean_names, clean_texts
from crm.kit.text import clean_name
from crm.missions.errors import InvalidBadge, InvalidMission
from crm.missions.types import Comparison, Filter, Mission, NewMission, Rewards, Step, Window
from crm.points.types import MAX_POINTS

MAX_STEPS, MAX_COUNT, MAX_FILTERS, MAX_DESCRIPTION, MAX_EMOJI, MAX_CHANCES = 10, 10_000, 5, 1000, 16, 1000
MAX_FIELD, MAX_VALUE, MAX_TIERS = 64, 200, 50
COUNTED_KINDS = frozenset(
    {
        *{"member_signed_up", "member_updated", "checked_in", "survey_completed", "order_placed", "button_tapped"},
        *{"referral_qualified", "reward_redeemed", "voucher_used", "draw_played", "activity_attended", "custom"},
    }
)
"""Events that steps may ask for. What missions give is not among them, so none completes itself."""


def check_new(new: NewMission) -> NewMission:
    """`new` with cleaned texts. Raises InvalidMission."""
    if not 1 <= len(new.steps) <= MAX_STEPS:
        raise InvalidMission(f"a mission has 1 to {MAX_STEPS} steps", path="steps")
    if len(new.tiers) > MAX_TIERS:
        raise InvalidMission(f"at most {MAX_TIERS} tiers", path="tiers")
    times = [at for at in (new.starts_at, new.ends_at) if at is not None]
    if any(at.tzinfo is None for at in times):
        raise InvalidMission("starts_at and ends_at need a time zone, such as 2026-03-01T00:00:00+08:00")
    if new.starts_at is not None and new.ends_at is not None and new.ends_at <= new.starts_at:
        raise InvalidMission("the end must be later than the start", path="ends_at")
    return replace(
        new,
        name=check_name(new.name),
        description=check_description(new.description),
        steps=tuple(_checked_step(step) for step in new.steps),
        rewards=check_rewards(new.rewards),
    )


def check_name(name: Mapping[str, str]) -> dict[str, str]:
    """Names by locale. Raises InvalidMission."""
    cleaned = clean_names(name)
    if not cleaned:
        raise InvalidMission("a name is needed in at least one language", path="name")
    return cleaned


def check_description(description: Mapping[str, str]) -> dict[str, str]:
    """Descriptions by locale. Raises InvalidMission."""
    cleaned = clean_texts(description)
    if any(len(text) > MAX_DESCRIPTION for text in cleaned.values()):
        raise InvalidMission(f"a description has at most {MAX_DESCRIPTION} characters", path="description")
    return cleaned


def check_emoji(emoji: str) -> str:
    """A short sign. Raises InvalidBadge."""
    cleaned = clean_name(emoji)
    if not 1 <= len(cleaned) <= MAX_EMOJI:
        raise InvalidBadge(f"a badge has an emoji of 1 to {MAX_EMOJI} characters", path="emoji")
    return cleaned


def check_rewards(rewards: Rewards) -> Rewards:
    """Raises InvalidMission."""
    if not 0 <= rewards.points <= MAX_POINTS:
        raise InvalidMission("points are 0 to 1000000000", path="points")
    if (rewards.draw_id is None) != (rewards.draw_chances == 0) or not 0 <= rewards.draw_chances <= MAX_CHANCES:
        raise InvalidMission(f"chances are 1 to {MAX_CHANCES} and name their draw", path="draw_chances")
    return rewards


def _checked_step(step: Step) -> Step:
    if step.event not in COUNTED_KINDS:
        raise InvalidMission(
            f"{step.event!r} cannot be a step; events that can: {', '.join(sorted(COUNTED_KINDS))}", path="steps"
        )
    if not 1 <= step.count <= MAX_COUNT:
        raise InvalidMission(f"a step asks for 1 to {MAX_COUNT} events", path="steps")
    if len(step.where) > MAX_FILTERS:
        raise InvalidMission(f"a step has at most {MAX_FILTERS} filters", path="steps")
    for one in step.where:
        if not 1 <= len(one.field) <= MAX_FIELD or not 1 <= len(one.value) <= MAX_VALUE:
            raise InvalidMission("a filter names a field and a value", path="steps")
        if one.test is not Comparison.EQUALS and _number(one.value) is None:
            raise InvalidMission("at_least and at_most compare with a number", path="steps")
    return step


def is_open(mission: Mission, at: datetime) -> bool:
    """Whether what happens at `at` counts: never before the mission was there."""
    begins = mission.starts_at or mission.created_at
    return mission.is_active and begins <= at and (mission.ends_at is None or at < mission.ends_at)


def steps_for(mission: Mission, kind: str, data: Mapping[str, Any]) -> list[int]:
    """Which steps the event counts for."""
    return [
        index
        for index, step in enumerate(mission.steps)
        if step.event == kind and all(_holds(one, data) for one in step.where)
    ]


def window_key(window: Window, at: datetime, zone: ZoneInfo) -> str:
    """The window that `at` falls into by the member's own days: `once`, `2026-03-01`, `2026-W09` or `2026-03`."""
    day = at.astimezone(zone).date()
    match window:
        case Window.ONCE:
            return "once"
        case Window.DAILY:
            return day.isoformat()
        case Window.WEEKLY:
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case Window.MONTHLY:
            return f"{day:%Y-%m}"


def counted(mission: Mission, counts: tuple[int, ...], steps: list[int]) -> tuple[int, ...]:
    """One more for each of `steps`, never more than is asked for."""
    return tuple(
        min(step.count, count + (index in steps))
        for index, (step, count) in enumerate(zip(mission.steps, counts, strict=True))
    )


def is_done(mission: Mission, counts: tuple[int, ...]) -> bool:
    """Whether every step is."""
    return all(count >= step.count for step, count in zip(mission.steps, counts, strict=True))


def _holds(one: Filter, data: Mapping[str, Any]) -> bool:
    found: Any = data
    for part in one.field.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None or isinstance(found, list | Mapping):
        return False
    wanted, number = _number(one.value), _number(str(found))
    if one.test is Comparison.EQUALS:
        is_same_number = wanted is not None and wanted == number
        said = str(found).lower() if isinstance(found, bool) else str(found)
        return is_same_number or said == one.value
    if wanted is None or number is None or isinstance(found, bool):
        return False
    return number >= wanted if one.test is Comparison.AT_LEAST else number <= wanted


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

"""What operators choose about check-ins: the programme's one row, and the milestones of streaks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins.errors import InvalidCheckInProgramme, InvalidMilestone, MilestoneNotFound, MilestoneTaken
from crm.check_ins.models import MilestoneRow, ProgrammeRow
from crm.check_ins.types import Insurance, Milestone, NewMilestone, Programme
from crm.coupons.errors import CouponNotFound
from crm.coupons.service import definitions as coupons
from crm.events import wishes
from crm.kit.localized import clean_names
from crm.points.types import MAX_POINTS

EARNING = "check_ins.cards"
"""The subscriber that gives cards for events."""
CARD_KINDS = frozenset(
    {
        *{"member_signed_up", "order_placed", "survey_completed", "referral_qualified"},
        *{"reward_redeemed", "voucher_used", "mission_completed"},
    }
)
"""Events that may give cards."""
MAX_DAYS_BACK, MAX_PER_MONTH, MAX_CARDS, MAX_INSURED, MAX_PLACES = 92, 31, 100, 31, 50
MAX_DAY, MAX_MILESTONES = 3660, 50
MAX_BADGE = 30
_RANGES = {
    "days_back": (0, MAX_DAYS_BACK),
    "make_ups_per_month": (0, MAX_PER_MONTH),
    "made_up_points": (0, MAX_POINTS),
    "card_price": (1, MAX_POINTS),
    "bought_per_month": (0, MAX_PER_MONTH),
    "most_cards": (1, MAX_CARDS),
    "passes_per_month": (0, MAX_PER_MONTH),
    "insured_days": (1, MAX_INSURED),
    "insured_from": (1, MAX_DAY),
    "places": (1, MAX_PLACES),
}
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('check_in_milestones', 0))")


async def current(session: AsyncSession) -> Programme:
    """The settings in force."""
    row = await session.scalar(select(ProgrammeRow).execution_options(populate_existing=True))
    if row is None:
        return Programme()
    values = {name: getattr(row, name) for name in vars(Programme())}
    return Programme(**{**values, "cards_for": dict(row.cards_for), "insurance": Insurance(row.insurance)})


async def choose(session: AsyncSession, programme: Programme) -> Programme:
    """Put these settings in force; what was filled or given before stays. Raises InvalidCheckInProgramme."""
    check(programme)
    values = {**vars(programme), "insurance": programme.insurance.value}
    kept = upsert(ProgrammeRow).values(id=1, **values)
    await session.execute(kept.on_conflict_do_update(index_elements=["id"], set_=values))
    await wishes.wish(session, EARNING, programme.cards_for)
    return programme


def check(programme: Programme) -> None:
    """Raises InvalidCheckInProgramme with the path of the field."""
    for name, (least, most) in _RANGES.items():
        value = getattr(programme, name)
        if value is not None and not least <= value <= most:
            raise InvalidCheckInProgramme(f"{name} is a whole number from {least} to {most}", path=name)
    for kind, count in programme.cards_for.items():
        if kind not in CARD_KINDS:
            known = f"{kind[:64]!r} cannot give cards; events that can: {', '.join(sorted(CARD_KINDS))}"
            raise InvalidCheckInProgramme(known, path="cards_for")
        if not 1 <= count <= MAX_CARDS:
            raise InvalidCheckInProgramme(f"an event gives 1 to {MAX_CARDS} cards", path="cards_for")
    has_passes = programme.insurance in {Insurance.PASSES, Insurance.BOTH}
    if has_passes and not programme.passes_per_month:
        raise InvalidCheckInProgramme(
            "an insurance with passes needs passes_per_month of 1 or more", path="passes_per_month"
        )


async def milestones(session: AsyncSession, *, active_only: bool = False) -> list[Milestone]:
    """All milestones, the shortest streak first."""
    query = select(MilestoneRow).order_by(MilestoneRow.day, MilestoneRow.id)
    query = query.where(MilestoneRow.is_active) if active_only else query
    return [_value(row) for row in await session.scalars(query.execution_options(populate_existing=True))]


async def milestone(session: AsyncSession, milestone_id: int) -> Milestone:
    """One milestone. Raises MilestoneNotFound."""
    query = select(MilestoneRow).where(MilestoneRow.id == milestone_id).execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        raise MilestoneNotFound(milestone_id=milestone_id)
    return _value(row)


async def add_milestone(session: AsyncSession, new: NewMilestone) -> Milestone:
    """A milestone for every streak that reaches its day from now on. Raises InvalidMilestone, MilestoneTaken."""
    checked = await _checked(session, new)
    await session.execute(_ONE_BY_ONE)
    if (await session.scalar(select(func.count()).select_from(MilestoneRow)) or 0) >= MAX_MILESTONES:
        raise InvalidMilestone(f"there are at most {MAX_MILESTONES} milestones; change those that are there")
    await _require_free(session, checked.day)
    made = await session.execute(insert(MilestoneRow).values(vars(checked)).returning(MilestoneRow.id))
    return await milestone(session, made.scalar_one())


async def change_milestone(session: AsyncSession, milestone_id: int, **changes: Any) -> Milestone:
    """Change fields of a NewMilestone or `is_active`; what was given before stays.

    Raises MilestoneNotFound, InvalidMilestone, MilestoneTaken.
    """
    await session.execute(_ONE_BY_ONE)
    found = await milestone(session, milestone_id)
    is_active = bool(changes.pop("is_active", found.is_active))
    before = NewMilestone(**{name: getattr(found, name) for name in vars(NewMilestone(1))})
    checked = await _checked(session, replace(before, **changes))
    if is_active:
        await _require_free(session, checked.day, but=milestone_id)
    values = {**vars(checked), "is_active": is_active}
    await session.execute(update(MilestoneRow).where(MilestoneRow.id == milestone_id).values(values))
    return await milestone(session, milestone_id)


async def _checked(session: AsyncSession, new: NewMilestone) -> NewMilestone:
    if not 2 <= new.day <= MAX_DAY:  # noqa: PLR2004 - a single day is no streak
        raise InvalidMilestone(f"a milestone is a streak of 2 to {MAX_DAY} days", path="day")
    if not 0 <= new.points <= MAX_POINTS:
        raise InvalidMilestone(f"points are 0 to {MAX_POINTS}", path="points")
    if not 0 <= new.cards <= MAX_CARDS:
        raise InvalidMilestone(f"cards are 0 to {MAX_CARDS}", path="cards")
    if new.coupon_id is not None:
        try:
            await coupons.get(session, new.coupon_id)
        except CouponNotFound as error:
            raise InvalidMilestone(f"there is no coupon {new.coupon_id}", path="coupon_id") from error
    badge = _badge(new.badge)
    if not (new.points or new.cards or new.coupon_id is not None or badge):
        raise InvalidMilestone("a milestone gives points, a coupon, cards or a badge", path="points")
    return replace(new, badge=badge)


def _badge(badge: Mapping[str, str]) -> dict[str, str]:
    words = clean_names(badge)
    if any(len(word) > MAX_BADGE for word in words.values()):
        raise InvalidMilestone(f"a badge has at most {MAX_BADGE} characters", path="badge")
    return words


async def _require_free(session: AsyncSession, day: int, *, but: int = 0) -> None:
    others = select(MilestoneRow.id).where(MilestoneRow.is_active, MilestoneRow.day == day, MilestoneRow.id != but)
    if await session.scalar(others) is not None:
        raise MilestoneTaken(day=day)


def _value(row: MilestoneRow) -> Milestone:
    return Milestone(
        id=row.id,
        day=row.day,
        is_repeated=row.is_repeated,
        points=row.points,
        coupon_id=row.coupon_id,
        cards=row.cards,
        badge=dict(row.badge),
        is_active=row.is_active,
        created_at=row.created_at,
    )

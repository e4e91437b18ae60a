"""Progress: events are counted once each, and what is complete is rewarded once per window."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import issuing
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import MissionCompleted
from crm.events.types import RecordedEvent
from crm.kit.errors import DomainError
from crm.members import service as members
from crm.missions import policy, repository
from crm.missions.models import CountedRow, MissionRow, ProgressRow
from crm.missions.service import badges
from crm.missions.types import Mission, Progress
from crm.points import service as points
from crm.profiles import service as profiles


async def count(session: AsyncSession, event: RecordedEvent) -> None:
    """Count the event for every mission that asks for it, and reward what is complete. Again it changes nothing."""
    if event.member_id is None:
        return
    member_id = await members.enter(session, event.member_id)
    done = list[tuple[Mission, str]]()
    for mission in await repository.missions(session, active_only=True):
        steps = policy.steps_for(mission, event.kind, event.data)
        if steps and policy.is_open(mission, event.occurred_at) and await _may(session, mission, member_id):
            window = await _count(session, mission, member_id, event, steps)
            if window is not None:
                done.append((mission, window))
    if done:
        await _note(session, [mission for mission, _ in done])
    for mission, window in done:
        await _reward(session, mission, member_id, window)


async def of_member(session: AsyncSession, member_id: int) -> list[Progress]:
    """Where the member stands in every mission that is open to them now."""
    now, zone = await clock.now(session), await members.zone(session, member_id)
    query = select(ProgressRow).where(ProgressRow.member_id == member_id)
    rows = await session.scalars(query.execution_options(populate_existing=True))
    known = {(row.mission_id, row.window): row for row in rows}
    found = []
    for mission in await repository.missions(session, active_only=True):
        if not policy.is_open(mission, now) or not await _may(session, mission, member_id):
            continue
        window = policy.window_key(mission.window, now, zone)
        row = known.get((mission.id, window))
        counts = tuple(row.counts) if row is not None else (0,) * len(mission.steps)
        found.append(Progress(mission, window, counts, None if row is None else row.completed_at))
    return found


async def _may(session: AsyncSession, mission: Mission, member_id: int) -> bool:
    return not mission.tiers or (await profiles.get(session, member_id)).tier in mission.tiers


async def _count(
    session: AsyncSession, mission: Mission, member_id: int, event: RecordedEvent, steps: list[int]
) -> str | None:
    """The window in which the mission is complete now; None: it is not, or was before."""
    once = upsert(CountedRow).values(event_id=event.id, mission_id=mission.id, occurred_at=event.occurred_at)
    if await session.scalar(once.on_conflict_do_nothing().returning(CountedRow.mission_id)) is None:
        return None
    window = policy.window_key(mission.window, event.occurred_at, await members.zone(session, member_id))
    here = {"mission_id": mission.id, "member_id": member_id, "window": window}
    nothing = upsert(ProgressRow).values(**here, counts=[0] * len(mission.steps))
    await session.execute(nothing.on_conflict_do_nothing())
    same = [getattr(ProgressRow, name) == value for name, value in here.items()]
    query = select(ProgressRow.counts, ProgressRow.completed_at).where(*same).with_for_update()
    before = (await session.execute(query)).one()
    if before.completed_at is not None:
        return None
    counts = policy.counted(mission, tuple(before.counts), steps)
    is_done = policy.is_done(mission, counts)
    values = {"counts": list(counts), "completed_at": await clock.now(session) if is_done else None}
    await session.execute(update(ProgressRow).where(*same).values(values))
    return window if is_done else None


async def _note(session: AsyncSession, completed: Sequence[Mission]) -> None:
    """Count them, and hold the coupons that they give: rows of many members, each kind in the order of its ids."""
    ids = sorted(mission.id for mission in completed)
    rows = select(MissionRow.id).where(MissionRow.id.in_(ids)).order_by(MissionRow.id)
    await session.execute(rows.with_for_update(key_share=True))
    counting = update(MissionRow).where(MissionRow.id.in_(ids)).values(completed=MissionRow.completed + 1)
    await session.execute(counting, execution_options={"synchronize_session": False})
    given = (mission.rewards.coupon_id for mission in completed)
    await issuing.hold(session, [coupon_id for coupon_id in given if coupon_id is not None])


async def _reward(session: AsyncSession, mission: Mission, member_id: int, window: str) -> None:
    key, rewards = f"mission:{mission.id}:{member_id}:{window}", mission.rewards
    if rewards.points:
        name = mission.name.get("zh-CN") or next(iter(mission.name.values()))
        await points.earn(session, member_id, rewards.points, rule=name, key=key)
    coupon_id = rewards.coupon_id
    if coupon_id is not None and not await _issue(session, member_id, coupon_id, key, mission.id):
        coupon_id = None
    if rewards.badge_id is not None:
        await badges.give(session, member_id, rewards.badge_id, given_for=f"mission:{mission.id}")
    fact = MissionCompleted(
        member_id=member_id,
        mission_id=mission.id,
        window=window,
        points=rewards.points,
        coupon_id=coupon_id,
        badge_id=rewards.badge_id,
        draw_id=rewards.draw_id,
        draw_chances=rewards.draw_chances,
    )
    await events.publish(session, fact)


async def _issue(session: AsyncSession, member_id: int, coupon_id: int, key: str, mission_id: int) -> bool:
    """Whether the voucher could be issued: a coupon that has ended must not keep the rest of the reward back."""
    try:
        async with session.begin_nested():
            await issuing.issue(session, member_id, coupon_id, key=key, source=f"mission:{mission_id}")
    except DomainError:
        return False
    return True

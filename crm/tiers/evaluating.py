"""Evaluating members under a lock, one at once or a range of them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.profiles import service as profiles
from crm.tiers import applying, deciding, measuring, policy, repository
from crm.tiers.applying import Applied
from crm.tiers.types import Outcome, Programme, ProgrammeStatus, Reason, Rules, Spans

RANGE = 50_000
"""How many ids are evaluated in one transaction."""


def range_of(member_id: int) -> tuple[int, int]:
    """First and last id of the range that a member belongs to."""
    first = member_id // RANGE * RANGE
    return first, first + RANGE - 1


async def times(session: AsyncSession, rules: Rules, now: datetime) -> Spans:
    """The times that amounts are counted from, by the brand's days."""
    return policy.spans(rules, now, await brand.zone(session))


async def one(
    session: AsyncSession, member_id: int, *, because: Reason | None = None, by: str = "system"
) -> Outcome | None:
    """Evaluate one member now; None without a programme or for who is no longer active."""
    live = await repository.with_status(session, ProgrammeStatus.LIVE)
    if live is None:
        return None
    await profiles.hold(session, member_id)
    now = await clock.now(session)
    own = measuring.within(member_id, member_id)
    query = measuring.subjects(live.rules, await times(session, live.rules, now), own)
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    subject = repository.as_subject(row)
    outcome = policy.evaluate(live.rules, subject.standing, subject.measured, now, because=because)
    factor = policy.multiplier(live.rules, outcome.tier)
    is_stale = (row["profile_tier"], subject.multiplier) != (outcome.tier, factor)
    if is_stale or policy.is_changed(subject.standing, outcome):
        await applying.apply(session, live, [applying.change_of(subject, outcome, now)], by=by)
    return outcome


async def many(session: AsyncSession, live: Programme, member_id: int, *, because: Reason | None) -> Applied:
    """Evaluate everybody in the range of `member_id`: the database finds those who differ, only they are written.

    Whose profile somebody is at work on is left for the next time, and counted in `left`.
    """
    now = await clock.now(session)
    spans, everybody = await times(session, live.rules, now), range_of(member_id)
    found = deciding.differing(live.rules, spans, measuring.within(*everybody), now).subquery("differing")
    wanted = (await session.scalars(select(found.c.member_id))).all()
    if not wanted:
        return Applied()
    held = await profiles.hold_free(session, wanted)
    # looked at again, now that nobody else changes them
    again = deciding.differing(live.rules, spans, measuring.among(sorted(held)), now)
    changes = []
    for row in (await session.execute(again)).mappings():
        subject = repository.as_subject(row)
        outcome = policy.evaluate(live.rules, subject.standing, subject.measured, now, because=because)
        changes.append(applying.change_of(subject, outcome, now))
    done = await applying.apply(session, live, changes)
    return replace(done, left=len(wanted) - len(held))

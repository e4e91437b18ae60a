"""Evaluating members under a lock, one at once or a range of them."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.tiers import applying, deciding, measuring, policy, repository
from crm.tiers.applying import Applied
from crm.tiers.measuring import Range
from crm.tiers.types import Outcome, Programme, ProgrammeStatus, Reason, Rules, Spans

RANGE = 50_000
"""How many ids are evaluated in one transaction."""
_ONE_OF = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('tiers:range:' || :number, 0))")
_MEMBER = text("SELECT pg_advisory_xact_lock(hashtextextended('tiers:member:' || :member, 0))")
_ALL_OF = text("SELECT pg_advisory_xact_lock(hashtextextended('tiers:range:' || :number, 0))")


def range_of(member_id: int) -> Range:
    """The range that a member belongs to."""
    first = member_id // RANGE * RANGE
    return first, first + RANGE - 1


async def lock(session: AsyncSession, member_id: int) -> None:
    """Hold off other evaluations of the member until the commit."""
    await session.execute(_ONE_OF, {"number": str(member_id // RANGE)})
    await session.execute(_MEMBER, {"member": str(member_id)})


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
    await lock(session, member_id)
    now = await clock.now(session)
    query = measuring.subjects(live.rules, await times(session, live.rules, now), (member_id, member_id))
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
    """Evaluate everybody in the range of `member_id`: the database finds those who differ, only they are written."""
    await session.execute(_ALL_OF, {"number": str(member_id // RANGE)})
    now = await clock.now(session)
    spans = await times(session, live.rules, now)
    rows = (await session.execute(deciding.differing(live.rules, spans, range_of(member_id), now))).mappings()
    changes = []
    for row in rows:
        subject = repository.as_subject(row)
        outcome = policy.evaluate(live.rules, subject.standing, subject.measured, now, because=because)
        changes.append(applying.change_of(subject, outcome, now))
    return await applying.apply(session, live, changes)

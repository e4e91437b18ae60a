"""Writing what evaluations said: standings, profiles, history and events, each for all members in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.events import service as events
from crm.events.loyalty import TierAtRisk, TierChanged
from crm.events.types import Event
from crm.profiles import in_bulk
from crm.tiers import policy
from crm.tiers.types import Outcome, Programme, Subject

_STANDINGS = Prepared(
    text("""
INSERT INTO tier_standings AS s (member_id, tier, earned, since, falls_at, risk_ends_at)
SELECT n.member_id, n.tier, n.earned, n.since, n.falls_at, n.risk_ends_at
FROM unnest(
    CAST(:members AS bigint[]), CAST(:tiers AS text[]), CAST(:earned AS text[]), CAST(:since AS timestamptz[]),
    CAST(:falls AS timestamptz[]), CAST(:risks AS timestamptz[])
) AS n (member_id, tier, earned, since, falls_at, risk_ends_at)
ON CONFLICT (member_id) DO UPDATE SET tier = excluded.tier, earned = excluded.earned, since = excluded.since,
    falls_at = excluded.falls_at, risk_ends_at = excluded.risk_ends_at
""")
)
_GRANTS = Prepared(
    text("""
UPDATE tier_standings SET grant_tier = NULL, grant_until = NULL, grant_reason = NULL, grant_by = NULL
WHERE member_id = ANY (CAST(:members AS bigint[]))
""")
)
_CLOSE = Prepared(
    text("""
UPDATE tier_history h SET ended_at = left_.at
FROM unnest(CAST(:members AS bigint[]), CAST(:started AS timestamptz[]), CAST(:times AS timestamptz[]))
    AS left_ (member_id, started_at, at)
WHERE h.member_id = left_.member_id AND h.started_at = left_.started_at
""")
)
_OPEN = Prepared(
    text("""
INSERT INTO tier_history (member_id, started_at, tier, reason, measure, value, version, by)
SELECT n.member_id, n.started_at, n.tier, n.reason, :measure, n.value, :version, :by
FROM unnest(
    CAST(:members AS bigint[]), CAST(:times AS timestamptz[]), CAST(:tiers AS text[]), CAST(:reasons AS text[]),
    CAST(:values AS numeric[])
) AS n (member_id, started_at, tier, reason, value)
ON CONFLICT (member_id, started_at) DO UPDATE SET tier = excluded.tier, reason = excluded.reason,
    value = excluded.value, version = excluded.version, by = excluded.by, measure = excluded.measure, ended_at = NULL
""")
)


@dataclass(frozen=True)
class Change:
    """A member for whom something has to be written."""

    subject: Subject
    outcome: Outcome
    at: datetime
    """Now, but never before the tier that is left began."""


@dataclass(frozen=True)
class Applied:
    """How many members rose and fell."""

    up: int = 0
    down: int = 0
    left: int = 0
    """Who could not be looked at, because somebody was at work on them."""


def change_of(subject: Subject, outcome: Outcome, now: datetime) -> Change:
    """With the time at which it happens."""
    since = subject.standing.since
    return Change(subject, outcome, now if since is None else max(now, since))


async def apply(session: AsyncSession, live: Programme, changes: Sequence[Change], *, by: str = "system") -> Applied:
    """Write all of it; the caller holds the members' profiles."""
    if not changes:
        return Applied()
    moved = [change for change in changes if change.outcome.reason is not None]
    await _write_standings(session, changes)
    rules = live.rules
    facts = {
        change.subject.member_id: (change.outcome.tier, policy.multiplier(rules, change.outcome.tier))
        for change in changes
    }
    await in_bulk.record_tiers(session, facts)
    await _write_history(session, live, moved, by)
    await events.publish_many(session, _events(live, changes))
    up = sum(change.outcome.is_up for change in moved)
    return Applied(up, len(moved) - up)


async def _write_standings(session: AsyncSession, changes: Sequence[Change]) -> None:
    await _STANDINGS.fetch(
        session,
        members=[change.subject.member_id for change in changes],
        tiers=[change.outcome.tier for change in changes],
        earned=[change.outcome.earned for change in changes],
        since=[change.subject.standing.since if change.outcome.reason is None else change.at for change in changes],
        falls=[change.outcome.falls_at for change in changes],
        risks=[change.outcome.risk_ends_at for change in changes],
    )
    ended = [change.subject.member_id for change in changes if change.outcome.has_grant_ended]
    if ended:
        await _GRANTS.fetch(session, members=ended)


async def _write_history(session: AsyncSession, live: Programme, moved: Sequence[Change], by: str) -> None:
    if not moved:
        return
    left = [change for change in moved if change.subject.standing.since is not None]
    await _CLOSE.fetch(
        session,
        members=[change.subject.member_id for change in left],
        started=[change.subject.standing.since for change in left],
        times=[change.at for change in left],
    )
    await _OPEN.fetch(
        session,
        members=[change.subject.member_id for change in moved],
        times=[change.at for change in moved],
        tiers=[change.outcome.tier for change in moved],
        reasons=[str(change.outcome.reason) for change in moved],
        values=[change.subject.measured.entry for change in moved],
        measure=str(live.rules.measure),
        version=live.version,
        by=by,
    )


def _events(live: Programme, changes: Sequence[Change]) -> list[Event]:
    found: list[Event] = []
    measure = str(live.rules.measure)
    for change in changes:
        before, after, member_id = change.subject.standing, change.outcome, change.subject.member_id
        if after.reason is not None:
            found.append(
                TierChanged(
                    member_id=member_id,
                    from_tier=before.tier,
                    to_tier=after.tier,
                    direction="up" if after.is_up else "down",
                    reason=str(after.reason),
                    measure=measure,
                    value=change.subject.measured.entry,
                )
            )
        if after.tier is not None and after.risk_ends_at is not None and policy.is_newly_at_risk(before, after):
            found.append(
                TierAtRisk(
                    member_id=member_id,
                    tier=after.tier,
                    next_tier=after.next_tier,
                    measure=measure,
                    missing=after.missing,
                    ends_at=after.risk_ends_at,
                )
            )
    return found

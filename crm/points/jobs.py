"""Timed work of points: expiry, activation, holds that ran out, checkpoints, counters of caps."""

from collections.abc import Mapping
from typing import Any

from crm.db.session import Sessions
from crm.jobs.types import job, tick
from crm.points import counters, expiry, holds, pending, reminding, replaying, replays, service
from crm.points.replays import JOB


@job(JOB)
async def replay(sessions: Sessions, arguments: Mapping[str, Any]) -> None:
    """Try a rule on the event log; running it again goes on where it stopped."""
    await replaying.run(sessions, int(arguments["replay_id"]))


@tick("points.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Post the expiry of lots that have run out."""
    async with sessions.begin() as session:
        return await expiry.expire(session)


@tick("points.tell_ahead", seconds=300)
async def tell_ahead(sessions: Sessions) -> int:
    """Announce points that run out in 30, 7 and 1 days."""
    async with sessions.begin() as session:
        return await reminding.tell_ahead(session)


@tick("points.activate", seconds=30)
async def activate(sessions: Sessions) -> int:
    """Make pending points spendable whose time has come."""
    async with sessions.begin() as session:
        return await pending.activate_due(session)


@tick("points.void_holds", seconds=30)
async def void_holds(sessions: Sessions) -> int:
    """Give back points that were held for too long."""
    async with sessions.begin() as session:
        return await holds.void_due(session)


@tick("points.checkpoint", seconds=3600)
async def checkpoint(sessions: Sessions) -> int:
    """Seal the chains that moved."""
    async with sessions.begin() as session:
        sealed = await service.checkpoint(session)
    return 0 if sealed is None else sealed.accounts


@tick("points.forget_counters", seconds=86_400)
async def forget_counters(sessions: Sessions) -> int:
    """Remove counters of caps whose periods ended long ago, and what members would have got by old replays."""
    async with sessions.begin() as session:
        return await counters.forget_old(session) + await replays.forget_old(session)

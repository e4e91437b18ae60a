"""Timed work of activities."""

from crm.activities.service import definitions, promoting, telling
from crm.db.session import Sessions
from crm.jobs.types import tick

_MOST = 500


@tick("activities.tell", seconds=30)
async def tell(sessions: Sessions) -> int:
    """Announce what begins soon, and ask how it was."""
    async with sessions.begin() as session:
        return await telling.tell_due(session)


@tick("activities.promote", seconds=30)
async def promote(sessions: Sessions) -> int:
    """Fill places that became free otherwise than by a cancellation; one place a transaction."""
    async with sessions() as session:
        waiting = await promoting.with_free_places(session)
    done = 0
    for activity_id in waiting:
        for _ in range(_MOST):
            async with sessions.begin() as session:
                if await promoting.promote(session, activity_id) is None:
                    break
            done += 1
    return done


@tick("activities.call_off", seconds=30)
async def call_off(sessions: Sessions) -> int:
    """Cancel the registrations for what is called off, each by itself."""
    async with sessions() as session:
        found = await promoting.to_call_off(session)
    for activity_id, registration_id in found:
        async with sessions.begin() as session:
            await promoting.end_called_off(session, activity_id, registration_id)
    return len(found)


@tick("activities.close", seconds=300)
async def close(sessions: Sessions) -> int:
    """Close what ended a day ago."""
    async with sessions.begin() as session:
        return await definitions.close_due(session)

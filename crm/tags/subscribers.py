"""Reactions of tags to recorded events."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.members import service as members
from crm.tags import rules


@subscriber("tags.rules", *rules.KINDS)
async def apply_rules(session: AsyncSession, event: RecordedEvent) -> None:
    """Add what operators' rules say, to the profile that the member lives on in after a merge."""
    if event.member_id is not None:
        member_id = await members.enter(session, event.member_id)
        await rules.apply(session, replace(event, member_id=member_id))

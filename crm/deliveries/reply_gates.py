"""The gates of reminders: they respect a stop, reachability and quiet hours like a broadcast, but need no opt-in."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.consent import views as consent
from crm.db import clock
from crm.deliveries.policy import Candidate, Gates, Result, judge
from crm.deliveries.types import MessageClass
from crm.members import service as members

TOPIC = "news"


async def judge_reply(session: AsyncSession, head: Any) -> Result | None:
    """The verdict that keeps the reminder `head` from being sent now; None when every gate is open."""
    brand = await brands.get(session)
    quiet = brand.quiet_hours
    said_stop = select(func.coalesce(func.bool_or(~consent.current.c.is_given), False)).where(
        consent.current.c.member_id == head.member_id,
        consent.current.c.channel == head.channel,
        consent.current.c.topic == TOPIC,
    )
    gates = Gates(
        now=await clock.now(session),
        message_class=MessageClass.MARKETING,
        send_before=None,
        quiet_start=quiet.start if quiet else None,
        quiet_end=quiet.end if quiet else None,
        default_zone=brand.time_zone,
        channels=frozenset({head.channel}),
    )
    candidate = Candidate(
        delivery_id=head.delivery_id,
        member_id=head.member_id,
        step=0,
        person_id=head.member_id,
        has_own=False,
        tries=head.tries,
        doubts=head.doubts,
        is_active=True,
        locale=head.locale,
        zone=(await members.zone(session, head.member_id)).key,
        identity_id=head.identity_id,
        bot_id=head.bot_id,
        channel=head.channel,
        address=head.address,
        is_reachable=head.is_reachable,
        is_consented=not await session.scalar(said_stop),
        bot_status=head.status,
        bot_paused_until=None,
        bulk_rate=None,
    )
    return judge(candidate, gates)

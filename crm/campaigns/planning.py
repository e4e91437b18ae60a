"""What a launch would do: how many it reaches, how long that takes at the bots' rates, what paid sending would cost."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.campaigns.repository import load
from crm.campaigns.types import LaunchPlan
from crm.consent import views as consent
from crm.db import clock
from crm.deliveries.channels import traits_of
from crm.deliveries.paying import MESSAGES_PER_STAR
from crm.deliveries.types import MessageClass
from crm.members import views as members
from crm.profiles.views import profiles
from crm.segments import compiler
from crm.segments import service as segments
from crm.segments.policy import is_everyone, warnings


@dataclass(frozen=True)
class _Load:
    """What one bot would have to send."""

    number: int
    rate: float
    paid_rate: float

    @property
    def seconds(self) -> float:
        return self.number / self.rate

    @property
    def paid_seconds(self) -> float:
        return self.number / (self.paid_rate or self.rate)


async def plan(session: AsyncSession, campaign_id: int) -> LaunchPlan:
    """What a launch now would do. Raises SegmentArchivedError or InvalidRuleError."""
    campaign = await load(session, campaign_id)
    rule = await segments.rule_of(session, campaign.segment_id)
    audience = compiler.audience(rule, await clock.now(session))
    found = audience.subquery()
    counted = select(func.count(), func.count().filter(profiles.c.is_reachable)).select_from(
        found.join(profiles, profiles.c.member_id == found.c.member_id)
    )
    size, reachable = (await session.execute(counted)).one()
    is_marketing = campaign.message_class is MessageClass.MARKETING
    loads = await _loads(session, audience)
    payable = sum(load.number for load in loads if load.paid_rate > 0)
    return LaunchPlan(
        size,
        reachable,
        is_everyone(rule),
        [warning.text for warning in warnings(rule)],
        seconds=max((load.seconds for load in loads), default=0.0),
        stars=-(-payable // MESSAGES_PER_STAR) if payable else None,
        paid_seconds=max((load.paid_seconds for load in loads), default=0.0) if payable else None,
        agreed=await _agreed(session, audience, campaign.topic) if is_marketing else None,
    )


async def _agreed(session: AsyncSession, audience: Select[Any], topic: str) -> int:
    """Who can be reached in a channel in which they agreed to the topic."""
    asked, identity, given = audience.subquery(), members.identities.c, consent.current.c
    has_agreed = and_(
        *(given.member_id == identity.member_id, given.channel == identity.channel),
        *(given.topic == topic, given.is_given),
    )
    homes = (
        select(identity.member_id)
        .join(consent.current, has_agreed)
        .where(identity.is_reachable, identity.member_id.in_(select(asked.c.member_id)))
        .distinct()
        .subquery("agreed")
    )
    return int(await session.scalar(select(func.count()).select_from(homes)) or 0)


async def _loads(session: AsyncSession, audience: Select[Any]) -> list[_Load]:
    """Per bot, counted by each member's last active reachable identity, as deliveries choose it."""
    asked, identity = audience.subquery(), members.identities.c
    homes = (
        select(identity.member_id, identity.bot_id)
        .join(asked, asked.c.member_id == identity.member_id)
        .where(identity.is_reachable)
        .ext(distinct_on(identity.member_id))
        .order_by(identity.member_id, identity.last_seen_at.desc())
        .subquery("homes")
    )
    bot = bots.bots.c
    query = (
        select(func.count().label("number"), bot.channel, bot.bulk_rate)
        .select_from(homes)
        .join(bots.bots, bot.id == homes.c.bot_id)
        .group_by(bot.id, bot.channel, bot.bulk_rate)
    )
    rows = await session.execute(query)
    return [_Load(row.number, row.bulk_rate, traits_of(session, row.channel).paid_rate) for row in rows]

"""Campaigns to everyone there is, launched and watched, for whatever measures them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select, text

from benchmarks.stage import Stage
from bot.channels.contract import ChannelContext
from crm.campaigns import launching
from crm.campaigns import service as campaigns
from crm.campaigns.types import NewCampaign
from crm.deliveries import service as deliveries
from crm.deliveries.rates import Pacer
from crm.messages.types import MessageContent
from crm.profiles.views import profiles
from crm.segments import service as segments
from runtime.channels import discover_channels
from runtime.contents import ContentRenderer
from runtime.sender import run_sender
from runtime.senders import open_senders

TEXT = {
    "en": "Hi {{ member.name }}, the spring harvest is here. You have {{ member.points }} points to spend.",
    "zh-CN": "{{ member.name }}，春茶上市了，您有 {{ member.points }} 积分可用。欢迎到店品尝，也可以直接下单。",
}
_FINISHED = text("SELECT finished_at IS NOT NULL FROM delivery_sources WHERE source_kind = :kind AND source_id = :id")


async def launch(stage: Stage, name: str) -> int:
    """A campaign to every member, confirmed; its audience is not made yet. Answers its id."""
    async with stage.container.sessions.begin() as session:
        segment = await segments.create(session, name=name, rule={"all": []})
        new = NewCampaign(name, segment.id, MessageContent(TEXT))
        campaign = await campaigns.create(session, new, by="bench")
        count = (await session.execute(select(func.count()).select_from(profiles))).scalar_one()
        await launching.launch(session, campaign.id, by="bench", confirm_count=count)
    return campaign.id


async def start(stage: Stage, campaign_id: int) -> None:
    """Make the audience; senders take it up from now on."""
    async with stage.container.sessions.begin() as session:
        await launching.start(session, campaign_id)


async def finished(stage: Stage, campaign_id: int) -> None:
    """Wait for the announced end; asked cheaply, as counting would cost the database as much as the work."""
    while True:
        async with stage.container.sessions() as session:
            if await session.scalar(_FINISHED, {"kind": campaigns.SOURCE, "id": str(campaign_id)}):
                return
        await asyncio.sleep(0.05)


async def verify(stage: Stage, campaign_id: int, expected: int) -> None:
    """Everyone was sent it: what is fast but wrong does not count."""
    async with stage.container.sessions() as session:
        counts = await deliveries.counts(session, campaigns.SOURCE, campaign_id)
    if counts.by_state["sent"] != expected or counts.total != expected:
        raise RuntimeError(f"of {expected} messages there are {counts}")


@asynccontextmanager
async def sending(stage: Stage, *, pacer: Pacer | None = None, open_groups: int = 1) -> AsyncIterator[None]:
    """A sender in this process while the block runs; the buckets in Valkey pace it unless `pacer` does."""
    container, stop = stage.container, asyncio.Event()
    context = ChannelContext(container.settings, container.sessions, container.valkey)
    async with open_senders(discover_channels(), context, container.measures.process) as senders:
        work = run_sender(
            container.sessions,
            container.valkey,
            senders,
            ContentRenderer(),
            stop,
            pacer=pacer,
            open_groups=open_groups,
        )
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            stop.set()
            await task

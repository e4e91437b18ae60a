"""Messages per second through the whole broadcast path, beside a bare aiohttp client posting the same payloads."""

import asyncio
import gc

import aiohttp
import orjson
from sqlalchemy import select

from benchmarks.members import TOKEN, add_bot, add_members
from benchmarks.results import Result
from benchmarks.stage import Stage
from benchmarks.stand_in import stand_in
from bot.channels.contract import ChannelContext
from crm.campaigns import launching
from crm.campaigns import service as campaigns
from crm.campaigns.types import NewCampaign
from crm.deliveries import service as deliveries
from crm.deliveries import sources
from crm.deliveries.rates import Unpaced
from crm.deliveries.types import DeliveryCounts
from crm.kit.clock import monotonic
from crm.messages.types import MessageContent
from crm.profiles.views import profiles
from crm.segments import service as segments
from runtime.channels import discover_channels
from runtime.contents import ContentRenderer
from runtime.conversing import open_senders
from runtime.sender import run_sender

MEMBERS = 40_000
FIRST = 2_000_001
CONCURRENT = 64
GOAL = 0.65
TEXT = {
    "en": "Hi {{ member.name }}, the spring harvest is here. You have {{ member.points }} points to spend.",
    "zh-CN": "{{ member.name }}，春茶上市了，您有 {{ member.points }} 积分可用。欢迎到店品尝，也可以直接下单。",
}


async def measure(stage: Stage) -> Result:
    """Pace open: what is measured is the path, not the provider's limit."""
    async with stand_in() as base:
        bot_id = await add_bot(stage.container, base)
        await add_members(stage.container, bot_id, FIRST, FIRST + MEMBERS - 1)
        # As every process of ours does once it has started.
        gc.collect()
        gc.freeze()
        before = await _bare(base)
        value = await _whole_path(stage)
        # Measured on both sides of it: on a shared machine one run alone may meet a busy moment.
        reference = (before + await _bare(base)) / 2
    return Result("broadcast, whole path / bare aiohttp", "messages/s", value, reference, GOAL)


async def _bare(base: str) -> float:
    """What a bare client reaches: 64 at once, the JSON encoded by orjson."""
    address = f"{base}/bot{TOKEN}/sendMessage"
    payloads = iter(
        orjson.dumps({"chat_id": str(FIRST + number), "text": "x" * 80, "parse_mode": "HTML"})
        for number in range(MEMBERS)
    )
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENT)) as http:

        async def post() -> None:
            for body in payloads:
                async with http.post(address, data=body, headers=headers) as answer:
                    orjson.loads(await answer.read())

        begun = monotonic()
        await asyncio.gather(*(post() for _ in range(CONCURRENT)))
        return MEMBERS / (monotonic() - begun)


async def _whole_path(stage: Stage) -> float:
    """From the launched campaign (audience not yet made) to the last recorded result."""
    container = stage.container
    async with container.sessions.begin() as session:
        segment = await segments.create(session, name="Everyone", rule={"all": []})
        new = NewCampaign("Bench", segment.id, MessageContent(TEXT))
        campaign = await campaigns.create(session, new, by="bench")
        count = len((await session.scalars(select(profiles.c.member_id))).all())
        await launching.launch(session, campaign.id, by="bench", confirm_count=count)
    stop = asyncio.Event()
    context = ChannelContext(container.settings, container.sessions, container.valkey)
    begun = monotonic()
    async with container.sessions.begin() as session:
        await launching.start(session, campaign.id)
    async with open_senders(discover_channels(), context) as senders:
        sending = asyncio.create_task(
            run_sender(
                container.sessions,
                container.valkey,
                senders,
                ContentRenderer(),
                stop,
                pacer=Unpaced(),
                open_groups=CONCURRENT // 25 + 1,
            )
        )
        await _until_finished(stage, campaign.id)
        seconds = monotonic() - begun
        stop.set()
        await sending
    counts = await _counts(stage, campaign.id)
    assert counts.by_state["sent"] == MEMBERS, counts
    return MEMBERS / seconds


async def _until_finished(stage: Stage, campaign_id: int) -> None:
    """Asked cheaply: counting what is being worked on would cost the database as much as the work.

    The tick is run too, as two chunks that end at the same moment each see the other one open.
    """
    while True:
        async with stage.container.sessions.begin() as session:
            await sources.finish_due(session)
            if (await deliveries.get(session, campaigns.SOURCE, campaign_id)).finished_at is not None:
                return
        await asyncio.sleep(0.1)


async def _counts(stage: Stage, campaign_id: int) -> DeliveryCounts:
    async with stage.container.sessions() as session:
        return await deliveries.counts(session, campaigns.SOURCE, campaign_id)

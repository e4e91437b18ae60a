"""A broadcast at full allowed rate by a sender of its own process, while something else is measured."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import uvloop
from sqlalchemy import func, select

from benchmarks.stage import Stage, settings_in
from bot.channels.contract import ChannelContext
from crm.campaigns import launching
from crm.campaigns import service as campaigns
from crm.campaigns.types import NewCampaign
from crm.deliveries import service as deliveries
from crm.kit.clock import monotonic
from crm.messages.types import MessageContent
from crm.profiles.views import profiles
from crm.segments import service as segments
from runtime.channels import discover_channels
from runtime.container import open_container
from runtime.contents import ContentRenderer
from runtime.endpoints import Servers
from runtime.sender import run_sender
from runtime.senders import open_senders

_TEXT = {
    "en": "Hi {{ member.name }}, the spring harvest is here.",
    "zh-CN": "{{ member.name }}，春茶上市了。",
}


@asynccontextmanager
async def broadcasting(stage: Stage) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """While the block runs a campaign goes out to all members; what is yielded answers how many went out a second."""
    campaign_id = await _launch(stage)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.beside", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    place = {"folder": str(stage.folder), "postgres": stage.postgres_url, "valkey": stage.valkey_url}
    process.stdin.write(orjson.dumps(place) + b"\n")
    await process.stdout.readline()
    async with stage.container.sessions.begin() as session:
        await launching.start(session, campaign_id)
    await _begun(stage, campaign_id)
    before, begun = await _sent(stage, campaign_id), monotonic()

    async def rate() -> float:
        return (await _sent(stage, campaign_id) - before) / (monotonic() - begun)

    try:
        yield rate
    finally:
        process.stdin.close()
        await process.wait()


async def _begun(stage: Stage, campaign_id: int) -> None:
    while not await _sent(stage, campaign_id):  # noqa: ASYNC110 - asked of the database: the sender is another process
        await asyncio.sleep(0.1)


async def _launch(stage: Stage) -> int:
    async with stage.container.sessions.begin() as session:
        segment = await segments.create(session, name="Everyone beside", rule={"all": []})
        campaign = await campaigns.create(session, NewCampaign("Beside", segment.id, MessageContent(_TEXT)), by="bench")
        count = (await session.execute(select(func.count()).select_from(profiles))).scalar_one()
        await launching.launch(session, campaign.id, by="bench", confirm_count=count)
    return campaign.id


async def _sent(stage: Stage, campaign_id: int) -> int:
    async with stage.container.sessions() as session:
        return (await deliveries.counts(session, campaigns.SOURCE, campaign_id)).by_state.get("sent", 0)


async def _send() -> None:
    """The other process: told on standard input where to play, ends when that is closed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    place = orjson.loads(await reader.readline())
    servers = Servers(place["postgres"], place["valkey"])
    async with open_container(settings_in(Path(place["folder"])), servers, application="bench-sender") as container:
        context = ChannelContext(container.settings, container.sessions, container.valkey)
        stop = asyncio.Event()
        async with open_senders(discover_channels(), context, container.measures.process) as senders:
            print("ready", flush=True)
            sending = asyncio.create_task(
                run_sender(container.sessions, container.valkey, senders, ContentRenderer(), stop, open_groups=2)
            )
            await reader.read()
            stop.set()
            await sending


if __name__ == "__main__":
    uvloop.run(_send())

"""Segments and campaigns for tests, and a sender process that sends them."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import service
from crm.campaigns.types import Campaign, NewCampaign
from crm.db.session import Sessions
from crm.deliveries.testing import FakeSender
from crm.messages.types import ButtonSpec, MessageContent
from crm.segments import service as segments
from runtime.contents import ContentRenderer
from runtime.sender import run_sender

ENGLISH: dict[str, Any] = {"condition": "language", "locale": "en"}
EVERYONE: dict[str, Any] = {"all": []}


def content(words: str = "Hello {{ member.name }}", **more: Any) -> MessageContent:
    """The same words in both languages."""
    return MessageContent({"en": words, "zh-CN": words}, **more)


BUTTONS = [
    [ButtonSpec({"en": "Shop"}, url="https://tea.example")],
    [ButtonSpec({"en": "Yes"}, opens="survey:nps", tag="keen")],
]


async def make_segment(session: AsyncSession, rule: Any = None) -> int:
    """A saved rule; everyone who reads English unless another is given."""
    return (await segments.create(session, name="Some", rule=ENGLISH if rule is None else rule)).id


async def make_campaign(session: AsyncSession, *, rule: Any = None, words: str | None = None, **more: Any) -> Campaign:
    """A draft."""
    message = more.pop("message", None) or content(*([] if words is None else [words]))
    segment_id = await make_segment(session, rule)
    new = NewCampaign(name=more.pop("name", "Spring"), segment_id=segment_id, message=message, **more)
    return await service.create(session, new, by="operator:1")


async def send_until(sessions: Sessions, valkey_url: str, sender: FakeSender, is_enough: Callable[[], bool]) -> None:
    """Run a sender process until the condition holds, then stop it and let it finish."""
    valkey, stop = Redis.from_url(valkey_url), asyncio.Event()
    await valkey.flushall()
    task = asyncio.create_task(run_sender(sessions, valkey, {sender.name: sender}, ContentRenderer(), stop))
    try:
        async with asyncio.timeout(30):
            while not is_enough():  # noqa: ASYNC110 - the fake is watched from outside
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await task
        await valkey.aclose()


async def states(sessions: Sessions, campaign_id: int) -> dict[str, int]:
    """The campaign's deliveries by state, counted from the rows; the service's figures must be the same."""
    query = (
        "SELECT state, count(*) AS number FROM delivery_states"
        " WHERE source_kind = 'campaign' AND source_id = CAST(:id AS text) GROUP BY 1"
    )
    async with sessions.begin() as session:
        rows = {row.state: row.number for row in await session.execute(text(query), {"id": str(campaign_id)})}
        counts = (await service.progress(session, campaign_id)).counts
    assert {state: number for state, number in counts.by_state.items() if number} == rows
    assert counts.total == sum(rows.values())
    return rows

"""Several chats handled together: what belongs to one bot is its own, and time goes on within each chat."""

import asyncio
from datetime import datetime
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.arriving import arrive
from crm.db import clock
from crm.db.company import Company
from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.members import service as members
from tests.bot.loop import CHANNEL, make_loop_bot

ADDRESS = "7"


async def _take(session: AsyncSession, bot_id: int) -> int | None:
    taken = await inbox.next_for_chat(session, bot_id, ADDRESS)
    return None if taken is None else taken.bot_id


async def _arrive(session: AsyncSession, bot_id: int) -> int | None:
    arrival = await arrive(session, bot_id=bot_id, address=ADDRESS, chat_key=ADDRESS)
    return None if arrival is None else int(arrival.contact["identity_bot_id"])


async def test_what_belongs_to_one_bot_is_not_given_to_the_other(committed_sessions: Sessions) -> None:
    first, second = [(await make_loop_bot(committed_sessions)).id for _ in range(2)]
    async with committed_sessions.begin() as session:
        await inbox.store(session, bot_id=second, update_key="1", chat_key=ADDRESS, payload=b"{}")
        await members.ensure_identity(session, bot_id=second, channel=CHANNEL, address=ADDRESS)
    company = Company(committed_sessions)
    for work in (_take, _arrive):
        asked = (company.run(partial(work, bot_id=bot), order=(bot, ADDRESS)) for bot in (first, second))
        assert await asyncio.gather(*asked) == [None, second]


async def test_what_waited_for_a_chat_is_not_older_than_what_it_waited_for(committed_sessions: Sessions) -> None:
    bot = (await make_loop_bot(committed_sessions)).id
    async with committed_sessions.begin() as session:
        for chat in ("1", "2"):
            await inbox.store(session, bot_id=bot, update_key=chat, chat_key=chat, payload=b"{}")

    async def take(session: AsyncSession, chat: str) -> datetime:
        assert await inbox.next_for_chat(session, bot, chat) is not None
        return await clock.now(session)

    company = Company(committed_sessions)
    async with committed_sessions.begin() as session:
        await inbox.lock_chat(session, bot, "2")
        both = asyncio.gather(*(company.run(partial(take, chat=chat), order=(bot, chat)) for chat in ("1", "2")))
        waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        async with asyncio.timeout(30):
            while not await session.scalar(waits):  # noqa: ASYNC110 - the server tells nobody that it waits
                await asyncio.sleep(0.01)
        held_until = await session.scalar(text("SELECT siyu_now()"))
    first, second = await both
    assert first == second >= held_until

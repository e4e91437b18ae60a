"""How long the rest takes: by the rates of the bots that still have something to send."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.deliveries import service
from crm.deliveries.remaining import seconds_left
from crm.profiles.views import profiles
from tests.factories.bots import make_bot
from tests.factories.deliveries import ID, KIND, make_topic
from tests.factories.members import make_contact

_DONE = text("UPDATE delivery_chunks SET tally = '{\"sent\": 15}', is_done = true WHERE bot_id = :bot")
_LATER = text("UPDATE delivery_chunks SET not_before = siyu_now() + interval '1 hour' WHERE bot_id = :bot")


async def _sending(session: AsyncSession, *, paid_limit: int | None = None) -> tuple[int, int]:
    """A broadcast of 15 messages through a slow bot and 5 through a fast one that knows no paid sending."""
    slow, fast = await make_bot(session), await make_bot(session, channel="webchat")
    await bots.change(session, slow.id, bulk_rate=0.5)
    await bots.change(session, fast.id, bulk_rate=100)
    await make_topic(session)
    for bot, number in ((slow, 15), (fast, 5)):
        for _ in range(number):
            await make_contact(session, bot=bot)
    await service.start_broadcast(session, KIND, ID, select(profiles.c.member_id), paid_limit=paid_limit)
    return slow.id, fast.id


async def test_the_slowest_bot_decides(session: AsyncSession) -> None:
    await _sending(session)
    assert await seconds_left(session, KIND, ID, 20) == pytest.approx(30)
    assert await seconds_left(session, KIND, ID, 10) == pytest.approx(15), "half of each share is left"


async def test_bots_that_are_through_or_wait_do_not_count(session: AsyncSession) -> None:
    slow, fast = await _sending(session)
    await session.execute(_DONE, {"bot": slow})
    assert await seconds_left(session, KIND, ID, 5) == pytest.approx(0.05)
    await session.execute(_LATER, {"bot": fast})
    assert await seconds_left(session, KIND, ID, 5) == 0


async def test_paid_messages_go_at_the_paid_rate(session: AsyncSession) -> None:
    await _sending(session, paid_limit=1000)
    assert await seconds_left(session, KIND, ID, 20) == pytest.approx(0.05)


async def test_there_is_nothing_left_of_what_does_not_exist(session: AsyncSession) -> None:
    assert await seconds_left(session, KIND, 77, 5) == 0

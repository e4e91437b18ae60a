"""Broadcasts whose text is too long for one message: parts in order, each with a result of its own."""

import asyncio

import pytest
from sqlalchemy import text

from crm.brand import service as brands
from crm.brand.types import FrequencyCap
from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.rendering import Renderer
from crm.deliveries.sending import ChunkRun, send_due, take_next
from crm.deliveries.testing import FakeRenderer, FakeSender
from crm.deliveries.types import (
    BroadcastStatus,
    ContentRejected,
    InDoubt,
    Lane,
    MessageClass,
    NotAccepted,
    SendOutcome,
    Throttled,
    Unreachable,
)
from crm.messages.types import Outbound
from tests.factories.deliveries import ID, KIND, desk, expire_leases, figures, launch, make_due

LONG = "\n\n".join(letter * 3000 for letter in "abc")


class LetterSender(FakeSender):
    """A fake that answers by the first letter of the text, and notes the order of all calls."""

    def __init__(self, **first: SendOutcome) -> None:
        super().__init__()
        self.first = first
        self.asked: list[str] = []
        self.is_taken = asyncio.Event()

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """See `FakeSender.send`."""
        letter = message.text_html[:1]
        self.asked.append(f"{address}{letter}")
        self.is_taken.set()
        outcome = self.first.pop(letter, None)
        if outcome is not None:
            self.queued.append(outcome)
        return await super().send(bot_id, address, message, lane=lane)


def _long() -> Renderer:
    return FakeRenderer(LONG)


async def _again(sessions: Sessions, sender: FakeSender) -> None:
    await make_due(sessions)
    await send_due(desk(sessions, sender, renderer=_long()))


async def test_each_part_is_a_delivery_and_comes_in_order(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 30)
    sender = LetterSender()
    await send_due(desk(committed_sessions, sender, renderer=_long()))
    assert await figures(committed_sessions) == {"sent": 90}
    for address in set(sender.addresses()):
        assert [item[-1] for item in sender.asked if item[:-1] == address] == ["a", "b", "c"]
    await _again(committed_sessions, sender)
    assert len(sender.sent) == 90
    async with committed_sessions.begin() as session:
        assert (await service.get(session, KIND, ID)).total == 90
        assert (await service.get(session, KIND, ID)).finished_at is not None
        groups = await session.scalars(text("SELECT max(cardinality(delivery_ids)) FROM delivery_intents"))
        assert groups.one() <= 25


async def test_a_doubtful_part_neither_drops_the_rest_nor_repeats_what_arrived(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    sender = LetterSender(b=InDoubt("no answer"))
    await send_due(desk(committed_sessions, sender, renderer=_long()))
    assert await figures(committed_sessions) == {"sent": 2, "uncertain": 1}
    async with committed_sessions.begin() as session:
        assert await service.resend_uncertain(session, KIND, ID) == 1
    await _again(committed_sessions, sender)
    assert [item[-1] for item in sender.asked] == ["a", "b", "c", "b"]
    assert await figures(committed_sessions) == {"sent": 3}


@pytest.mark.parametrize("trouble", [NotAccepted("no connection"), Throttled(1)])
async def test_parts_wait_for_the_one_before(committed_sessions: Sessions, trouble: SendOutcome) -> None:
    await launch(committed_sessions, 1)
    sender = LetterSender(b=trouble)
    await send_due(desk(committed_sessions, sender, renderer=_long()))
    assert await figures(committed_sessions) == {"sent": 1, "queued": 2}
    async with committed_sessions.begin() as session:
        due = await session.scalars(text("SELECT not_before FROM delivery_states WHERE state = 'queued'"))
        assert len(set(due.all())) == 1, "both parts are taken up together"
        await session.execute(text("UPDATE bots SET bulk_paused_until = NULL"))
    await _again(committed_sessions, sender)
    assert [item[-1] for item in sender.asked] == ["a", "b", "b", "c"]
    assert await figures(committed_sessions) == {"sent": 3}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [(Unreachable("blocked"), {"suppressed:blocked": 3}), (ContentRejected("can't parse"), {"failed": 3})],
)
async def test_what_stops_the_first_part_stops_all(
    committed_sessions: Sessions, trouble: SendOutcome, expected: dict[str, int]
) -> None:
    await launch(committed_sessions, 1)
    sender = LetterSender(a=trouble)
    await send_due(desk(committed_sessions, sender, renderer=_long()))
    assert sender.asked == ["1000a"]
    assert await figures(committed_sessions) == expected


async def test_a_message_in_parts_counts_once_for_the_cap(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await brands.change(session, frequency_cap=FrequencyCap(1, 7))
    await launch(committed_sessions, 2)
    await send_due(desk(committed_sessions, FakeSender(), renderer=_long()))
    async with committed_sessions.begin() as session:
        await brands.change(session, frequency_cap=None)
    assert await figures(committed_sessions) == {"sent": 6}


async def test_every_part_of_a_receipt_bears_its_own_number(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1, message_class=MessageClass.RECEIPT)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender, renderer=_long()))
    numbers = {item.message.text_html.rpartition("Ref. ")[2] for item in sender.sent}
    assert len(numbers) == 3


async def test_after_a_kill_only_what_was_open_is_uncertain(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    sender = LetterSender()
    work = desk(committed_sessions, sender, renderer=_long())
    sender.gate = asyncio.Event()
    lease = await take_next(work)
    assert lease is not None
    run = asyncio.create_task(ChunkRun(work, lease).run())
    async with asyncio.timeout(30):
        await sender.is_taken.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await expire_leases(committed_sessions)
    await _again(committed_sessions, FakeSender())
    assert await figures(committed_sessions) == {"uncertain": 3}


async def test_a_text_of_more_than_ten_messages_is_refused(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 1)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender, renderer=FakeRenderer("word " * 10_000)))
    assert not sender.sent
    assert await figures(committed_sessions) == {"failed": 1}


async def test_a_pause_between_parts_is_resumed_without_loss(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 20)
    sender = FakeSender()
    work = desk(committed_sessions, sender, renderer=_long())
    lease = await take_next(work)
    assert lease is not None
    async with committed_sessions.begin() as session:
        await service.pause(session, KIND, ID)
    await ChunkRun(work, lease).run()
    assert not sender.sent
    async with committed_sessions.begin() as session:
        assert (await service.resume(session, KIND, ID)).status is BroadcastStatus.ACTIVE
    await _again(committed_sessions, sender)
    assert await figures(committed_sessions) == {"sent": 60}

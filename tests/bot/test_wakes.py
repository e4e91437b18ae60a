"""Timers and results of jobs come in under the same lock as updates; who loses the race does nothing."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import wakes
from crm.db.session import Sessions
from flows.engine.chat import Chat
from flows.engine.errors import AnswerTimedOut
from flows.engine.flow import Command, flow
from flows.engine.questions import Text
from tests.bot.loop import House, make_loop_bot
from tests.flows.engine.steps import explode, pay


@flow("quiz", starts=[Command("quiz")])
async def quiz(chat: Chat) -> None:
    try:
        answer = await chat.ask("quiz/q", Text(), timeout=timedelta(hours=2), remind=timedelta(hours=1))
    except AnswerTimedOut:
        answer = "late"
    await chat.do(pay, answer)
    await chat.say("quiz/done", answer=answer)


@flow("report", starts=[Command("report")])
async def report(chat: Chat) -> None:
    await chat.say("report/done", pages=await chat.wait_for("reports.make"))


@flow("fragile", starts=[Command("fragile")])
async def fragile(chat: Chat) -> None:
    try:
        await chat.ask("fragile/q", Text(), timeout=timedelta(hours=2))
    except AnswerTimedOut:
        await chat.do(explode)


async def _make_due(sessions: Sessions, kind: str) -> None:
    async with sessions.begin() as session:
        query = text("UPDATE conversation_wakes SET due_at = '2000-01-01' WHERE kind = :kind")
        await session.execute(query, {"kind": kind})


async def _rows(sessions: Sessions, query: str) -> list[object]:
    async with sessions() as session:
        return list((await session.scalars(text(query))).all())


PAID = "SELECT data->'properties'->>'what' FROM events WHERE kind = 'custom'"


async def test_reminder_goes_out_gated_and_once(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    houses = [House(committed_sessions, quiz) for _ in range(3)]
    await houses[0].receive(bot, "7", "/quiz")
    await houses[0].settle()
    assert [await house.dispatcher.wake_due() for house in houses] == [0, 0, 0]
    await _make_due(committed_sessions, "reminder")
    await asyncio.gather(*(house.dispatcher.wake_due() for house in houses))
    gated = await _rows(committed_sessions, "SELECT is_gated FROM delivery_replies ORDER BY position")
    assert gated == [False, True]


@pytest.mark.parametrize("round_", range(5))
async def test_answer_and_timeout_at_once_make_one_effect(committed_sessions: Sessions, round_: int) -> None:
    bot = await make_loop_bot(committed_sessions)
    houses = [House(committed_sessions, quiz) for _ in range(3)]
    await houses[0].receive(bot, "7", "/quiz")
    await houses[0].settle()
    await _make_due(committed_sessions, "timeout")
    racing = [house.dispatcher.wake_due() for house in houses[1:]]
    await asyncio.gather(*racing, houses[0].receive(bot, "7", f"answer {round_}"))
    await houses[0].settle()
    assert await _rows(committed_sessions, PAID) in (["late"], [f"answer {round_}"])
    assert await _rows(committed_sessions, "SELECT id FROM conversation_wakes") == []


async def test_result_of_a_job_goes_on_with_the_conversation(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, report)
    await house.receive(bot, "7", "/report")
    await house.settle()
    async with committed_sessions.begin() as session:
        conversation_id = await session.scalar(text("SELECT id FROM conversations"))
        await wakes.report(session, f"{conversation_id}:1:1", 12)
        await wakes.report(session, f"{conversation_id}:1:9", "for a question that no longer waits")
    assert await house.dispatcher.wake_due() == 2
    assert await _rows(committed_sessions, "SELECT runs FROM conversations") == [[]]
    assert await house.dispatcher.wake_due() == 0


async def test_wake_that_always_fails_is_given_up(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, fragile)
    await house.receive(bot, "7", "/fragile")
    await house.settle()
    for tries in range(5):
        assert await _rows(committed_sessions, "SELECT attempts FROM conversation_wakes") == [tries]
        await _make_due(committed_sessions, "timeout")
        await house.dispatcher.wake_due()
    assert await _rows(committed_sessions, "SELECT id FROM conversation_wakes") == []
    assert await _rows(committed_sessions, PAID) == []
    assert await _rows(committed_sessions, "SELECT jsonb_array_length(runs) FROM conversations") == [1]


async def test_process_leaves_channels_alone_that_it_does_not_serve(session: AsyncSession, sessions: Sessions) -> None:
    del session
    bot = await make_loop_bot(sessions)
    house = House(sessions, quiz)
    await house.receive(bot, "7", "/quiz")
    await house.settle()
    await _make_due(sessions, "timeout")
    other = House(sessions, quiz)
    other.handler.channels = {}
    assert await other.dispatcher.wake_due() == 0
    assert await other.receive(bot, "7", "late answer", key="x")
    await other.settle()
    assert await _rows(sessions, "SELECT attempts FROM inbound_queue") == [0]
    assert await other.dispatcher.sweep(older_than=timedelta()) == 0
    assert await house.dispatcher.wake_due() == 1

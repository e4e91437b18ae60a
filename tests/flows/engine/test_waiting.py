"""Timers, results of jobs, multi-select drafts: what happens while a question is open."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import wakes
from crm.messages.types import ChannelTraits
from flows.engine.chat import Chat
from flows.engine.choices import Choices, Skippable
from flows.engine.errors import AnswerTimedOut, JobFailed
from flows.engine.flow import Command, flow
from flows.engine.questions import Contact, Text
from flows.testing import without_buttons
from tests.flows.engine.steps import outcomes, talk


@flow("quiz", starts=[Command("quiz")])
async def quiz(chat: Chat) -> None:
    hour = timedelta(hours=1)
    answer = await chat.ask("quiz/question", Text(), timeout=2 * hour, remind=hour)
    await chat.say("quiz/thanks", answer=answer)


@flow("patient", starts=[Command("patient")])
async def patient(chat: Chat) -> None:
    try:
        await chat.ask("patient/question", Text(), timeout=timedelta(hours=1))
    except AnswerTimedOut:
        await chat.ask("patient/why", Text())
    await chat.say("patient/thanks")


@flow("other", starts=[Command("other")])
async def other(chat: Chat) -> None:
    await chat.ask("other/question", Text())


async def test_reminds_once_then_times_out(session: AsyncSession) -> None:
    async with talk(session, quiz) as chat:
        await chat.send("/quiz")
        await chat.wait(timedelta(minutes=61))
        assert chat.text == "[engine/reminder]\n\n[quiz/question]"
        await chat.wait(timedelta(minutes=1))
        assert chat.text == ""
        await chat.wait(timedelta(minutes=60))
        assert chat.text == "[engine/timed_out]"
        assert await outcomes(session, chat.member_id) == [("quiz", "timed_out")]


async def test_answer_in_time_wins_the_race(session: AsyncSession) -> None:
    async with talk(session, quiz) as chat:
        await chat.send("/quiz")
        await chat.send("42")
        assert chat.text == "[quiz/thanks] answer=42"
        await chat.wait(timedelta(hours=3))
        assert chat.text == ""
        assert await session.scalar(text("SELECT count(*) FROM conversation_wakes")) == 0


async def test_timeout_can_be_answered_by_the_flow(session: AsyncSession) -> None:
    async with talk(session, patient) as chat:
        await chat.send("/patient")
        await chat.wait(timedelta(hours=2))
        assert chat.text == "[patient/why]"
        await chat.send("busy")
        assert chat.text == "[patient/thanks]"


async def test_timeout_of_a_parked_flow_counts_when_it_resumes(session: AsyncSession) -> None:
    async with talk(session, quiz, other) as chat:
        await chat.send("/quiz")
        await chat.send("/other")
        await chat.wait(timedelta(hours=3))
        assert chat.text == ""
        await chat.send("done")
        assert chat.text == "[engine/timed_out]"


async def test_cancelled_flow_leaves_no_timer(session: AsyncSession) -> None:
    async with talk(session, quiz) as chat:
        await chat.send("/quiz")
        await chat.send("/cancel")
        assert await session.scalar(text("SELECT count(*) FROM conversation_wakes")) == 0


@flow("report", starts=[Command("report")])
async def report(chat: Chat) -> None:
    try:
        result: Mapping[str, Any] = await chat.wait_for("reports.make", year=2026)
    except JobFailed as failed:
        await chat.say("report/failed", why=failed.detail)
        return
    await chat.say("report/done", pages=result["pages"])


async def _address(session: AsyncSession) -> str:
    query = "SELECT id || ':' || (runs->0->>'number') || ':' || (runs->0->'question'->>'step') FROM conversations"
    return str(await session.scalar(text(query)))


async def test_waits_for_a_job_and_goes_on_with_its_result(session: AsyncSession) -> None:
    async with talk(session, report, other) as chat:
        await chat.send("/report")
        assert await session.scalar(text("SELECT count(*) FROM pgqueuer.pgqueuer")) == 1
        await chat.send("hello?")
        assert chat.text == "[engine/working]"
        await wakes.report(session, await _address(session), {"pages": 12})
        await wakes.report(session, await _address(session), {"pages": 13})
        await chat.wake()
        assert chat.text == "[report/done] pages=12"


async def test_failed_job_is_told(session: AsyncSession) -> None:
    async with talk(session, report) as chat:
        await chat.send("/report")
        await wakes.report(session, await _address(session), error="no paper")
        await chat.wake()
        assert chat.text == "[report/failed] why=no paper"


async def test_result_waits_until_its_flow_has_the_word_again(session: AsyncSession) -> None:
    async with talk(session, report, other) as chat:
        await chat.send("/report")
        address = await _address(session)
        await chat.send("/other")
        await wakes.report(session, address, {"pages": 3})
        await chat.wake()
        assert chat.text == ""
        await chat.send("done")
        await chat.wake()
        assert chat.text == "[report/done] pages=3"


@flow("taste", starts=[Command("taste")])
async def taste(chat: Chat) -> None:
    kinds = await chat.ask("taste/kinds", Choices("green", "black", "white", minimum=1, maximum=2))
    note = await chat.ask("taste/note", Skippable(Text()))
    await chat.say("taste/done", kinds=",".join(kinds), note=note)


async def test_multi_select_keeps_a_draft_until_done(session: AsyncSession) -> None:
    async with talk(session, taste) as chat:
        await chat.send("/taste")
        await chat.tap("engine/done_button")
        chat.expects("[hints/choices_range] minimum=1 maximum=2")
        await chat.tap("white")
        chat.expects_buttons("✅ white")
        assert chat.said[0].edit_ref is not None
        await chat.tap("black")
        await chat.tap("green")
        chat.expects("[hints/choices_range]")
        await chat.tap("✅ white")
        await chat.tap("green")
        await chat.tap("engine/done_button")
        assert chat.text == "[taste/note]"
        assert chat.said[0].edit_ref is not None
        await chat.tap("engine/skip_button")
        assert chat.text == "[taste/done] kinds=green,black note=None"
        assert chat.said[0].edit_ref is None


@flow("greeted", starts=[Command("greeted")])
async def greeted(chat: Chat) -> None:
    await chat.say("greeted/welcome")
    await chat.ask("greeted/first", Skippable(Text()))
    await chat.ask("greeted/second", Skippable(Text()))


async def test_what_was_said_beside_a_question_is_never_replaced(session: AsyncSession) -> None:
    async with talk(session, greeted) as chat:
        await chat.send("/greeted")
        assert chat.text == "[greeted/welcome]\n\n[greeted/first]"
        await chat.tap("engine/skip_button")
        assert chat.text == "[greeted/second]"
        assert chat.said[0].edit_ref is None


@flow("agreed", starts=[Command("agreed")])
async def agreed(chat: Chat) -> None:
    await chat.ask("agreed/terms", Skippable(Text()), stays=True)
    await chat.ask("agreed/second", Skippable(Text()))


async def test_what_a_member_agrees_to_stays(session: AsyncSession) -> None:
    async with talk(session, agreed) as chat:
        await chat.send("/agreed")
        await chat.tap("engine/skip_button")
        assert chat.text == "[agreed/second]"
        assert chat.said[0].edit_ref is None


async def test_several_can_be_typed(session: AsyncSession) -> None:
    async with talk(session, taste, traits=without_buttons(ChannelTraits("plain"))) as chat:
        await chat.send("/taste")
        assert chat.text == "[taste/kinds]\n1. green\n2. black\n3. white"
        await chat.send("1，White")
        await chat.send("skip")
        assert chat.text == "[taste/done] kinds=green,white note=None"


@flow("phone", starts=[Command("phone")])
async def phone(chat: Chat) -> None:
    number = await chat.ask("phone/share", Contact())
    await chat.say("phone/thanks", number=number.number, is_verified=number.is_verified)


async def test_only_ones_own_contact_counts(session: AsyncSession) -> None:
    async with talk(session, phone) as chat:
        await chat.send("/phone")
        assert chat.said[0].request == "contact"
        await chat.share_contact("8613812345678", is_own=False)
        chat.expects("[hints/contact_of_someone_else]")
        await chat.send("13812345678")
        chat.expects("[hints/contact_expected]")
        await chat.share_contact("8613812345678")
        assert chat.text == "[phone/thanks] number=+8613812345678 is_verified=True"


async def test_channel_that_cannot_edit_gets_new_messages(session: AsyncSession) -> None:
    async with talk(session, taste, traits=replace(ChannelTraits("old"), has_edit=False)) as chat:
        await chat.send("/taste")
        await chat.tap("white")
        assert chat.said[0].edit_ref is None

"""Nothing is done twice, nothing is forgotten: the journal of runs."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Command, Flow, flow
from flows.engine.inputs import Input, InputKind
from flows.engine.questions import Number, Text
from tests.flows.engine.steps import Refusal, explode, outcomes, paid, pay, refuse, talk, with_other_flows


@flow("order", starts=[Command("order")])
async def order(chat: Chat) -> None:
    receipt = await chat.do(pay)
    await chat.say("order/paid", number=receipt.number, on=receipt.on.isoformat())
    name = await chat.ask("order/name", Text(max_length=10))
    again = await chat.do(pay, name)
    cup = await chat.ask("order/cup", Choice("small", "large"))
    await chat.say("order/done", name=name, cup=cup, first=receipt.number, second=again.number)


async def test_goes_on_where_it_waited_and_repeats_nothing(session: AsyncSession) -> None:
    async with talk(session, order) as chat:
        await chat.send("/order")
        assert chat.text == "[order/paid] number=1 on=2026-03-01\n\n[order/name]"
        await chat.send("  Hua ")
        assert chat.text == "[order/cup]"
        await chat.tap("large")
        assert chat.text == "[order/done] name=Hua cup=large first=1 second=2"
        assert await paid(session, chat.member_id) == ["tea", "Hua"]
        assert await outcomes(session, chat.member_id) == [("order", "finished")]


async def test_journal_is_sealed_and_gone_at_the_end(session: AsyncSession) -> None:
    rows = text("SELECT value FROM conversation_journal")
    async with talk(session, order) as chat:
        await chat.send("/order")
        await chat.send("Hua")
        stored = (await session.scalars(rows)).all()
        assert stored
        assert not any(b"Hua" in value for value in stored)
        await chat.tap("small")
        assert (await session.scalars(rows)).all() == []
        assert await session.scalar(text("SELECT runs FROM conversations")) == []


async def test_wrong_answer_gets_a_hint_and_the_question_again(session: AsyncSession) -> None:
    async with talk(session, order) as chat:
        await chat.send("/order")
        await chat.send("a name that is too long")
        assert chat.text == "[hints/too_long] maximum=10\n\n[order/name]"
        await chat.give(Input(InputKind.STICKER))
        assert chat.text == "[hints/text_expected]\n\n[order/name]"
        await chat.give(Input(InputKind.PHOTO, photo="file"))
        assert chat.text == "[hints/text_expected]\n\n[hints/person]\n\n[order/name]"
        assert await paid(session, chat.member_id) == ["tea"]


async def test_step_that_refuses_is_undone_and_raises_again_in_every_run(session: AsyncSession) -> None:
    @flow("try", starts=[Command("try")])
    async def attempt(chat: Chat) -> None:
        try:
            await chat.do(refuse)
        except Refusal as refusal:
            await chat.say("try/refused", detail=refusal.detail, shop=refusal.facts["shop"])
        again = await chat.ask("try/again", Text())
        await chat.say("try/end", again=again)

    async with talk(session, attempt) as chat:
        await chat.send("/try")
        assert chat.text == "[try/refused] detail=not today shop=closed\n\n[try/again]"
        await chat.send("yes")
        assert chat.text == "[try/end] again=yes"
        assert await paid(session, chat.member_id) == []


async def test_refusal_that_no_one_catches_ends_the_flow_with_a_word(session: AsyncSession) -> None:
    @flow("fail", starts=[Command("fail")])
    async def fail(chat: Chat) -> None:
        await chat.do(pay)
        await chat.do(refuse)

    async with talk(session, fail) as chat:
        await chat.send("/fail")
        assert chat.text.startswith("[errors/conflict] code=refusal detail=not today")
        assert await paid(session, chat.member_id) == ["tea"]
        assert await outcomes(session, chat.member_id) == [("fail", "failed")]


async def test_bug_goes_up_to_the_caller(session: AsyncSession) -> None:
    @flow("bug", starts=[Command("bug")])
    async def bug(chat: Chat) -> None:
        await chat.do(explode)

    async with talk(session, bug) as chat:
        with pytest.raises(RuntimeError, match="a bug"):
            await chat.send("/bug")


async def test_same_step_twice_is_two_steps(session: AsyncSession) -> None:
    @flow("twice", starts=[Command("twice")])
    async def twice(chat: Chat) -> None:
        for _ in range(2):
            receipt = await chat.do(pay)
            await chat.ask("twice/more", Text(), number=receipt.number)

    async with talk(session, twice) as chat:
        await chat.send("/twice")
        await chat.send("on")
        assert chat.text == "[twice/more] number=2"
        await chat.send("on")
        assert await paid(session, chat.member_id) == ["tea", "tea"]


async def test_clock_and_language_stay_what_they_were(session: AsyncSession) -> None:
    seen: list[str] = []

    @flow("clock", starts=[Command("clock")])
    async def clock(chat: Chat) -> None:
        seen.append(chat.now.isoformat() + chat.locale)
        await chat.ask("clock/on", Text())
        seen.append(chat.now.isoformat() + chat.locale)

    async with talk(session, clock) as chat:
        await chat.send("/clock")
        await chat.wait(timedelta(hours=3))
        await chat.send("on")
        first, replayed, later = seen
        assert first == replayed != later


async def test_edited_flow_goes_on(session: AsyncSession) -> None:
    @flow("order", starts=[Command("order")])
    async def edited(chat: Chat) -> None:
        await chat.do(pay, "new step")
        name = await chat.ask("order/name", Text(max_length=10))
        cup = await chat.ask("order/cup", Choice("small", "large"))
        await chat.say("order/edited", name=name, cup=cup)

    async with talk(session, order) as chat:
        await chat.send("/order")
        async with with_other_flows(chat, edited) as later:
            await later.send("Hua")
            assert later.text == "[order/cup]"
            await later.tap("small")
            assert later.text == "[order/edited] name=Hua cup=small"


def _survey(maximum: int, *, pays: bool) -> Flow[None]:
    @flow("poll", starts=[Command("poll")])
    async def poll(chat: Chat) -> None:
        number = await chat.ask("poll/number", Number(maximum=maximum))
        if pays:
            await chat.do(pay)
        await chat.ask("poll/why", Text())
        await chat.say("poll/thanks", number=number)

    return poll


async def test_answer_that_no_longer_counts_is_asked_again(session: AsyncSession) -> None:
    async with talk(session, _survey(10, pays=False)) as chat:
        await chat.send("/poll")
        await chat.send("9")
        async with with_other_flows(chat, _survey(5, pays=False)) as later:
            await later.send("because")
            assert later.text == "[poll/number]"
            await later.send("5")
            await later.send("because")
            assert later.text == "[poll/thanks] number=5"


async def test_flow_never_starts_over_past_an_effect(session: AsyncSession) -> None:
    async with talk(session, _survey(10, pays=True)) as chat:
        await chat.send("/poll")
        await chat.send("9")
        async with with_other_flows(chat, _survey(5, pays=True)) as later:
            await later.send("because")
            assert later.text == "[engine/outdated] done=['do:steps.pay']"
            assert await paid(session, chat.member_id) == ["tea"]
            assert await outcomes(session, chat.member_id) == [("poll", "outdated")]


async def test_flow_that_is_gone_ends_with_a_word(session: AsyncSession) -> None:
    async with talk(session, order) as chat:
        await chat.send("/order")
        async with with_other_flows(chat) as later:
            await later.send("Hua")
            assert later.text.startswith("[engine/outdated]")
            assert await outcomes(session, chat.member_id) == [("order", "vanished")]


async def test_flow_without_end_is_stopped(session: AsyncSession) -> None:
    @flow("loop", starts=[Command("loop")])
    async def loop(chat: Chat) -> None:
        while True:
            await chat.say("loop/again")

    async with talk(session, loop) as chat:
        await chat.send("/loop")
        assert chat.text.endswith("[engine/too_long]")
        assert await outcomes(session, chat.member_id) == [("loop", "too_long")]

"""Every stored update is handled once, in its chat's order, whatever happens to processes and flows."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots.types import Bot
from crm.conversations import service as conversations
from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.jobs.dead import DeadLetterNotFound
from crm.members import service as members
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, flow
from flows.engine.questions import Text
from tests.bot.loop import CHANNEL, House, make_loop_bot
from tests.flows.engine.steps import Refusal, explode, pay, refuse


@flow("order", starts=[Command("order")])
async def order(chat: Chat) -> None:
    await chat.do(pay)
    name = await chat.ask("order/name", Text())
    await chat.do(pay, name)
    await chat.ask("order/cup", Choice("small", "large"))
    await chat.say("order/done")


@flow("bug", starts=[Command("bug")])
async def bug(chat: Chat) -> None:
    await chat.do(explode)


@flow("haggle", starts=[Button("haggle")])
async def haggle(chat: Chat) -> None:
    await chat.do(pay, "before")
    with suppress(Refusal):
        await chat.do(refuse)
    await chat.do(pay, "after")
    await chat.say("haggle/done")


@flow("pay", starts=[Command("pay")])
async def pay_once(chat: Chat, what: str = "") -> None:
    await chat.do(pay, what)
    await chat.say("pay/done", what=what)


@flow("agree", starts=[Command("agree")])
async def agree(chat: Chat) -> None:
    await chat.do(pay, str(chat.said_in))


async def _said(sessions: Sessions, bot: Bot, address: str) -> list[str]:
    async with sessions.begin() as session:
        contact = await members.ensure_identity(session, bot_id=bot.id, channel=CHANNEL, address=address)
        lines = await conversations.transcript(session, contact.member.id, limit=500)
    return [line.text for line in reversed(lines)]


async def _paid(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        query = "SELECT data->'properties'->>'what' FROM events WHERE kind = 'custom' ORDER BY id"
        return list((await session.scalars(text(query))).all())


async def _count(sessions: Sessions, table: str) -> int:
    async with sessions() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def _make_due(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await session.execute(text("UPDATE inbound_queue SET due_at = '2000-01-01'"))


async def test_conversation_through_the_whole_path(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)
    await house.receive(bot, "7", "/order", display_name="Hua")
    await house.receive(bot, "7", "Li")
    await house.receive(bot, "7", kind="button", data="1:a:1:2:1", tap_ref="tap", message_ref="m2")
    await house.settle()
    assert await _said(committed_sessions, bot, "7") == [
        "/order", "[order/name]", "Li", "[order/cup]", "1:a:1:2:1", "[order/done]",
    ]  # fmt: skip
    assert house.channel.acknowledged == ["tap"]
    assert len(house.delivered) == await _count(committed_sessions, "delivery_replies") == 3
    assert await _count(committed_sessions, "inbound_queue") == 0


async def test_a_step_that_refuses_is_undone_alone(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, haggle)
    await house.receive(bot, "7", kind="button", data="1:s:haggle", tap_ref="tap")
    await house.settle()
    assert await _paid(committed_sessions) == ["before", "after"]
    assert await _said(committed_sessions, bot, "7") == ["1:s:haggle", "[haggle/done]"]
    assert house.channel.acknowledged == ["tap"]
    assert await _count(committed_sessions, "inbound_queue") == 0


async def test_same_update_three_times_changes_nothing(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    houses = [House(committed_sessions, pay_once) for _ in range(3)]
    stored = await asyncio.gather(*(house.receive(bot, "7", "/pay tea", key="u1") for house in houses))
    for house in houses:
        await house.settle()
    assert sorted(stored) == [False, False, True]
    assert await house.receive(bot, "7", "/pay tea", key="u1") is False
    assert await _paid(committed_sessions) == ["tea"]
    assert await _count(committed_sessions, "inbound_updates") == 1


async def test_replayed_and_shuffled_across_processes(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    houses = [House(committed_sessions, pay_once, order) for _ in range(4)]
    for number in range(12):
        again = [house.receive(bot, "7", f"/pay {number}", key=f"u{number}") for house in houses]
        await asyncio.gather(*again)
    for house in houses:
        await house.settle()
    assert await _paid(committed_sessions) == [str(number) for number in range(12)]


async def test_hundred_taps_at_once_are_handled_in_order_once_each(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    houses = [House(committed_sessions, pay_once, concurrency=8) for _ in range(4)]
    taps = [houses[number % 4].receive(bot, "7", f"/pay {number}", key=f"u{number}") for number in range(100)]
    await asyncio.gather(*taps)
    for house in houses:
        await house.settle()
    async with committed_sessions() as session:
        order_stored = await session.scalars(text("SELECT update_key FROM inbound_updates ORDER BY received_at"))
        assert len(order_stored.all()) == 100
    assert sorted(await _paid(committed_sessions), key=int) == [str(number) for number in range(100)]
    assert await _count(committed_sessions, "members") == 1


async def test_message_and_tap_at_once_lose_no_step(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house, other = House(committed_sessions, order), House(committed_sessions, order)
    for round_ in range(10):
        address = str(round_)
        await house.receive(bot, address, "/order", key=f"a{round_}")
        await house.settle()
        await asyncio.gather(
            house.receive(bot, address, "Li", key=f"b{round_}"),
            other.receive(bot, address, kind="button", data="1:a:1:2:0", key=f"c{round_}"),
        )
        await house.settle()
        await other.settle()
    async with committed_sessions() as session:
        query = "SELECT version, jsonb_array_length(runs) AS open FROM conversations"
        rows = (await session.execute(text(query))).all()
    assert all((row.version, row.open) in {(3, 0), (2, 1)} for row in rows), rows
    assert len(await _paid(committed_sessions)) == 20


async def test_what_a_crash_left_is_swept_up(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    async with committed_sessions.begin() as session:
        for number in range(3):
            payload = f'{{"address": "7", "chat_key": "7", "text": "/pay {number}"}}'.encode()
            await inbox.store(session, bot_id=bot.id, update_key=str(number), chat_key="7", payload=payload)
    house = House(committed_sessions, pay_once)
    await _make_due(committed_sessions)
    assert await house.dispatcher.sweep() == 1
    assert await _paid(committed_sessions) == ["0", "1", "2"]
    assert await house.dispatcher.sweep() == 0


async def test_crash_in_the_middle_of_handling_leaves_nothing_half_done(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    started = asyncio.Event()

    async def hang(session: AsyncSession, member_id: int) -> None:
        await pay(session, member_id, "half")
        started.set()
        await asyncio.sleep(60)

    @flow("order", starts=[Command("order")])
    async def hanging(chat: Chat) -> None:
        await chat.do(pay)
        await chat.ask("order/name", Text())
        await chat.do(hang)

    first = House(committed_sessions, hanging)
    await first.receive(bot, "7", "/order")
    await first.settle()
    await first.receive(bot, "7", "Li")
    await started.wait()
    await first.dispatcher.close(patience=0)
    await asyncio.sleep(0.05)
    second = House(committed_sessions, order)
    second.dispatcher.wake(bot.id, "7")
    await second.settle()
    assert await _paid(committed_sessions) == ["tea", "Li"]
    assert (await _said(committed_sessions, bot, "7"))[-1] == "[order/cup]"


async def test_poison_is_given_up_after_five_tries_and_the_question_stays_open(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order, bug)
    for words in ("/order", "/bug", "Li"):
        await house.receive(bot, "7", words)
    await house.settle()
    assert await _count(committed_sessions, "inbound_queue") == 2
    for _ in range(4):
        await _make_due(committed_sessions)
        await house.dispatcher.sweep()
        await house.settle()
    async with committed_sessions() as session:
        (letter,) = await inbox.dead_letters(session)
    assert letter.attempts == 5
    assert letter.reason.startswith("RuntimeError at engine/steps.py")
    assert "a bug" not in letter.reason
    said = await _said(committed_sessions, bot, "7")
    assert said == ["/order", "[order/name]", "/bug", "[engine/apology]", "Li", "[order/cup]"]
    assert await _paid(committed_sessions) == ["tea", "Li"]
    await house.dispatcher.close()


async def test_dead_letter_can_be_replayed(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    broken, mended = House(committed_sessions, bug), House(committed_sessions, pay_once, order)
    await broken.receive(bot, "7", "/bug")
    for _ in range(5):
        await broken.settle()
        await _make_due(committed_sessions)
        await broken.dispatcher.sweep()
    async with committed_sessions.begin() as session:
        (letter,) = await inbox.dead_letters(session)
        chat = await inbox.replay(session, letter.update_id)
    mended.dispatcher.wake(chat.bot_id, chat.chat_key)
    await mended.settle()
    assert (await _said(committed_sessions, bot, "7"))[-1] == "[engine/unknown]"
    async with committed_sessions.begin() as session:
        assert await inbox.dead_letters(session) == []
        with pytest.raises(DeadLetterNotFound):
            await inbox.replay(session, letter.update_id)


async def test_others_go_on_beside_a_poisoned_chat(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, pay_once, bug)
    await house.receive(bot, "7", "/bug")
    await house.receive(bot, "8", "/pay tea")
    await house.settle()
    assert await _paid(committed_sessions) == ["tea"]
    await house.dispatcher.close()


async def test_handling_that_takes_too_long_is_a_failure(committed_sessions: Sessions) -> None:
    async def dawdle(session: AsyncSession, member_id: int) -> None:
        await asyncio.sleep(5)

    @flow("slow", starts=[Command("slow")])
    async def slow(chat: Chat) -> None:
        await chat.do(dawdle)

    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, slow, time_limit=0.1)
    await house.receive(bot, "7", "/slow")
    await house.settle()
    async with committed_sessions() as session:
        assert await session.scalar(text("SELECT attempts FROM inbound_queue")) == 2
    await house.dispatcher.close()


async def test_what_no_one_can_read_is_a_dead_letter_at_once(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)
    await house.intake(bot_id=bot.id, update_key="x", chat_key="7", payload=b"\xff\x00{")
    await house.receive(bot, "7", ignored=True)
    await house.settle()
    async with committed_sessions() as session:
        letters = await inbox.dead_letters(session)
    assert [letter.attempts for letter in letters] == [1]
    assert await _count(committed_sessions, "members") == 0


async def test_blocked_and_back_again(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)

    async def is_reachable() -> Any:
        async with committed_sessions() as session:
            return await session.scalar(text("SELECT is_reachable FROM identities"))

    await house.receive(bot, "7", "hi")
    for kind, expected in (("blocked", False), ("unblocked", True), ("blocked", False)):
        await house.receive(bot, "7", kind=kind)
        await house.settle()
        assert await is_reachable() is expected
    await house.receive(bot, "7", "hi")
    await house.settle()
    assert await is_reachable() is True


async def test_groups_get_one_word_and_no_member(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)
    for _ in range(3):
        await house.receive(bot, "-100", "/order", kind="group")
    await house.settle()
    assert house.channel.in_groups == [("-100", "[engine/private_only]")]
    assert await _count(committed_sessions, "members") == 0


HOSTILE = [
    "nul \x00 and \ud800 surrogate",
    "\u202eevil\u200b",
    "👩‍👩‍👧‍👦" * 100,
    "<b>{{7*7}}</b> =1+1",
    "x" * 10_000,
    "长" * 300_000,
]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_is_kept_and_answered(committed_sessions: Sessions, words: str) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)
    await house.receive(bot, "7", words, display_name=words[:5000])
    await house.settle()
    assert await _count(committed_sessions, "inbound_dead_letters") == 0
    async with committed_sessions() as session:
        member_id = int(await session.scalar(text("SELECT id FROM members")) or 0)
        answer, heard = await conversations.transcript(session, member_id)
    assert answer.text == "[engine/unknown]"
    assert len(heard.text.encode()) <= 16 * 1024
    assert heard.is_cut is (len(words) > 16 * 1024)
    assert "\x00" not in heard.text
    assert heard.text[:4] == words[:4]


async def test_ids_go_to_delivery_after_the_commit(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, order)
    seen: list[int] = []

    async def deliver(delivery_ids: Sequence[Any]) -> None:
        seen.append(await _count(committed_sessions, "delivery_replies"))
        raise ConnectionError

    house.handler.deliver_now = deliver
    await house.receive(bot, "7", "/order")
    await house.settle()
    assert seen == [1]
    assert await _count(committed_sessions, "inbound_queue") == 0


async def test_a_flow_knows_which_update_said_it(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = House(committed_sessions, agree)
    await house.receive(bot, "7", "/agree")
    await house.settle()
    async with committed_sessions() as session:
        update_id = await session.scalar(text("SELECT id FROM inbound_updates"))
    assert await _paid(committed_sessions) == [f"update:{update_id}"]

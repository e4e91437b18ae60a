import re
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import service as members
from crm.operators import chats as operator_chats
from crm.points import service as points
from flows.steps.code import digits
from flows.testing import Conversation
from tests.factories.operators import make_operator
from tests.flows.talking import member, stranger, words


async def shown_code(chat: Conversation, locale: str = "en") -> str:
    await chat.send("/link")
    await chat.tap(words(locale, "Show me a code", "给我一个验证码"))
    found = re.search(r"\b\d{6}\b", chat.text)
    assert found
    return found[0]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_a_code_typed_in_the_other_chat_joins_both(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat, stranger(session, locale, channel="webchat") as other:
        code = await shown_code(chat, locale)
        await other.send(f"/link {code[:3]} {code[3:]}")
        balance = await points.balance(session, chat.member_id)
        other.expects(words(locale, "Linked!", "关联好了"), str(balance))
        assert (await members.identity(session, other.contact.identity.id)).member_id == chat.member_id
        await other.send("/checkin")
        other.expects(words(locale, "Checked in!", "签到成功"))
        await chat.send("/checkin")
        chat.expects(words(locale, "already checked in", "已经签过到"))


async def test_the_code_can_be_typed_step_by_step(session: AsyncSession) -> None:
    async with member(session) as chat, member(session, channel="webchat") as other:
        code = await shown_code(chat)
        await other.send("/link")
        await other.tap("I have a code")
        for wrong in ("12345", "abcdef", "1" * 10_000):
            await other.send(wrong)
            other.expects("six digits")
        await other.send(code)
        other.expects("Linked!")
        await other.send(f"/link {await shown_code(chat)}")
        other.expects("linked already")


async def test_a_wrong_code_the_own_code_and_too_many_tries(session: AsyncSession) -> None:
    async with member(session) as chat, stranger(session, channel="webchat") as other:
        code = await shown_code(chat)
        await chat.send(f"/link {code}")
        chat.expects("other app")
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for _ in range(5):
            await other.send(f"/link {wrong}")
            other.expects("doesn't fit")
        await other.send(f"/link {code}")
        other.expects("wait ten minutes")
        assert (await members.identity(session, other.contact.identity.id)).member_id != chat.member_id


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        ("123 456", "123456"),
        ("１２３-４５６", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345x", None),
        ("", None),
        ("²²²²²²", None),
        ("0" * 1000, None),
    ],
)
def test_digits_are_read_generously(typed: str, code: str | None) -> None:
    assert digits(typed) == code


async def test_a_code_that_is_not_typed_in_time_runs_out(session: AsyncSession) -> None:
    async with member(session) as chat, member(session, channel="webchat") as other:
        code = await shown_code(chat)
        await other.send("/link")
        await other.tap("I have a code")
        await other.wait(timedelta(minutes=11))
        other.expects("run out")
        await other.send(f"/link {code}")
        other.expects("doesn't fit, or it has run out")


async def test_an_operator_links_a_chat_for_test_sends(session: AsyncSession) -> None:
    operator = await make_operator(session)
    issued = await operator_chats.issue_code(session, operator.id)
    async with stranger(session, "en") as chat:
        await chat.send(f"/link {issued.code.lower()}")
        chat.expects("This chat is yours now")
        await chat.send(f"/link {issued.code}")
        chat.expects("wrong or has run out")
    assert len(await operator_chats.linked(session, operator.id)) == 1

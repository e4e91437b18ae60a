"""Linking two channel accounts: a code shown in one chat and typed in the other proves that both are one person's."""

from datetime import datetime, timedelta

from crm.members import linking
from crm.operators import chats as operator_chats
from crm.operators.errors import ChatCodeWrongError
from crm.operators.tokens import is_chat_code
from crm.points import service as points
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.errors import AnswerTimedOut
from flows.engine.flow import Button, Command, Keyword, flow
from flows.steps.code import Code, digits
from flows.steps.patience import A_DAY, leaves_quietly

_WAITS = timedelta(minutes=10)
_SECONDS_PER_MINUTE = 60
_EXPLAINED = {
    "same_account": "link/same_account",
    "too_many_tries": "link/too_many_tries",
    "merge_impossible": "link/impossible",
}


@flow("link", starts=[Command("link"), Keyword("关联", "关联账号", "绑定", "link"), Button("link")], is_parked=False)
@leaves_quietly
async def link(chat: Chat, code: str = "") -> None:
    """Shows a code, or takes the one that the other chat showed (also at once, as `/link 123456`).

    An operator's code from the settings page makes this chat one of theirs, for test sends.
    """
    if is_chat_code(code):
        await _link_operator(chat, code)
        return
    known = digits(code)
    if known is None:
        if not code and await chat.ask("link/ask", Choice("show", "enter"), timeout=A_DAY) == "show":
            await _show(chat)
            return
        try:
            known = await chat.ask("link/enter", Code(), timeout=_WAITS)
        except AnswerTimedOut:
            await chat.say("link/run_out")
            return
    await _redeem(chat, known)


async def _link_operator(chat: Chat, code: str) -> None:
    try:
        linked = await chat.do(operator_chats.redeem_code, code, identity_id=chat.identity_id)
    except ChatCodeWrongError:
        await chat.say("link/wrong_operator_code")
    else:
        await chat.say("link/operator", name=linked.operator_name)


async def _show(chat: Chat) -> None:
    made = await chat.do(linking.issue_link_code, identity_id=chat.identity_id)
    await chat.say("link/code", code=made.code, minutes=_minutes(made.expires_at, chat.now))


def _minutes(until: datetime, now: datetime) -> int:
    return max(1, round((until - now).total_seconds() / _SECONDS_PER_MINUTE))


async def _redeem(chat: Chat, code: str) -> None:
    result = await chat.do(linking.redeem_link_code, code, identity_id=chat.identity_id)
    if result.problem is not None:
        await chat.say(_EXPLAINED.get(result.problem, "link/wrong_code"))
    elif result.merged_member_id is None:
        await chat.say("link/already_one")
    else:
        await chat.say("link/done", balance=await chat.look(points.balance))

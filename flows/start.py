"""Opening the chat: where the member came from is noted, strangers are led in, members are welcomed back."""

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service.definitions import DOOR_PREFIX
from crm.consent import service as consent
from crm.members import service as members
from crm.referrals.policy import PREFIX
from crm.referrals.service import joining
from crm.referrals.types import Outcome
from crm.sources import service as sources
from flows import activities, survey
from flows.engine.chat import Chat
from flows.engine.flow import Flow, Keyword, Opening, Opens, flow
from flows.menu import MENU
from flows.steps import invitations

_LINKED: dict[str, Flow[None]] = {
    "survey-": survey.survey,
    "survey:": survey.survey,
    "activity-": activities.activities,
    DOOR_PREFIX: activities.attend,
}
"""What a deep link opens by its beginning; a source's code never begins so."""


async def _wants_news(session: AsyncSession, member_id: int) -> bool:
    return any(status.is_given for status in await consent.status(session, member_id))


@flow("start", starts=[Opening(), Keyword("hi", "hello", "hey", "你好", "您好", "嗨", "start", "开始")])
async def start(chat: Chat, payload: str = "") -> None:
    """Welcomes, notes the source, and opens the survey, activity or door that the link names."""
    prefix = next((prefix for prefix in _LINKED if payload.startswith(prefix) and payload != prefix), "")
    if payload and not prefix:
        await _note_origin(chat, payload)
    member = await chat.look(members.get)
    if not member.is_signed_up:
        await chat.member()
    elif not prefix:
        await _welcome_back(chat, member.display_name)
    if prefix:
        await chat.call(_LINKED[prefix], payload.removeprefix(prefix))


async def _note_origin(chat: Chat, code: str) -> None:
    """Who invited them, or which source they came through."""
    touch = None
    if code.startswith(PREFIX):
        touch = await chat.do(joining.touch, code, identity_id=chat.identity_id, key="friend")
    if touch is None:
        source = await chat.do(sources.touch, code, identity_id=chat.identity_id)
        if source is not None and source.welcome:
            await chat.say("start/source_welcome", welcome=source.welcome)
    elif touch.outcome is Outcome.SELF:
        await chat.say("start/own_link")
    elif touch.outcome is Outcome.BOUND:
        gift = touch.gift
        prize = await chat.look(invitations.friend_prize, gift.points, gift.coupon_id)
        name, minimum = touch.referrer_name, touch.minimum_order
        await chat.say("start/invited", name=name, prize=asdict(prize), act=touch.act, minimum=minimum)


async def _welcome_back(chat: Chat, name: str) -> None:
    await chat.say("start/welcome_back", name=name, menu=MENU)
    if not await chat.look(_wants_news):
        await chat.say("start/news_are_off", buttons=[[Opens("subscribe")]])

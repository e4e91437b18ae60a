"""Rewards: looking through what points buy, and taking one of it."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.errors import DomainError
from crm.kit.ids import token
from crm.points import service as points
from crm.rewards import policy
from crm.rewards.errors import RewardNotFound
from crm.rewards.service import catalogue, redeeming
from crm.rewards.types import Offer, Redemption
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow
from flows.engine.questions import Text
from flows.steps import loyalty_words, zones
from flows.steps.numbers import number_in
from flows.steps.patience import A_DAY, leaves_quietly
from flows.vouchers import show_voucher

_MOST = 12
_YES, _NO = "yes", "no"


async def _redeem(session: AsyncSession, member_id: int, reward_id: int, address: str | None) -> Redemption:
    """The journal sees to it that this happens once in a conversation."""
    return await redeeming.redeem(session, member_id, reward_id, key=token("chat:"), address=address)


@flow(
    "rewards",
    starts=[
        Command("rewards"),
        Keyword("积分商城", "商城", "兑换", "换礼品", "礼品", "礼物", "rewards", "reward", "shop", "redeem"),
        Menu({"zh-CN": "🎁 兑换", "en": "🎁 Rewards"}),
        Button("rewards"),
    ],
    is_parked=False,
)
@leaves_quietly
async def rewards(chat: Chat, wanted: str = "") -> None:
    """Shows the catalogue, then one reward, then asks before anything is spent."""
    await chat.member()
    currency = await chat.look(loyalty_words.currency)
    reward_id = number_in(wanted)
    if reward_id is None:
        await _list(chat, currency)
        return
    try:
        offer = await chat.look(catalogue.offer, reward_id)
    except RewardNotFound:
        await chat.say("rewards/gone", buttons=[[Opens("rewards")]])
        return
    shown = {**loyalty_words.of_reward(offer.reward), "currency": currency}
    await chat.say("rewards/shown", photo=offer.reward.photo_media_id, **shown)
    if not offer.can_have:
        await _refuse(chat, offer.why_not or "", balance=await chat.look(points.balance))
        return
    if await chat.ask("rewards/confirm", Choice(_YES, _NO, columns=2), timeout=A_DAY, **shown) == _NO:
        await chat.say("rewards/left_it", buttons=[[Opens("rewards")]])
        return
    await _take(chat, offer, await _address(chat, offer))


async def _list(chat: Chat, currency: str) -> None:
    offers = (await chat.look(catalogue.offers))[:_MOST]
    balance = await chat.look(points.balance)
    if not offers:
        await chat.say("rewards/none", balance=balance)
        return
    lines = [{**loyalty_words.of_reward(offer.reward), "can_have": offer.can_have} for offer in offers]
    buttons = [[Opens("rewards", str(offer.reward.id), offer.reward.name)] for offer in offers]
    await chat.say("rewards/pick", lines=lines, balance=balance, currency=currency, buttons=buttons)


async def _address(chat: Chat, offer: Offer) -> str | None:
    if not offer.reward.needs_address:
        return None
    question = Text(policy.MAX_ADDRESS, policy.MIN_ADDRESS)
    return await chat.ask("rewards/address", question, timeout=A_DAY)


async def _take(chat: Chat, offer: Offer, address: str | None) -> None:
    try:
        done = await chat.do(_redeem, offer.reward.id, address, key="redeem")
    except DomainError as error:
        zone = ZoneInfo(await chat.look(zones.current))
        said: dict[str, Any] = loyalty_words.of_refusal(error, zone)
        await _refuse(chat, said.pop("why"), **said)
        return
    values: dict[str, Any] = {"name": offer.reward.name, "balance": done.balance, "number": _number(done.id)}
    if done.voucher_id is None:
        await chat.say("rewards/goods", is_sent=offer.reward.needs_address, **values)
        return
    await chat.say("rewards/done", **values)
    await show_voucher(chat, done.voucher_id)


async def _refuse(chat: Chat, why: str, **values: Any) -> None:
    await chat.say(
        "rewards/cannot", **loyalty_words.refused(why, **values), buttons=[[Opens("check_in"), Opens("rewards")]]
    )


def _number(redemption_id: UUID) -> str:
    """The short number by which the shop finds a redemption."""
    return redemption_id.hex[-8:].upper()

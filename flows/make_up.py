"""Make-ups: a missed day is filled with a card, and a card can be bought with points."""

from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, filling
from crm.check_ins.types import MadeUp, MakeUps
from crm.kit.errors import DomainError
from crm.kit.ids import token
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.engine.reading import Option
from flows.steps import loyalty_words, milestones, zones
from flows.steps.patience import A_DAY, leaves_quietly

_SHOWN = 8
_LANGUAGES = {"en": "en", "zh-CN": "zh_Hans_CN"}


async def _fill(session: AsyncSession, member_id: int, place: int, offer: MakeUps) -> MadeUp:
    """The day at `place` of what was offered."""
    return await filling.make_up(session, member_id, offer.days[place])


async def _buy(session: AsyncSession, member_id: int) -> int:
    """The journal sees to it that this happens once for each tap."""
    return await cards.buy(session, member_id, key=token("chat:"))


@flow(
    "make_up",
    starts=[Command("makeup"), Keyword("补签", "补签卡", "make up", "make-up", "makeup"), Button("make_up")],
    is_parked=False,
)
@leaves_quietly
async def make_up(chat: Chat) -> None:
    """Shows missed days and cards; fills one day, or sells a card first."""
    await chat.member()
    offer = await chat.look(filling.offered)
    obstacle = _obstacle(offer)
    if obstacle is not None:
        await chat.say("make_up/cannot", **_said(offer, obstacle), buttons=[[Opens("calendar")]])
        return
    if offer.cards == 0:
        if await chat.ask("make_up/buy", Choice("buy", "leave"), timeout=A_DAY, **_said(offer)) == "leave":
            await chat.say("make_up/left")
            return
        try:
            await chat.do(_buy, key="buy")
        except DomainError as error:
            await _refuse(chat, error, offer)
            return
        offer = await chat.look(filling.offered, key="after_buying")
    options = [Option(str(place), _named(offer, place)) for place in range(min(len(offer.days), _SHOWN))]
    picked = await chat.ask("make_up/pick", Choice(*options, Option("leave"), columns=2), timeout=A_DAY, **_said(offer))
    if picked == "leave":
        await chat.say("make_up/left")
        return
    try:
        made = await chat.do(_fill, int(picked), offer, key="fill")
    except DomainError as error:
        await _refuse(chat, error, offer)
        return
    again = [Opens("make_up")] if len(offer.days) > 1 else []
    await chat.say(
        "make_up/done",
        day=made.local_date,
        streak=made.streak,
        points=made.points,
        cards=made.cards,
        gifts=milestones.of_gifts(made.gifts),
        buttons=[[*again, Opens("calendar")]],
    )


def _obstacle(offer: MakeUps) -> str | None:
    """Why nothing can be filled now."""
    if offer.days_back == 0:
        return "make_up_off"
    if not offer.days:
        return "nothing_missed"
    if offer.left_this_month == 0:
        return "make_up_limit"
    return "no_cards" if offer.cards == 0 and offer.price is None else None


def _said(offer: MakeUps, why: str = "") -> dict[str, Any]:
    return {
        "why": why,
        "cards": offer.cards,
        "price": offer.price,
        "left": offer.left_this_month,
        "days_back": offer.days_back,
        "missed": len(offer.days),
        "balance": None,
    }


def _named(offer: MakeUps, place: int) -> dict[str, str]:
    """The day by locale, e.g. `Mar 3` and `3月3日`."""
    day = offer.days[place]
    return {locale: format_skeleton("MMMd", day, locale=name) for locale, name in _LANGUAGES.items()}


async def _refuse(chat: Chat, error: DomainError, offer: MakeUps) -> None:
    said = loyalty_words.of_refusal(error, ZoneInfo(await chat.look(zones.current)))
    values = {**_said(offer), "why": said["why"], "balance": said["balance"]}
    await chat.say("make_up/cannot", **values, buttons=[[Opens("calendar")]])

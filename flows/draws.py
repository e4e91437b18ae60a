"""Draws: playing, buying chances, and verifying afterwards that all was fair."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws import policy
from crm.draws.errors import DrawNotFound
from crm.draws.service import chances, offering, playing, verifying
from crm.draws.types import Chances, Draw, DrawKind, OfferedDraw, Play
from crm.kit.errors import DomainError
from crm.kit.ids import token
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.steps import loyalty_words, zones
from flows.steps.numbers import number_in
from flows.steps.patience import A_DAY, leaves_quietly

_SHOWN = 10
_FOUND_LATER = frozenset({"no_chances", "insufficient_points", "chances_not_sold", "draw_not_yet"})
"""What may be different when the member comes back, so that the draw is shown again."""


async def _play(session: AsyncSession, member_id: int, draw_id: int) -> Play:
    """The journal sees to it that this happens once for each tap."""
    return await playing.play(session, member_id, draw_id, key=token("chat:"))


async def _buy(session: AsyncSession, member_id: int, draw_id: int) -> Chances:
    return await chances.buy(session, member_id, draw_id, key=token("chat:"))


@flow(
    "draws",
    starts=[
        Command("draw"),
        Keyword("抽奖", "抽红包", "红包", "领红包", "draw", "lucky draw", "red packet"),
        Button("draws"),
    ],
    is_parked=False,
)
@leaves_quietly
async def draws(chat: Chat, wanted: str = "") -> None:
    """Shows a draw with its odds and its commitment, and plays as often as the member likes and may."""
    await chat.member()
    draw_id = number_in(wanted)
    if draw_id is None:
        draw_id = await _pick(chat)
    if draw_id is None:
        return
    while True:
        try:
            offer = await chat.look(offering.one, draw_id)
        except DrawNotFound:
            await chat.say("draws/none")
            return
        answer = await chat.ask(
            "draws/shown", Choice(*_acts(offer), columns=2), timeout=A_DAY, **_of_draw(offer.draw), **_of_chances(offer)
        )
        if answer == "leave":
            await chat.say("draws/left", buttons=[[Opens("verify")]])
            return
        if not await (_played if answer == "play" else _bought)(chat, offer.draw):
            return


async def _pick(chat: Chat) -> int | None:
    offers = await chat.look(offering.offered)
    if not offers:
        await chat.say("draws/none", buttons=[[Opens("verify"), Opens("missions")]])
        return None
    if len(offers) == 1:
        return offers[0].draw.id
    await chat.say("draws/pick", buttons=[[Opens("draws", str(offer.draw.id), offer.draw.name)] for offer in offers])
    return None


def _acts(offer: OfferedDraw) -> list[str]:
    can_play = offer.why_not is None and offer.chances.total > 0
    can_buy = offer.why_not is None and offer.chances.for_sale > 0
    return [*(["play"] if can_play else []), *(["buy"] if can_buy else []), "leave"]


async def _played(chat: Chat, draw: Draw) -> bool:
    """Whether the draw is to be shown again."""
    try:
        play = await chat.do(_play, draw.id, key="play")
    except DomainError as error:
        return await _refuse(chat, error)
    prize = play.prize
    await chat.say(
        "draws/result",
        kind="packet" if prize is None else prize.kind.value,
        name={} if prize is None else prize.name,
        points=play.outcome.points,
        is_pending=play.status.value == "pending",
        number=play.number,
        attempt=play.attempt,
        position=play.position,
    )
    return True


async def _bought(chat: Chat, draw: Draw) -> bool:
    try:
        await chat.do(_buy, draw.id, key="buy")
    except DomainError as error:
        return await _refuse(chat, error)
    await chat.say("draws/bought")
    return True


async def _refuse(chat: Chat, error: DomainError) -> bool:
    said = loyalty_words.of_refusal(error, ZoneInfo(await chat.look(zones.current)))
    await chat.say("draws/cannot", **said)
    return error.code() in _FOUND_LATER


@flow(
    "verify",
    starts=[Command("verify"), Keyword("验证", "验证抽奖", "verify", "verify draw"), Button("verify")],
    is_parked=False,
)
@leaves_quietly
async def verify(chat: Chat, wanted: str = "") -> None:
    """Recomputes the member's own results from the revealed seed, and says how anybody can."""
    await chat.member()
    known = await chat.look(offering.played)
    if not known:
        await chat.say("draws/nothing_to_verify", buttons=[[Opens("draws")]])
        return
    picked = known if len(known) == 1 else [draw for draw in known if str(draw.id) == wanted]
    if not picked:
        await chat.say("draws/pick_to_verify", buttons=[[Opens("verify", str(draw.id), draw.name)] for draw in known])
        return
    proof = await chat.look(verifying.of_member, picked[0].id)
    prizes = proof.draw.rules.prizes
    checked = {check.position: check for check in proof.checked}
    lines = [
        {
            "position": play.position,
            "attempt": play.attempt,
            "name": {} if play.outcome.prize is None else prizes[play.outcome.prize].name,
            "is_packet": play.outcome.prize is None,
            "points": play.outcome.points,
            "ticket": checked[play.position].ticket if play.position in checked else None,
            "digest": checked[play.position].digest[:16] if play.position in checked else "",
            "is_right": play.position in checked and checked[play.position].is_right,
            "ran_out": play.outcome.drawn != play.outcome.prize,
        }
        for play in proof.plays[-_SHOWN:]
    ]
    await chat.say(
        "draws/proof",
        lines=lines,
        number=proof.number,
        seed=proof.draw.seed,
        seed_fits=proof.seed_fits,
        rules_fit=proof.rules_fit,
        **_of_draw(proof.draw),
    )


def _of_draw(draw: Draw) -> dict[str, Any]:
    """A draw, its odds in per cent."""
    rules = draw.rules
    lines = [
        {"name": prize.name, "odds": odds, "left": left}
        for prize, odds, left in zip(rules.prizes, policy.percents(rules), draw.stand.left, strict=True)
    ]
    return {
        "draw_id": draw.id,
        "title": draw.name,
        "description": draw.description,
        "is_packets": rules.kind is DrawKind.PACKETS,
        "prizes": lines,
        "packets": draw.stand.packets,
        "points_left": draw.stand.points,
        "commitment": draw.commitment,
    }


def _of_chances(offer: OfferedDraw) -> dict[str, Any]:
    return {
        "chances": offer.chances.total,
        "for_sale": offer.chances.for_sale,
        "price": offer.chances.price,
        "why": offer.why_not,
    }

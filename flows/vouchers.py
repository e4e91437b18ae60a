"""Vouchers: what a member holds, with the code to show at the counter; and codes that are said to the bot."""

from uuid import UUID
from zoneinfo import ZoneInfo

from crm.coupons.errors import CouponNotFound, VoucherNotFound
from crm.coupons.service import holding, issuing
from crm.coupons.types import Voucher
from crm.kit.errors import DomainError
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.engine.questions import Text
from flows.steps import loyalty_words, zones
from flows.steps.patience import A_DAY, leaves_quietly

_MOST = 12
_TRIES = 5
_MAX_CODE = 80


async def show_voucher(chat: Chat, voucher_id: UUID) -> None:
    """The voucher with its code, as text and as a picture to be scanned."""
    try:
        voucher, picture = await chat.do(holding.show, voucher_id, key="show_voucher")
    except VoucherNotFound:
        await chat.say("vouchers/none", buttons=[[Opens("rewards")]])
        return
    zone = ZoneInfo(await chat.look(zones.current))
    currency = await chat.look(loyalty_words.currency)
    await chat.say("vouchers/shown", photo=picture, **loyalty_words.of_voucher(voucher, zone), currency=currency)


@flow(
    "vouchers",
    starts=[
        Command("coupons"),
        Keyword("优惠券", "我的优惠券", "卡券", "我的券", "coupons", "vouchers", "my coupons", "my vouchers"),
        Button("vouchers"),
    ],
    is_parked=False,
)
@leaves_quietly
async def vouchers(chat: Chat, wanted: str = "") -> None:
    """Lists what can be used, and shows the one that is wanted."""
    await chat.member()
    held = (await chat.look(holding.usable))[:_MOST]
    if not held:
        await chat.say("vouchers/none", buttons=[[Opens("rewards"), Opens("code")]])
        return
    picked = held if len(held) == 1 else [voucher for voucher in held if str(voucher.id) == wanted]
    if picked:
        await show_voucher(chat, picked[0].id)
    else:
        await _list(chat, held)


async def _list(chat: Chat, held: list[Voucher]) -> None:
    zone = ZoneInfo(await chat.look(zones.current))
    lines = [loyalty_words.of_voucher(voucher, zone) for voucher in held]
    buttons = [[Opens("vouchers", str(voucher.id), voucher.name)] for voucher in held]
    await chat.say("vouchers/pick", lines=lines, buttons=buttons)


@flow(
    "code",
    starts=[Command("code"), Keyword("兑换码", "优惠码", "口令", "code", "promo code"), Button("code")],
    is_parked=False,
)
@leaves_quietly
async def code(chat: Chat, said: str = "") -> None:
    """Turns a code from an advertisement into a voucher of the member's own; one that nobody knows is asked again."""
    await chat.member()
    for _ in range(_TRIES):
        given = said or await chat.ask("vouchers/ask_code", Text(_MAX_CODE), timeout=A_DAY)
        try:
            voucher = await chat.do(issuing.claim, given)
        except CouponNotFound as error:
            await _refuse(chat, error)
            said = ""
        except DomainError as error:
            await _refuse(chat, error)
            return
        else:
            await show_voucher(chat, voucher.id)
            return


async def _refuse(chat: Chat, error: DomainError) -> None:
    refusal = loyalty_words.of_refusal(error, ZoneInfo(await chat.look(zones.current)))
    await chat.say("vouchers/refused", **refusal, buttons=[[Opens("code"), Opens("vouchers")]])

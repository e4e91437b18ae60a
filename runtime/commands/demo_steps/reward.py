"""A member redeems a reward, and its voucher is verified at the counter."""

import re

from runtime.commands.demo_steps.chat import MemberChat
from runtime.commands.demo_steps.office import Office
from runtime.commands.demo_steps.script import Script, StepFailed

_COUPON = {
    "name": {"en": "Ten off", "zh-CN": "立减十元"},
    "terms": {"kind": "fixed", "value": "10", "minimum_spend": "50", "valid_days": 30},
    "pattern": "TEA-****-****",
}
_CODE = re.compile(r"TEA-\w{4}-\w{4}")
_PRICE = 20


async def redeem(script: Script, chat: MemberChat, office: Office) -> None:
    """From the shelf to the counter. Raises StepFailed."""
    script.title("The member redeems a reward, and the counter verifies its voucher")
    coupon = await office.post("coupons", _COUPON)
    reward = {"name": _COUPON["name"], "kind": "voucher", "coupon_id": coupon["id"], "price": {"points": _PRICE}}
    made = await office.post("rewards", {**reward, "stock": 1})
    script.operator(f"offers a voucher for {_PRICE} points, one in stock")
    await chat.say("/rewards")
    await chat.hears("Ten off", "only 1 left")
    await chat.tap("Ten off")
    await chat.hears(f"Take it for {_PRICE} points?")
    await chat.tap("Yes, please")
    await chat.hears("It's yours!")
    code = _code_in(await chat.hears("TEA-", "Ten off"))
    checked = await office.post("vouchers/check", {"code": code, "amount": "68.00"})
    script.verify(checked["verdict"] == "valid" and checked["discount"] == "10.00", "valid: 10.00 off a bill of 68.00")
    used = await office.post("vouchers/use", {"codes": [code], "key": "demo-receipt-1", "amount": "68.00"})
    again = await office.post("vouchers/use", {"codes": [code], "key": "demo-receipt-1", "amount": "68.00"})
    script.operator(f"uses {code} at the counter, and clicks twice")
    script.verify(used["is_new"] and not again["is_new"], "it was used once")
    checked = await office.post("vouchers/check", {"code": code})
    left = await office.get(f"rewards/{made['id']}")
    script.verify(checked["verdict"] == "used" and left["stock"] == 0, "the voucher is used, the shelf is empty")


def _code_in(text: str) -> str:
    found = _CODE.search(text)
    if found is None:
        raise StepFailed("there is no code in the bot's answer")
    return found[0]

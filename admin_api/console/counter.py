"""The counter: type or scan a code, see at a glance what it is worth, use it once, take that back."""

from typing import Annotated, Any

from fastapi import Form, Query, Response
from pydantic import BaseModel

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import vouchers as api
from admin_api.console.forms import body_of
from admin_api.console.loyalty_forms import Text, filled, in_locale
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import again, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.coupons.types import Verdict, Voucher, VoucherStatus
from crm.kit.errors import DomainError
from crm.kit.ids import token
from crm.members import service as members
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/counter")
HERE = f"{ROOT}/counter"
_VERIFY = allow(Permission.VOUCHERS_VERIFY)
_PAGE = "counter/counter"


class CounterForm(BaseModel):
    """What the counter's forms post; `key` makes a double click harmless."""

    code: Text = ""
    amount: Text = ""
    member_id: Text = ""
    reference: Text = ""
    explanation: Text = ""
    key: Text = ""


Posted = Annotated[CounterForm, Form()]


@router.get("", dependencies=[_VERIFY], name="counter.page")
async def counter_page(edge: EdgeOf, member_id: Annotated[str, Query(max_length=20)] = "") -> Response:
    """A field for a code, perhaps for one member alone."""
    return await _show(edge, CounterForm(member_id=member_id))


@router.post("", dependencies=[_VERIFY], name="counter.check_by_form")
async def check(edge: EdgeOf, posted: Posted) -> Response:
    """Look a code up; nothing is changed."""
    try:
        shown = await _checked(edge, posted)
    except DomainError as error:
        return await again(edge, _PAGE, error, nav="counter", form=posted)
    subject = f"voucher:{shown['voucher'].id}" if "voucher" in shown else "voucher"
    edge.note("voucher.check", subject, after={"verdict": shown["verdict"]})
    return await _show(edge, posted, **shown)


@router.post("/use", dependencies=[_VERIFY], name="counter.use_by_form")
async def use(edge: EdgeOf, posted: Posted) -> Response:
    """Use the voucher now; the form's key answers a second click as the first one."""
    typed = filled(posted.model_dump(), "key", "member_id", "amount", "reference")
    try:
        done = await api.use_vouchers(edge, body_of(api.Order, codes=[posted.code], **typed))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, _PAGE, error, nav="counter", form=posted, **await _checked_or_nothing(edge, posted))
    voucher = done.vouchers[0]
    if voucher.status is not VoucherStatus.USED:  # the key is an old one: its use was taken back meanwhile
        return await _show(edge, posted, **await _checked(edge, posted))
    return await _show(edge, posted, is_done=True, discount=done.discount, **await _about(edge, voucher))


@router.post("/undo", dependencies=[_VERIFY], name="counter.undo_by_form")
async def undo(edge: EdgeOf, posted: Posted) -> Response:
    """Take the use back, with a reason."""
    try:
        body = body_of(api.Return, code=posted.code, reason=posted.explanation.strip())
        await api.roll_back_voucher(edge, body)
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, _PAGE, error, nav="counter", form=posted, **await _checked_or_nothing(edge, posted))
    return await _show(edge, posted, is_undone=True, **await _checked(edge, posted))


async def _show(edge: Edge, posted: CounterForm, **values: Any) -> Response:
    return await render(edge, _PAGE, nav="counter", form=posted, **values)


async def _checked(edge: Edge, posted: CounterForm) -> dict[str, Any]:
    """What the code is worth. Raises InvalidForm."""
    body = body_of(api.Look, code=posted.code, **filled(posted.model_dump(), "member_id", "amount"))
    found = await api.check_voucher(edge, body)
    shown: dict[str, Any] = {"verdict": found.verdict, "discount": found.discount, "problem": found.problem}
    if found.voucher is None or found.verdict is Verdict.UNKNOWN:
        return shown
    return {**shown, **await _about(edge, found.voucher)}


async def _checked_or_nothing(edge: Edge, posted: CounterForm) -> dict[str, Any]:
    try:
        return await _checked(edge, posted)
    except DomainError:
        return {}


async def _about(edge: Edge, voucher: Voucher) -> dict[str, Any]:
    """The voucher with what the counter may see of its member, and a new key for its use."""
    member = await members.get(edge.session, voucher.member_id)
    return {
        "voucher": voucher,
        "heading": in_locale(edge.acting, voucher.name),
        "description": in_locale(edge.acting, voucher.description),
        "holder": _masked(member.display_name),
        "holder_phone": member.phone_masked,
        "actors": await actor_names(edge),
        "key": token(size=12),
    }


def _masked(name: str) -> str:
    """The first character of a name: enough to ask for it, too little to learn it."""
    return f"{name.strip()[:1]}**" if name.strip() else ""

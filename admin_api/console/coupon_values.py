"""Coupons in forms and on pages: what was typed as bodies of the API, faults of code lists line by line."""

import re
from typing import Any

from pydantic import BaseModel

from admin_api.api.coupons import CouponBody, CouponChange, TermsBody
from admin_api.console.forms import address, body_of
from admin_api.console.loyalty_forms import Text, as_fields, filled, in_locale, moments, texts
from admin_api.console.pages import formats_of, say
from admin_api.edge import Edge
from crm.coupons.service import definitions, holding
from crm.coupons.types import CodeSource, Coupon, CouponKind, Stacking, VoucherStatus
from crm.kit.errors import DomainError
from crm.members import service as members

_NUMBER = re.compile(r"\d+")
_PAGE = 30
_SAME = "the same code as in line {line}"


class CouponForm(BaseModel):
    """What the form of a coupon posts."""

    name_zh: Text = ""
    name_en: Text = ""
    description_zh: Text = ""
    description_en: Text = ""
    kind: Text = CouponKind.FIXED.value
    value: Text = ""
    most: Text = ""
    minimum_spend: Text = ""
    stacking: Text = Stacking.ALONE.value
    starts_at: Text = ""
    ends_at: Text = ""
    valid_days: Text = ""
    limit_total: Text = ""
    limit_per_member: Text = ""
    code_source: Text = CodeSource.PATTERN.value
    pattern: Text = ""
    shared_code: Text = ""


async def new_body(edge: Edge, form: CouponForm) -> CouponBody:
    """What the API takes to make a coupon. Raises InvalidForm, WrongMomentError."""
    typed = form.model_dump()
    return body_of(
        CouponBody,
        **await _common(edge, typed),
        code_source=form.code_source,
        **filled(typed, "pattern", "shared_code"),
    )


async def change_body(edge: Edge, form: CouponForm, coupon: Coupon) -> CouponChange:
    """What the API takes to change `coupon`; its kind stays. Raises InvalidForm, WrongMomentError."""
    typed = {**form.model_dump(), "kind": coupon.terms.kind}
    changes = {**await _common(edge, typed), "shared_code": form.shared_code}
    if coupon.code_source is CodeSource.PATTERN and form.pattern.strip():
        changes["pattern"] = form.pattern
    return body_of(CouponChange, **changes)


async def _common(edge: Edge, typed: dict[str, Any]) -> dict[str, Any]:
    names = ("value", "most", "minimum_spend", "valid_days", "limit_total", "limit_per_member")
    plain = {"kind": typed["kind"], "stacking": typed["stacking"]}
    terms = body_of(TermsBody, **plain, **filled(typed, *names), **await moments(edge, typed))
    return {"name": texts(typed, "name"), "description": texts(typed, "description"), "terms": terms}


async def form_of(edge: Edge, coupon: Coupon) -> dict[str, Any]:
    """A stored coupon as its form shows it."""
    formats = await formats_of(edge)
    terms = {name: "" if value is None else value for name, value in vars(coupon.terms).items()}
    times = {name: formats.field(getattr(coupon.terms, name)) for name in ("starts_at", "ends_at")}
    return {
        **terms,
        **times,
        **as_fields("name", coupon.name),
        **as_fields("description", coupon.description),
        "code_source": coupon.code_source,
        "pattern": coupon.pattern or "",
        "shared_code": coupon.shared_code or "",
    }


def choices() -> dict[str, Any]:
    """What the form's lists offer."""
    return {"kinds": list(CouponKind), "stackings": list(Stacking), "code_sources": list(CodeSource)}


async def detail(edge: Edge, coupon_id: int, *, status: str = "", cursor: str | None = None) -> dict[str, Any]:
    """Everything that the page of one coupon shows."""
    coupon = await definitions.get(edge.session, coupon_id)
    wanted = VoucherStatus(status) if status in set(VoucherStatus) else None
    page = await holding.listing(edge.session, coupon_id=coupon_id, status=wanted, limit=_PAGE, cursor=cursor)
    here = f"/console/coupons/{coupon_id}"
    return {
        "coupon": coupon,
        "heading": in_locale(edge.acting, coupon.name),
        "vouchers": page.items,
        "holders": await names(edge, [voucher.member_id for voucher in page.items]),
        "statuses": list(VoucherStatus),
        "chosen": status if wanted else "",
        "next_href": address(here, status=status, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": address(here, status=status) if cursor else "",
        **choices(),
    }


async def names(edge: Edge, member_ids: list[int]) -> dict[int, str]:
    """What members are called, by id."""
    return {item: (await members.get(edge.session, item)).display_name for item in sorted(set(member_ids))}


def code_faults(edge: Edge, error: DomainError) -> list[tuple[str, str]]:
    """What is wrong with a list of codes: where, and why, in the operator's language."""
    problems = error.facts.get("problems") or {}
    return [(_place(edge, where), _fault(edge, why)) for where, why in problems.items()]


def _place(edge: Edge, where: str) -> str:
    """`line 3` in the operator's language; a code stands as it is."""
    return say(edge, "line {line}").replace("{line}", where[5:]) if where.startswith("line ") else where


def _fault(edge: Edge, why: str) -> str:
    if why.startswith(_SAME.partition("{")[0]):
        found = _NUMBER.search(why)
        return say(edge, _SAME).replace("{line}", found[0] if found else "")
    return say(edge, why)

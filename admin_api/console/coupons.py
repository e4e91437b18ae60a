"""Coupons: list, form, detail with its vouchers, import of codes, switch."""

from typing import Annotated, Any

from fastapi import File, Form, Query, Response, UploadFile
from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import coupons as api
from admin_api.console import coupon_values
from admin_api.console.coupon_values import CouponForm
from admin_api.console.forms import body_of
from admin_api.console.loyalty_forms import Text, in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.deps import Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.coupons.errors import InvalidCodes
from crm.coupons.service import definitions
from crm.coupons.types import Coupon
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/coupons")
HERE = f"{ROOT}/coupons"
_READ, _WRITE = allow(Permission.COUPONS_READ), allow(Permission.COUPONS_WRITE)
_LARGEST = 6 * 1024 * 1024
Posted = Annotated[CouponForm, Form()]
Status = Annotated[str, Query(max_length=20)]
Pasted = Annotated[str, Form(max_length=5_000_000)]


@router.get("", dependencies=[_READ], name="coupon.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every coupon, newest first, with how many were issued and used."""
    found = await definitions.listing(edge.session)
    titles = {coupon.id: in_locale(edge.acting, coupon.name) for coupon in found}
    return await render(edge, "coupons/list", nav="coupons", coupons=found, titles=titles)


@router.get("/new", dependencies=[_WRITE], name="coupon.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new coupon."""
    return await render(edge, "coupons/new", nav="coupons", form=CouponForm().model_dump(), **coupon_values.choices())


@router.post("", dependencies=[_WRITE], name="coupon.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Nothing is issued by that."""
    try:
        coupon = await api.create_coupon(edge, await coupon_values.new_body(edge, posted))
    except DomainError as error:
        values = coupon_values.choices()
        return await again(edge, "coupons/new", error, nav="coupons", form=posted.model_dump(), **values)
    return redirect(edge, f"{HERE}/{coupon.id}", done="The coupon is there; vouchers can be issued of it.")


@router.get("/{coupon_id}", dependencies=[_READ], name="coupon.page")
async def coupon_page(edge: EdgeOf, coupon_id: IdPath, status: Status = "", cursor: Cursor = None) -> Response:
    """One coupon, its form, its codes and its vouchers."""
    values = await coupon_values.detail(edge, coupon_id, status=status, cursor=cursor)
    form = await coupon_values.form_of(edge, values["coupon"])
    return await render(edge, "coupons/detail", nav="coupons", form=form, **values)


@router.post("/{coupon_id}", dependencies=[_WRITE], name="coupon.change_by_form")
async def change(edge: EdgeOf, coupon_id: IdPath, posted: Posted) -> Response:
    """Vouchers that were issued before keep their dates."""
    coupon = await definitions.get(edge.session, coupon_id)
    try:
        await api.change_coupon(edge, coupon_id, await coupon_values.change_body(edge, posted, coupon))
    except DomainError as error:
        form = {**posted.model_dump(), "kind": coupon.terms.kind, "code_source": coupon.code_source}
        return await _detail_again(edge, coupon_id, error, form=form)
    return redirect(edge, f"{HERE}/{coupon_id}", done="Saved.")


@router.post("/{coupon_id}/switch", dependencies=[_WRITE], name="coupon.switch_by_form")
async def switch(edge: EdgeOf, coupon_id: IdPath, is_active: Annotated[bool, Form()] = False) -> Response:
    """Issue no more, or again; what was issued stays good."""
    await api.change_coupon(edge, coupon_id, api.CouponChange(is_active=is_active))
    done = "Vouchers are issued again." if is_active else "No more vouchers are issued; those that are out stay good."
    return redirect(edge, f"{HERE}/{coupon_id}", done=done)


@router.post("/{coupon_id}/codes", dependencies=[_WRITE], name="coupon.import_by_form", max_body_size=_LARGEST)
async def import_codes(
    edge: EdgeOf, coupon_id: IdPath, pasted: Pasted = "", file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Codes one a line, pasted or from a file: all of them, or none when one has a fault."""
    try:
        lines = (_decoded(await file.read()) if file is not None and file.size else pasted).splitlines()
        done = await definitions.import_codes(edge.session, coupon_id, lines)
    except DomainError as error:
        faults = coupon_values.code_faults(edge, error)
        return await _detail_again(edge, coupon_id, error, is_import=True, faults=faults, pasted=pasted)
    edge.note("coupon.import_codes", f"coupon:{coupon_id}", after={"added": done.added})
    return redirect(edge, f"{HERE}/{coupon_id}", done="The codes are in the pool.")


@router.post("/{coupon_id}/codes/new", dependencies=[_WRITE], name="coupon.make_codes_by_form")
async def make_codes(
    edge: EdgeOf, coupon_id: IdPath, count: Annotated[Text, Form()] = "", pattern: Annotated[Text, Form()] = ""
) -> Response:
    """New codes by a pattern, for the pool."""
    try:
        await api.make_codes(edge, coupon_id, body_of(api.NewCodes, count=count.strip(), pattern=pattern.strip()))
    except DomainError as error:
        return await _detail_again(edge, coupon_id, error, is_making=True, made={"count": count, "pattern": pattern})
    return redirect(edge, f"{HERE}/{coupon_id}", done="The codes are in the pool.")


@router.get("/{coupon_id}/codes/file", dependencies=[_WRITE], name="coupon.codes_from_page")
async def codes_file(edge: EdgeOf, deps: Deps, coupon_id: IdPath) -> StreamingResponse:
    """Every code of the pool as CSV."""
    return await api.codes_file(edge, deps, coupon_id)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise InvalidCodes("this file is no text: save it as plain text or CSV with one code a line") from wrong


async def _detail_again(
    edge: Edge, coupon_id: int, error: DomainError, *, form: dict[str, Any] | None = None, **values: Any
) -> Response:
    """The page once more; `is_import` says that the error belongs to the codes, not to the form."""
    await edge.session.rollback()
    shown = await coupon_values.detail(edge, coupon_id)
    coupon: Coupon = shown["coupon"]
    shown |= {"form": form or await coupon_values.form_of(edge, coupon), **values}
    return await again(edge, "coupons/detail", error, nav="coupons", **shown)

"""Coupons, and the pools of their codes."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi.responses import StreamingResponse
from pydantic import Field

from admin_api.access import allow
from admin_api.api.vouchers import Key
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, csv_file
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, Moment, PageOf
from crm.coupons import policy
from crm.coupons.service import definitions, issuing, pools
from crm.coupons.types import CodeSource, Coupon, CouponKind, Imported, NewCoupon, Stacking, Terms, Voucher
from crm.kit.ids import token
from crm.operators.permissions import Permission

router = api_router("/api/v1/coupons", "Coupons")
_READ, _WRITE = allow(Permission.COUPONS_READ), allow(Permission.COUPONS_WRITE)
_ISSUE = allow(Permission.VOUCHERS_ISSUE)
Texts = Annotated[dict[str, Annotated[str, Field(max_length=2000)]], Field(max_length=10)]
Value = Annotated[Decimal, Field(gt=0, le=policy.MAX_MONEY, max_digits=12, decimal_places=2)]
Count = Annotated[int, Field(ge=1, le=policy.MAX_COUNT)]
Pattern = Annotated[str, Field(max_length=policy.MAX_CODE, examples=["TEA-****-****"])]


class TermsBody(Body):
    """What a coupon gives and under which conditions; money is in the brand's currency."""

    kind: CouponKind
    value: Value | None = Field(None, description="Money off, or per cent; empty for gifts.")
    most: Value | None = Field(None, description="The most money that a percentage takes off.")
    minimum_spend: Value | None = None
    stacking: Stacking = Stacking.ALONE
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    valid_days: Annotated[int, Field(ge=1, le=policy.MAX_DAYS)] | None = None
    limit_total: Count | None = None
    limit_per_member: Count | None = None

    def terms(self) -> Terms:
        """As the service takes them."""
        return Terms(**dict(self))


class CouponBody(Body):
    """A coupon to be made."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    terms: TermsBody
    code_source: CodeSource = CodeSource.PATTERN
    pattern: Pattern | None = None
    shared_code: Annotated[str, Field(max_length=80)] | None = None


class CouponChange(Body):
    """Fields to change; what is left out stays. An empty `shared_code` takes it away."""

    name: Texts = Field(default_factory=dict)
    description: Texts = Field(default_factory=dict)
    terms: TermsBody | None = None
    pattern: Pattern = ""
    shared_code: Annotated[str, Field(max_length=80)] = ""
    is_active: bool = True


class CodeList(Body):
    """Codes for the pool."""

    codes: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=policy.MAX_CODES)]


class NewCodes(Body):
    """Codes to be made for the pool."""

    count: Annotated[int, Field(ge=1, le=policy.MAX_CODES)]
    pattern: Pattern | None = None


class Issue(Body):
    """Who is to be given a voucher."""

    member_id: Id
    key: Key | None = None


@router.get("", dependencies=[_READ], name="coupon.list", summary="List coupons")
async def list_coupons(edge: EdgeOf) -> PageOf[Coupon]:
    """Newest first, with how many were issued and used."""
    return PageOf(items=await definitions.listing(edge.session))


@router.post("", dependencies=[_WRITE], name="coupon.create", summary="Make a coupon", status_code=201)
async def create_coupon(edge: EdgeOf, body: CouponBody) -> Coupon:
    """Nothing is issued by that."""
    new = NewCoupon(
        body.name, body.terms.terms(), body.description, body.code_source, body.pattern or None, body.shared_code
    )
    coupon = await definitions.create(edge.session, new)
    edge.note("coupon.create", f"coupon:{coupon.id}", after={"name": coupon.name, "kind": coupon.terms.kind})
    return coupon


@router.get("/{coupon_id}", dependencies=[_READ], name="coupon.read", summary="Read a coupon")
async def read_coupon(edge: EdgeOf, coupon_id: IdPath) -> Coupon:
    """With how many were issued and used."""
    return await definitions.get(edge.session, coupon_id)


@router.patch("/{coupon_id}", dependencies=[_WRITE], name="coupon.change", summary="Change a coupon")
async def change_coupon(edge: EdgeOf, coupon_id: IdPath, body: CouponChange) -> Coupon:
    """Vouchers that were issued before keep their dates; what they take off follows the coupon."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if body.terms is not None:
        given["terms"] = body.terms.terms()
    coupon = await definitions.change(edge.session, coupon_id, **given)
    edge.note("coupon.change", f"coupon:{coupon_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return coupon


@router.post("/{coupon_id}/codes", dependencies=[_WRITE], name="coupon.import_codes", summary="Add codes to a pool")
async def import_codes(edge: EdgeOf, coupon_id: IdPath, body: CodeList) -> Imported:
    """All of them, or none when one is faulty, doubled or in use."""
    done = await definitions.import_codes(edge.session, coupon_id, body.codes)
    edge.note("coupon.import_codes", f"coupon:{coupon_id}", after={"added": done.added})
    return done


@router.post("/{coupon_id}/codes/new", dependencies=[_WRITE], name="coupon.make_codes", summary="Make codes for a pool")
async def make_codes(edge: EdgeOf, coupon_id: IdPath, body: NewCodes) -> Imported:
    """By a pattern, ahead of any voucher; then read the file of them into the system that must know them."""
    done = await pools.generate(edge.session, coupon_id, body.count, pattern=body.pattern or None)
    edge.note("coupon.make_codes", f"coupon:{coupon_id}", after={"added": done.added})
    return done


@router.get("/{coupon_id}/codes/file", dependencies=[_WRITE], name="coupon.codes_file", summary="Read a pool", **CSV)
async def codes_file(edge: EdgeOf, deps: Deps, coupon_id: IdPath) -> StreamingResponse:
    """Every code of the pool, and whether a voucher has it."""
    await definitions.get(edge.session, coupon_id)
    return csv_file(deps, lambda session: pools.as_csv(session, coupon_id), filename=f"codes-{coupon_id}.csv")


@router.post("/{coupon_id}/issue", dependencies=[_ISSUE], name="voucher.issue", summary="Issue a voucher")
async def issue_voucher(edge: EdgeOf, coupon_id: IdPath, body: Issue) -> Voucher:
    """To one member, by hand or from another system."""
    actor = edge.acting.actor
    key = f"manual:{actor}:{body.key or token(size=16)}"
    voucher = await issuing.issue(edge.session, body.member_id, coupon_id, key=key, source=actor, by=actor)
    edge.note("voucher.issue", f"voucher:{voucher.id}", after={"coupon_id": coupon_id, "member_id": body.member_id})
    return voucher

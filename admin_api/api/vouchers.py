"""Vouchers, and the counter: looking a code up, using it once, taking that back."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, Limit, PageOf, paged
from crm.coupons.service import counter, holding, issuing
from crm.coupons.types import Checked, LogEntry, Use, Voucher, VoucherStatus
from crm.kit.ids import token
from crm.operators.permissions import Permission

router = api_router("/api/v1/vouchers", "Vouchers")
_READ, _VERIFY = allow(Permission.COUPONS_READ), allow(Permission.VOUCHERS_VERIFY)
_ISSUE = allow(Permission.VOUCHERS_ISSUE)
Key = Annotated[str, Field(min_length=1, max_length=100, description="Repeated, it has no second effect.")]
Code = Annotated[str, Field(min_length=1, max_length=100, examples=["TEA-7KX2-M9QD"])]
Amount = Annotated[Decimal, Field(ge=0, le=100_000_000, max_digits=12, decimal_places=2)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]


class Look(Body):
    """A code to look up, for whom, and off which amount."""

    code: Code
    member_id: Id | None = None
    amount: Amount | None = None


class Order(Body):
    """Vouchers to use together for one order."""

    codes: Annotated[list[Code], Field(min_length=1, max_length=counter.MOST_TOGETHER)]
    key: Key | None = None
    member_id: Id | None = None
    amount: Amount | None = None
    reference: Annotated[str, Field(max_length=100, description="The order's number in the shop.")] | None = None


class Claim(Body):
    """A shared code, and who says it."""

    member_id: Id
    code: Code


class Return(Body):
    """A code whose use is taken back."""

    code: Code
    reason: Reason


class Cancel(Body):
    """Why a voucher is taken away."""

    reason: Reason


class VoucherView(BaseModel):
    """A voucher with what happened to it."""

    voucher: Voucher
    log: list[LogEntry]


@router.get("", dependencies=[_READ], name="voucher.list", summary="List vouchers")
async def list_vouchers(
    edge: EdgeOf,
    *,
    member_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    coupon_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    status: VoucherStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Voucher]:
    """Newest first."""
    page = await holding.listing(
        edge.session, member_id=member_id, coupon_id=coupon_id, status=status, limit=limit, cursor=cursor
    )
    return paged(page, lambda voucher: voucher)


@router.get("/{voucher_id}", dependencies=[_READ], name="voucher.read", summary="Read a voucher")
async def read_voucher(edge: EdgeOf, voucher_id: UUID) -> VoucherView:
    """With its log, oldest first."""
    voucher = await holding.get(edge.session, voucher_id)
    return VoucherView(voucher=voucher, log=await holding.history(edge.session, voucher_id))


@router.post("/check", dependencies=[_VERIFY], name="voucher.check", summary="Look a code up")
async def check_voucher(edge: EdgeOf, body: Look) -> Checked:
    """Valid, used, expired, not yours, or unknown; nothing is changed."""
    return await counter.check(edge.session, body.code, member_id=body.member_id, amount=body.amount)


@router.post("/use", dependencies=[_VERIFY], name="voucher.use", summary="Use vouchers")
async def use_vouchers(edge: EdgeOf, body: Order) -> Use:
    """All or none, each once; the same key answers what was done the first time."""
    actor = edge.acting.actor
    done = await counter.use(
        edge.session,
        body.codes,
        key=f"{actor}:{body.key or token(size=16)}",
        by=actor,
        member_id=body.member_id,
        amount=body.amount,
        reference=body.reference,
    )
    edge.note("voucher.use", ",".join(f"voucher:{voucher.id}" for voucher in done.vouchers))
    return done


@router.post("/roll-back", dependencies=[_VERIFY], name="voucher.roll_back", summary="Take a use back")
async def roll_back_voucher(edge: EdgeOf, body: Return) -> Voucher:
    """The voucher is good again, unless it has run out meanwhile."""
    voucher = await counter.roll_back(edge.session, body.code, reason=body.reason, by=edge.acting.actor)
    edge.note("voucher.roll_back", f"voucher:{voucher.id}", after={"reason": body.reason})
    return voucher


@router.post("/claim", dependencies=[_ISSUE], name="voucher.claim", summary="Claim by a shared code")
async def claim_voucher(edge: EdgeOf, body: Claim) -> Voucher:
    """What the bot does when a member says the code of an advertisement."""
    voucher = await issuing.claim(edge.session, body.member_id, body.code)
    edge.note("voucher.claim", f"voucher:{voucher.id}", after=body.model_dump(mode="json"))
    return voucher


@router.post("/{voucher_id}/cancel", dependencies=[_ISSUE], name="voucher.cancel", summary="Cancel a voucher")
async def cancel_voucher(edge: EdgeOf, voucher_id: UUID, body: Cancel) -> Voucher:
    """Only an unused one."""
    voucher = await issuing.cancel(edge.session, voucher_id, reason=body.reason, by=edge.acting.actor)
    edge.note("voucher.cancel", f"voucher:{voucher_id}", after={"reason": body.reason})
    return voucher

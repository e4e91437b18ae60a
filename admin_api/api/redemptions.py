"""Redemptions: what members took, and handing it over."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.api.vouchers import Key
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, Limit, PageOf, paged
from crm.kit.ids import token
from crm.operators.permissions import Permission
from crm.rewards import policy
from crm.rewards.service import fulfilment, redeeming
from crm.rewards.types import Redemption, RedemptionStatus

router = api_router("/api/v1/redemptions", "Redemptions")
_READ, _WRITE = allow(Permission.REWARDS_READ), allow(Permission.REDEMPTIONS_WRITE)
_REVEAL = allow(Permission.MEMBERS_REVEAL)


class NewRedemption(Body):
    """A reward to be given for a member's points."""

    member_id: Id
    reward_id: Id
    address: Annotated[str, Field(max_length=policy.MAX_ADDRESS)] | None = None
    key: Key | None = None


class Step(Body):
    """How far the goods are."""

    status: RedemptionStatus
    tracking: Annotated[str, Field(max_length=policy.MAX_TRACKING, description="The carrier's number.")] | None = None


class Reason(Body):
    """Why it is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class AddressView(BaseModel):
    """Where goods go, in plain text."""

    address: str | None


@router.get("", dependencies=[_READ], name="redemption.list", summary="List redemptions")
async def list_redemptions(
    edge: EdgeOf,
    *,
    member_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    reward_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    status: RedemptionStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Redemption]:
    """Newest first."""
    page = await fulfilment.listing(
        edge.session, member_id=member_id, reward_id=reward_id, status=status, limit=limit, cursor=cursor
    )
    return paged(page, lambda redemption: redemption)


@router.post("", dependencies=[_WRITE], name="redemption.create", summary="Redeem a reward", status_code=201)
async def create_redemption(edge: EdgeOf, body: NewRedemption) -> Redemption:
    """For a member who asks at the counter or in another system."""
    actor = edge.acting.actor
    done = await redeeming.redeem(
        edge.session,
        body.member_id,
        body.reward_id,
        key=f"manual:{actor}:{body.key or token(size=16)}",
        address=body.address,
        by=actor,
    )
    edge.note("redemption.create", f"redemption:{done.id}", after={"reward_id": body.reward_id})
    return done


@router.get("/{redemption_id}", dependencies=[_READ], name="redemption.read", summary="Read a redemption")
async def read_redemption(edge: EdgeOf, redemption_id: UUID) -> Redemption:
    """Without the address."""
    return await fulfilment.get(edge.session, redemption_id)


@router.post("/{redemption_id}/address", dependencies=[_REVEAL], name="redemption.reveal", summary="Reveal an address")
async def reveal_address(edge: EdgeOf, redemption_id: UUID) -> AddressView:
    """Where the goods go; that it was looked at is in the audit log."""
    await fulfilment.get(edge.session, redemption_id)
    edge.note("redemption.reveal", f"redemption:{redemption_id}")
    return AddressView(address=await fulfilment.address(edge.session, redemption_id))


@router.post("/{redemption_id}/status", dependencies=[_WRITE], name="redemption.advance", summary="Go on with goods")
async def advance_redemption(edge: EdgeOf, redemption_id: UUID, body: Step) -> Redemption:
    """Prepared, shipped or delivered; forward only."""
    done = await fulfilment.advance(
        edge.session, redemption_id, body.status, by=edge.acting.actor, tracking=body.tracking
    )
    edge.note("redemption.advance", f"redemption:{redemption_id}", after={"status": done.status})
    return done


@router.post("/{redemption_id}/cancel", dependencies=[_WRITE], name="redemption.cancel", summary="Take a reward back")
async def cancel_redemption(edge: EdgeOf, redemption_id: UUID, body: Reason) -> Redemption:
    """Points, stock and limit return, an unused voucher goes."""
    done = await redeeming.cancel(edge.session, redemption_id, reason=body.reason, by=edge.acting.actor)
    edge.note("redemption.cancel", f"redemption:{redemption_id}", after={"reason": body.reason})
    return done

"""Points that are not spendable yet or for now: pending and held ones; postings reversed; balances of the past."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.api.points import Key
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, Moment
from crm.kit.ids import token
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.points import history, holds, pending, service
from crm.points.types import MAX_POINTS, BalanceAt, Hold, Pending, Posting
from crm.points.validity import Validity

router = api_router("/api/v1", "Points")
_READ, _ADJUST = allow(Permission.POINTS_READ), allow(Permission.POINTS_ADJUST)
_LONGEST_KEY = 200
Points = Annotated[int, Field(ge=1, le=MAX_POINTS)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
KnownKey = Annotated[
    str,
    Field(min_length=1, max_length=_LONGEST_KEY, description="As it was answered or is listed.", examples=["api:7"]),
]


class PendingGrant(Body):
    """Points that become active at a time, by an act, or whichever comes first."""

    member_id: Id
    points: Points
    reason: Reason
    key: Key | None = None
    activates_at: Moment | None = None
    validity: Validity = Validity()


class HoldRequest(Body):
    """Points to set aside."""

    member_id: Id
    points: Points
    reason: Reason
    until: Moment
    key: Key | None = None


class Named(Body):
    """What is pending or held, by its key."""

    key: KnownKey


class Cancellation(Named):
    """Pending points to take away."""

    reason: Reason


class Reversal(Body):
    """A posting to take back."""

    transaction_id: UUID
    reason: Reason
    key: Key | None = None


class SetAside(BaseModel):
    """The posting, and the key under which it is settled later."""

    key: str
    posting: Posting


@router.get(
    "/members/{member_id}/points/balance", dependencies=[_READ], name="points.balance_at", summary="Read a past balance"
)
async def read_balance(
    edge: EdgeOf, member_id: IdPath, at: Annotated[Moment | None, Query(description="Left out: now.")] = None
) -> BalanceAt:
    """What the account showed at that moment, derived from the ledger's entries."""
    await members.get(edge.session, member_id)
    return await history.balance_at(edge.session, member_id, at)


@router.get(
    "/members/{member_id}/points/pending", dependencies=[_READ], name="points.pending", summary="List pending points"
)
async def list_pending(edge: EdgeOf, member_id: IdPath) -> list[Pending]:
    """At most 50, the soonest to become active first."""
    await members.get(edge.session, member_id)
    return await pending.of_member(edge.session, member_id)


@router.get("/members/{member_id}/points/holds", dependencies=[_READ], name="points.holds", summary="List held points")
async def list_holds(edge: EdgeOf, member_id: IdPath) -> list[Hold]:
    """At most 50, the soonest to run out first."""
    await members.get(edge.session, member_id)
    return await holds.of_member(edge.session, member_id)


@router.post("/points/pending", dependencies=[_ADJUST], name="points.earn_pending", summary="Give pending points")
async def earn_pending(edge: EdgeOf, body: PendingGrant) -> SetAside:
    """In the ledger from now on, spendable later."""
    await members.get(edge.session, body.member_id)
    key = _own_key(body.key)
    posting = await pending.earn(
        edge.session,
        body.member_id,
        body.points,
        rule=body.reason,
        key=key,
        activates_at=body.activates_at,
        validity=body.validity,
    )
    _note(edge, "points.earn_pending", posting, key)
    return SetAside(key=key, posting=posting)


@router.post("/points/pending/activate", dependencies=[_ADJUST], name="points.activate", summary="Activate points")
async def activate(edge: EdgeOf, body: Named) -> Posting:
    """Spendable from now on; once."""
    posting = await pending.activate(edge.session, body.key, by=edge.acting.actor)
    _note(edge, "points.activate", posting, body.key)
    return posting


@router.post("/points/pending/cancel", dependencies=[_ADJUST], name="points.cancel", summary="Cancel pending points")
async def cancel(edge: EdgeOf, body: Cancellation) -> Posting:
    """Before they are active; once."""
    posting = await pending.cancel(edge.session, body.key, reason=body.reason, by=edge.acting.actor)
    _note(edge, "points.cancel", posting, body.key)
    return posting


@router.post("/points/holds", dependencies=[_ADJUST], name="points.hold", summary="Hold points")
async def hold(edge: EdgeOf, body: HoldRequest) -> SetAside:
    """Set aside until they are spent, given back, or the time is over."""
    await members.get(edge.session, body.member_id)
    key, by = _own_key(body.key), edge.acting.actor
    posting = await holds.hold(
        edge.session, body.member_id, body.points, reason=body.reason, key=key, until=body.until, by=by
    )
    _note(edge, "points.hold", posting, key)
    return SetAside(key=key, posting=posting)


@router.post("/points/holds/post", dependencies=[_ADJUST], name="points.post_hold", summary="Spend held points")
async def post_hold(edge: EdgeOf, body: Named) -> Posting:
    """Once, before their time is over."""
    posting = await holds.post(edge.session, body.key, by=edge.acting.actor)
    _note(edge, "points.post_hold", posting, body.key)
    return posting


@router.post("/points/holds/void", dependencies=[_ADJUST], name="points.void_hold", summary="Give held points back")
async def void_hold(edge: EdgeOf, body: Named) -> Posting:
    """Once, with the expiry that they had."""
    posting = await holds.void(edge.session, body.key, by=edge.acting.actor)
    _note(edge, "points.void_hold", posting, body.key)
    return posting


@router.post("/points/reverse", dependencies=[_ADJUST], name="points.reverse", summary="Reverse a posting")
async def reverse(edge: EdgeOf, body: Reversal) -> Posting:
    """Once; what was spent since becomes a debt or is written off, as the brand has chosen."""
    by = edge.acting.actor
    posting = await service.reverse(
        edge.session, body.transaction_id, reason=body.reason, key=_own_key(body.key), by=by
    )
    _note(edge, "points.reverse", posting, str(body.transaction_id))
    return posting


def _own_key(key: str | None) -> str:
    """A name apart from those that the house gives its own postings."""
    return f"api:{key or token(size=16)}"


def _note(edge: Edge, action: str, posting: Posting, key: str) -> None:
    edge.note(action, f"member:{posting.member_id}", after={"points": posting.points, "key": key})

"""Referrals: programmes, who brought whom, the review queue, and taking a subtree back."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, Moment, PageOf, paged
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS
from crm.referrals import policy
from crm.referrals.service import clawback, joining, links, programmes, qualifying, standing
from crm.referrals.types import (
    Act,
    Gift,
    Given,
    Invitee,
    Level,
    Limits,
    Programme,
    Referral,
    Standing,
    Status,
    Subtree,
    Terms,
)
from crm.sources.types import SourceLink

router = api_router("/api/v1", "Referrals")
_READ, _WRITE = allow(Permission.REFERRALS_READ), allow(Permission.REFERRALS_WRITE)
_REVIEW = allow(Permission.REFERRALS_REVIEW)
Points = Annotated[int, Field(ge=0, le=MAX_POINTS)]
Texts = Annotated[dict[str, Annotated[str, Field(max_length=4000)]], Field(max_length=10)]
Days = Annotated[int, Field(ge=1, le=policy.MAX_DAYS)]
Friends = Annotated[int, Field(ge=1, le=policy.MAX_FRIENDS)]
Rate = Annotated[int, Field(ge=1, le=policy.MAX_RATE)]


class GiftBody(Body):
    """Points, a voucher of a coupon, or both."""

    points: Points = 0
    coupon_id: Id | None = None

    def gift(self) -> Gift:
        """As the service takes it."""
        return Gift(self.points, self.coupon_id)


class LevelBody(GiftBody):
    """Given once that many friends have qualified."""

    friends: Friends


class TermsBody(Body):
    """What a programme asks for and gives."""

    act: Act
    referrer: Annotated[GiftBody, Field(default_factory=GiftBody)]
    friend: Annotated[GiftBody, Field(default_factory=GiftBody)]
    levels: Annotated[list[LevelBody], Field(default_factory=list, max_length=policy.MAX_LEVELS)]
    second_percent: Annotated[int, Field(ge=0, le=policy.MAX_PERCENT)] = 0
    minimum_order: Annotated[Decimal, Field(ge=0, le=policy.MAX_MONEY, decimal_places=2)] | None = None
    qualify_days: Days | None = None
    points_last_days: Days | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    per_referrer: Friends | None = None
    per_hour: Rate = 10
    per_day: Rate = 30
    budget_points: Annotated[int, Field(ge=0, le=10**15)] | None = None

    def terms(self) -> Terms:
        """As the service takes them."""
        plain: dict[str, Any] = dict(self)
        limits = {name: plain.pop(name) for name in ("per_referrer", "per_hour", "per_day", "budget_points")}
        plain["levels"] = tuple(Level(level.friends, level.gift()) for level in self.levels)
        plain |= {"referrer": self.referrer.gift(), "friend": self.friend.gift()}
        return Terms(**plain, limits=Limits(**limits))


class ProgrammeBody(Body):
    """A programme to be made."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    headline: Annotated[Texts, Field(default_factory=dict)]
    terms: TermsBody
    is_active: bool = True


class ProgrammeChange(Body):
    """Fields to change; what is left out stays. Terms are given whole."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    headline: Texts | None = None
    terms: TermsBody | None = None
    is_active: bool | None = None


class Friend(Body):
    """A new member, and the code of the personal link that brought them."""

    member_id: Id
    code: Annotated[str, Field(min_length=1, max_length=100, examples=["i-3q2eK0vYx8bWfT1Z"])]


class Reason(Body):
    """Why it was decided so; operators and the member's timeline show it."""

    reason: Annotated[str, Field(min_length=1, max_length=policy.MAX_REASON)]


class ProgrammeView(BaseModel):
    """A programme with what came of it."""

    programme: Programme
    referrals: dict[Status, int]


class ReferralView(BaseModel):
    """A referral with what was given for it."""

    referral: Referral
    given: list[Given]


class MemberReferrals(BaseModel):
    """A member's invitations: how they stand, the links, whom they brought and who brought them."""

    standing: Standing
    links: list[SourceLink]
    invited_by: Referral | None
    invitees: tuple[Invitee, ...]


@router.get("/referral-programmes", dependencies=[_READ], name="referral_programme.list", summary="List programmes")
async def list_programmes(edge: EdgeOf) -> PageOf[Programme]:
    """Newest first."""
    return PageOf(items=await programmes.listing(edge.session))


@router.post(
    "/referral-programmes",
    dependencies=[_WRITE],
    name="referral_programme.create",
    summary="Make a programme",
    status_code=201,
)
async def create_programme(edge: EdgeOf, body: ProgrammeBody) -> ProgrammeView:
    """Only one may run at a time."""
    made = await programmes.create(
        edge.session, body.name, body.terms.terms(), headline=body.headline, is_active=body.is_active
    )
    edge.note("referral_programme.create", f"referral_programme:{made.id}", after=body.model_dump(mode="json"))
    return ProgrammeView(programme=made, referrals={})


@router.get(
    "/referral-programmes/{programme_id}",
    dependencies=[_READ],
    name="referral_programme.read",
    summary="Read a programme",
)
async def read_programme(edge: EdgeOf, programme_id: IdPath) -> ProgrammeView:
    """With how many referrals stand where."""
    found = await programmes.get(edge.session, programme_id)
    return ProgrammeView(programme=found, referrals=await programmes.counts(edge.session, programme_id))


@router.patch(
    "/referral-programmes/{programme_id}",
    dependencies=[_WRITE],
    name="referral_programme.change",
    summary="Change a programme",
)
async def change_programme(edge: EdgeOf, programme_id: IdPath, body: ProgrammeChange) -> ProgrammeView:
    """Friends who are pending are judged by the new terms."""
    terms = None if body.terms is None else body.terms.terms()
    await programmes.change(
        edge.session, programme_id, name=body.name, headline=body.headline, terms=terms, is_active=body.is_active
    )
    after = body.model_dump(mode="json", exclude_unset=True)
    edge.note("referral_programme.change", f"referral_programme:{programme_id}", after=after)
    return await read_programme(edge, programme_id)


@router.get("/referrals", dependencies=[_READ], name="referral.list", summary="List referrals")
async def list_referrals(
    edge: EdgeOf,
    *,
    status: Status | None = None,
    programme_id: Annotated[int | None, Query(ge=1)] = None,
    referrer_id: Annotated[int | None, Query(ge=1)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Referral]:
    """Newest first; `status=review` is the queue of what waits for a decision."""
    found = await standing.page(
        edge.session, status=status, programme_id=programme_id, referrer_id=referrer_id, limit=limit, cursor=cursor
    )
    return paged(found, lambda item: item)


@router.post(
    "/referrals", dependencies=[_WRITE], name="referral.bind", summary="Say who brought a friend", status_code=201
)
async def bind_friend(edge: EdgeOf, body: Friend) -> Referral:
    """For systems that make members by themselves: within a minute of that, before the member signs up."""
    made = await joining.bind(edge.session, body.member_id, body.code)
    edge.note(
        "referral.bind", f"referral:{made.id}", after={"referrer_id": made.referrer_id, "friend_id": made.friend_id}
    )
    return made


@router.get("/referrals/{referral_id}", dependencies=[_READ], name="referral.read", summary="Read a referral")
async def read_referral(edge: EdgeOf, referral_id: UUID) -> ReferralView:
    """With what speaks against it, and what was given."""
    found = await standing.get(edge.session, referral_id)
    return ReferralView(referral=found, given=await standing.given(edge.session, referral_id))


@router.post(
    "/referrals/{referral_id}/approve", dependencies=[_REVIEW], name="referral.approve", summary="Approve a referral"
)
async def approve_referral(edge: EdgeOf, referral_id: UUID, body: Reason) -> ReferralView:
    """It counts, and the rewards that were held are given."""
    await qualifying.approve(edge.session, referral_id, reason=body.reason, by=edge.acting.actor)
    edge.note("referral.approve", f"referral:{referral_id}", after={"reason": body.reason})
    return await read_referral(edge, referral_id)


@router.post(
    "/referrals/{referral_id}/reject", dependencies=[_REVIEW], name="referral.reject", summary="Reject a referral"
)
async def reject_referral(edge: EdgeOf, referral_id: UUID, body: Reason) -> ReferralView:
    """It does not count; nothing is given."""
    await qualifying.reject(edge.session, referral_id, reason=body.reason, by=edge.acting.actor)
    edge.note("referral.reject", f"referral:{referral_id}", after={"reason": body.reason})
    return await read_referral(edge, referral_id)


@router.get(
    "/members/{member_id}/referrals", dependencies=[_READ], name="referral.member", summary="A member's invitations"
)
async def member_referrals(edge: EdgeOf, member_id: IdPath) -> MemberReferrals:
    """Standing, links, who brought them, and the tree of whom they brought."""
    code = await links.known_code(edge.session, member_id)
    return MemberReferrals(
        invitees=await standing.tree(edge.session, member_id),
        standing=await standing.of_member(edge.session, member_id),
        links=[] if code is None else await links.links(edge.session, code),
        invited_by=await standing.invited_by(edge.session, member_id),
    )


@router.get(
    "/members/{member_id}/referrals/clawback",
    dependencies=[_REVIEW],
    name="referral.preview_clawback",
    summary="What taking back would take",
)
async def preview_clawback(edge: EdgeOf, member_id: IdPath) -> Subtree:
    """Nothing is changed."""
    return await clawback.preview(edge.session, member_id)


@router.post(
    "/members/{member_id}/referrals/clawback",
    dependencies=[_REVIEW],
    name="referral.claw_back",
    summary="Take everything below a member back",
)
async def claw_back(edge: EdgeOf, member_id: IdPath, body: Reason) -> Subtree:
    """Points are reversed, unused vouchers cancelled, referrals void; answers what was taken."""
    taken = await clawback.claw_back(edge.session, member_id, reason=body.reason, by=edge.acting.actor)
    after = {"reason": body.reason, "referrals": taken.referrals, "points": taken.points, "vouchers": taken.vouchers}
    edge.note("referral.claw_back", f"member:{member_id}", after=after)
    return taken

"""Tiers: the programme with its draft, preview and publication, members by tier, tiers by hand."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from fastapi import Query
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, Moment, PageOf, paged
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.tiers import checking
from crm.tiers.service import benefits, programmes, runs, standings
from crm.tiers.types import (
    Downgrade,
    Given,
    Interval,
    Measure,
    Move,
    Preview,
    Programme,
    Progress,
    Rules,
    Run,
    Standing,
    Tier,
    TierMember,
    Window,
)

router = api_router("/api/v1/tiers", "Tiers")
of_member = api_router("/api/v1/members", "Tiers")
_READ, _WRITE, _GRANT = allow(Permission.TIERS_READ), allow(Permission.TIERS_WRITE), allow(Permission.TIERS_GRANT)
Texts = Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(max_length=10)]
Threshold = Annotated[Decimal, Field(ge=0, le=checking.MAX_MEASURE, max_digits=15, decimal_places=2)]
Days = Annotated[int, Field(ge=0, le=checking.MAX_DAYS)]


class TierBody(Body):
    """One tier."""

    key: Annotated[str, Field(min_length=1, max_length=30, examples=["gold"])]
    name: Texts
    enter: Threshold
    keep: Threshold
    multiplier: Annotated[Decimal, Field(gt=0, le=checking.MAX_MULTIPLIER, max_digits=6, decimal_places=3)] = Decimal(1)
    monthly_coupon_id: Id | None = None
    birthday_coupon_id: Id | None = None
    has_priority: bool = False


class RulesBody(Body):
    """A programme; tiers from the lowest to the highest."""

    measure: Measure
    window: Window
    months: Annotated[int, Field(ge=1, le=checking.MAX_MONTHS)] | None = None
    grace_days: Days = 30
    downgrade: Downgrade = Downgrade.TO_BALANCE
    at_risk_days: Days = 30
    tiers: Annotated[list[TierBody], Field(min_length=1, max_length=checking.MAX_TIERS)]

    def rules(self) -> Rules:
        """As the service takes it."""
        return Rules(**{**dict(self), "tiers": [Tier(**dict(tier)) for tier in self.tiers]})


class GrantBody(Body):
    """A tier to give by hand."""

    tier: Annotated[str, Field(min_length=1, max_length=30)]
    until: Moment
    reason: Annotated[str, Field(min_length=1, max_length=checking.MAX_REASON)]


@dataclass(frozen=True)
class State:
    """The programme as it is: what counts, what is being worked on, who is where."""

    live: Programme | None
    draft: Programme | None
    members: dict[str, int]
    runs: list[Run]
    benefits: list[Given]


@dataclass(frozen=True)
class MemberTier:
    """Where a member stands, how far the next tier is, and how they came here."""

    standing: Standing
    progress: Progress | None
    history: list[Interval]


@router.get("", dependencies=[_READ], name="tiers.read", summary="Read the tier programme")
async def read_state(edge: EdgeOf) -> State:
    """With members by tier (an empty key: without one), the last evaluations, and what the benefits came to."""
    session = edge.session
    return State(
        live=await programmes.live(session),
        draft=await programmes.draft(session),
        members=await standings.counts(session),
        runs=await runs.recent(session),
        benefits=await benefits.recent(session),
    )


@router.get("/versions", dependencies=[_READ], name="tiers.versions", summary="List versions of the programme")
async def list_versions(edge: EdgeOf) -> PageOf[Programme]:
    """The newest first."""
    return PageOf(items=await programmes.listing(edge.session))


@router.put("/draft", dependencies=[_WRITE], name="tiers.save_draft", summary="Save the draft of the programme")
async def save_draft(edge: EdgeOf, body: RulesBody) -> Programme:
    """Counts for nobody before it is published."""
    draft = await programmes.save_draft(edge.session, body.rules(), by=edge.acting.actor)
    edge.note("tiers.save_draft", f"tier_programme:{draft.version}", after=body.model_dump(mode="json"))
    return draft


@router.post("/preview", dependencies=[_READ], name="tiers.preview", summary="See what a programme would do")
async def preview(edge: EdgeOf, body: RulesBody) -> Preview:
    """Who would move up or down by it now; nothing is changed."""
    return await programmes.preview(edge.session, body.rules())


@router.post("/versions/{version}/publish", dependencies=[_WRITE], name="tiers.publish", summary="Publish the draft")
async def publish(edge: EdgeOf, version: IdPath) -> Programme:
    """Counts from now on; everybody is evaluated by it in the next minutes."""
    programme = await programmes.publish(edge.session, version)
    edge.note("tiers.publish", f"tier_programme:{version}", after={"version": version})
    return programme


@router.get("/members", dependencies=[_READ], name="tiers.members", summary="List members by tier")
async def list_members(
    edge: EdgeOf,
    *,
    tier: Annotated[str | None, Query(max_length=30)] = None,
    is_at_risk: bool = False,
    is_granted: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[TierMember]:
    """Those who have or had a tier, by id."""
    page = await standings.listing(
        edge.session, tier=tier, is_at_risk=is_at_risk, is_granted=is_granted, limit=limit, cursor=cursor
    )
    return paged(page, lambda row: row)


@router.get("/moves", dependencies=[_READ], name="tiers.moves", summary="Compare two moments")
async def list_moves(
    edge: EdgeOf,
    since: Annotated[Moment, Query(description="The earlier moment.")],
    until: Annotated[Moment, Query(description="The later moment.")],
) -> PageOf[Move]:
    """How many members were in which tier then and then, those who stayed included."""
    return PageOf(items=await standings.moves_between(edge.session, since, until))


@of_member.get("/{member_id}/tier", dependencies=[_READ], name="tiers.member", summary="Read a member's tier")
async def read_member(edge: EdgeOf, member_id: IdPath) -> MemberTier:
    """With the way to the next tier and the history, the newest first."""
    await members.get(edge.session, member_id)
    return MemberTier(
        standing=await standings.standing(edge.session, member_id),
        progress=await standings.progress(edge.session, member_id),
        history=await standings.history(edge.session, member_id),
    )


@of_member.post("/{member_id}/tier/grant", dependencies=[_GRANT], name="tiers.grant", summary="Give a tier by hand")
async def grant(edge: EdgeOf, member_id: IdPath, body: GrantBody) -> Standing:
    """It stands instead of the earned one until its end."""
    standing = await standings.grant(
        edge.session, member_id, body.tier, until=body.until, reason=body.reason, by=edge.acting.actor
    )
    edge.note("tiers.grant", f"member:{member_id}", after=body.model_dump(mode="json"))
    return standing


@of_member.post(
    "/{member_id}/tier/end-grant", dependencies=[_GRANT], name="tiers.end_grant", summary="End a tier given by hand"
)
async def end_grant(edge: EdgeOf, member_id: IdPath) -> Standing:
    """The member goes to the tier that they earned."""
    standing = await standings.end_grant(edge.session, member_id, by=edge.acting.actor)
    edge.note("tiers.end_grant", f"member:{member_id}", after={"tier": standing.tier})
    return standing

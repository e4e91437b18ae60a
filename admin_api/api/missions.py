"""Missions and badges."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from admin_api.access import allow
from admin_api.api.rewards import Texts, TierKey
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, Moment, PageOf
from crm.draws.service import definitions as draws
from crm.members import service as members
from crm.missions import policy
from crm.missions.service import badges, definitions, progress
from crm.missions.types import (
    Badge,
    Comparison,
    Filter,
    HeldBadge,
    Mission,
    NewMission,
    Progress,
    Rewards,
    Step,
    Window,
)
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS

router = api_router("/api/v1", "Missions")
_READ, _WRITE = allow(Permission.MISSIONS_READ), allow(Permission.MISSIONS_WRITE)
Position = Annotated[int, Field(ge=0, le=1_000_000, description="Place among the missions, the smallest first.")]
Emoji = Annotated[str, Field(min_length=1, max_length=policy.MAX_EMOJI)]


class FilterBody(Body):
    """Only events whose field says so; `properties.seats` looks inside of a field."""

    field: Annotated[str, Field(min_length=1, max_length=policy.MAX_FIELD)]
    test: Comparison = Comparison.EQUALS
    value: Annotated[str, Field(min_length=1, max_length=policy.MAX_VALUE)]


class StepBody(Body):
    """So many events of a kind."""

    event: Annotated[str, Field(max_length=64)]
    count: Annotated[int, Field(ge=1, le=policy.MAX_COUNT)] = 1
    where: Annotated[list[FilterBody], Field(default_factory=list, max_length=policy.MAX_FILTERS)]


class RewardsBody(Body):
    """What completing gives; all of it is optional."""

    points: Annotated[int, Field(ge=0, le=MAX_POINTS)] = 0
    coupon_id: Id | None = None
    badge_id: Id | None = None
    draw_id: Id | None = None
    draw_chances: Annotated[int, Field(ge=0, le=policy.MAX_CHANCES)] = 0


class MissionBody(Body):
    """A mission to be made."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=policy.MAX_STEPS)]
    window: Window = Window.ONCE
    rewards: Annotated[RewardsBody, Field(default_factory=RewardsBody)]
    tiers: Annotated[list[TierKey], Field(default_factory=list, max_length=policy.MAX_TIERS)]
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    position: Position = 0

    def mission(self) -> NewMission:
        """As the service takes it."""
        steps = tuple(
            Step(step.event, step.count, tuple(Filter(**dict(one)) for one in step.where)) for step in self.steps
        )
        return NewMission(**{**dict(self), "steps": steps, "rewards": Rewards(**dict(self.rewards))})


class MissionChange(Body):
    """Fields to change; steps and window stay, so that progress keeps its meaning."""

    name: Texts = Field(default_factory=dict)
    description: Texts = Field(default_factory=dict)
    rewards: RewardsBody = Field(default_factory=RewardsBody)
    position: Position = 0
    is_active: bool = True


class BadgeBody(Body):
    """A badge to be made."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    emoji: Emoji
    photo_media_id: UUID | None = None


class BadgeChange(Body):
    """Fields to change; what is left out stays."""

    name: Texts = Field(default_factory=dict)
    description: Texts = Field(default_factory=dict)
    emoji: Emoji = "🏅"
    photo_media_id: UUID | None = None
    is_active: bool = True


class Holder(Body):
    """Who is given the badge."""

    member_id: Id


@router.get("/missions", dependencies=[_READ], name="mission.list", summary="List missions")
async def list_missions(edge: EdgeOf) -> PageOf[Mission]:
    """In their order."""
    return PageOf(items=await definitions.listing(edge.session))


@router.post("/missions", dependencies=[_WRITE], name="mission.create", summary="Make a mission", status_code=201)
async def create_mission(edge: EdgeOf, body: MissionBody) -> Mission:
    """Counts what happens from now on, or from `starts_at`."""
    await _require_draw(edge, body.rewards)
    mission = await definitions.create(edge.session, body.mission())
    edge.note("mission.create", f"mission:{mission.id}", after=body.model_dump(mode="json"))
    return mission


@router.get("/missions/{mission_id}", dependencies=[_READ], name="mission.read", summary="Read a mission")
async def read_mission(edge: EdgeOf, mission_id: IdPath) -> Mission:
    """With how often it was completed."""
    return await definitions.get(edge.session, mission_id)


@router.patch("/missions/{mission_id}", dependencies=[_WRITE], name="mission.change", summary="Change a mission")
async def change_mission(edge: EdgeOf, mission_id: IdPath, body: MissionChange) -> Mission:
    """What was completed before keeps what it gave."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "rewards" in given:
        await _require_draw(edge, body.rewards)
        given["rewards"] = Rewards(**dict(body.rewards))
    mission = await definitions.change(edge.session, mission_id, **given)
    edge.note("mission.change", f"mission:{mission_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return mission


@router.get("/members/{member_id}/missions", dependencies=[_READ], name="mission.progress", summary="Read progress")
async def member_missions(edge: EdgeOf, member_id: IdPath) -> PageOf[Progress]:
    """Where the member stands in every mission that is open to them now."""
    await members.get(edge.session, member_id)
    return PageOf(items=await progress.of_member(edge.session, member_id))


@router.get("/members/{member_id}/badges", dependencies=[_READ], name="badge.held", summary="List a member's badges")
async def member_badges(edge: EdgeOf, member_id: IdPath) -> PageOf[HeldBadge]:
    """Newest first."""
    await members.get(edge.session, member_id)
    return PageOf(items=await badges.of_member(edge.session, member_id))


@router.get("/badges", dependencies=[_READ], name="badge.list", summary="List badges")
async def list_badges(edge: EdgeOf) -> PageOf[Badge]:
    """With how many members have each."""
    return PageOf(items=await badges.listing(edge.session))


@router.post("/badges", dependencies=[_WRITE], name="badge.create", summary="Make a badge", status_code=201)
async def create_badge(edge: EdgeOf, body: BadgeBody) -> Badge:
    """Missions may give it, or operators by hand."""
    badge = await badges.create(edge.session, **dict(body))
    edge.note("badge.create", f"badge:{badge.id}", after={"name": badge.name})
    return badge


@router.patch("/badges/{badge_id}", dependencies=[_WRITE], name="badge.change", summary="Change a badge")
async def change_badge(edge: EdgeOf, badge_id: IdPath, body: BadgeChange) -> Badge:
    """Whoever has it sees it changed."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    badge = await badges.change(edge.session, badge_id, **given)
    edge.note("badge.change", f"badge:{badge_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return badge


@router.post("/badges/{badge_id}/members", dependencies=[_WRITE], name="badge.give", summary="Give a badge")
async def give_badge(edge: EdgeOf, badge_id: IdPath, body: Holder) -> Badge:
    """By hand, once."""
    badge = await badges.give_by_hand(edge.session, body.member_id, badge_id, by=edge.acting.actor)
    edge.note("badge.give", f"badge:{badge_id}", after={"member_id": body.member_id})
    return badge


async def _require_draw(edge: Edge, rewards: RewardsBody) -> None:
    if rewards.draw_id is not None:
        await draws.get(edge.session, rewards.draw_id)

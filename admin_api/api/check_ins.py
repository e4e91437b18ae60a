"""Check-ins: the settings, milestones, the leaderboard, and a member's calendar, cards and missed days."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.api.rewards import Texts
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, PageOf
from crm.check_ins import cards, filling, leaderboards, programmes, service
from crm.check_ins.types import (
    Board,
    CardMove,
    CheckInCalendar,
    CheckInResult,
    Insurance,
    Leaderboard,
    MadeUp,
    MakeUps,
    Milestone,
    NewMilestone,
    Programme,
)
from crm.kit.ids import token
from crm.members import service as members
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS

router = api_router("/api/v1", "Check-ins")
_READ, _WRITE = allow(Permission.CHECK_INS_READ), allow(Permission.CHECK_INS_WRITE)
_ASSIST = allow(Permission.CHECK_INS_ASSIST)
Month = Annotated[int, Field(ge=0, le=programmes.MAX_PER_MONTH)]
Points = Annotated[int, Field(ge=0, le=MAX_POINTS)]
Cards = Annotated[int, Field(ge=1, le=programmes.MAX_CARDS)]
Streak = Annotated[int, Field(ge=2, le=programmes.MAX_DAY, description="Days in a row.")]
Kind = Annotated[str, Field(max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=cards.MAX_REASON)]


class ProgrammeBody(Body):
    """All settings; what is left out takes the value that it has where nobody chose anything."""

    days_back: Annotated[int, Field(ge=0, le=programmes.MAX_DAYS_BACK, description="0: days cannot be filled.")] = 0
    make_ups_per_month: Month | None = None
    made_up_points: Points = 0
    has_made_up_milestones: bool = True
    card_price: Annotated[int, Field(ge=1, le=MAX_POINTS)] | None = None
    bought_per_month: Month | None = None
    most_cards: Cards = 10
    cards_for: Annotated[dict[Kind, Cards], Field(default_factory=dict, max_length=20)]
    insurance: Insurance = Insurance.OFF
    passes_per_month: Month = 0
    insured_days: Annotated[int, Field(ge=1, le=programmes.MAX_INSURED)] = 1
    insured_from: Annotated[int, Field(ge=1, le=programmes.MAX_DAY)] = 3
    has_leaderboard: bool = False
    places: Annotated[int, Field(ge=1, le=programmes.MAX_PLACES)] = 10


class MilestoneBody(Body):
    """A milestone to be made; it gives at least one thing."""

    day: Streak
    is_repeated: bool = False
    points: Points = 0
    coupon_id: Id | None = None
    cards: Annotated[int, Field(ge=0, le=programmes.MAX_CARDS)] = 0
    badge: Annotated[Texts, Field(default_factory=dict)]


class MilestoneChange(Body):
    """Fields to change; what is left out stays."""

    day: Streak = 2
    is_repeated: bool = False
    points: Points = 0
    coupon_id: Id | None = None
    cards: Annotated[int, Field(ge=0, le=programmes.MAX_CARDS)] = 0
    badge: Texts = Field(default_factory=dict)
    is_active: bool = True


class CardsBody(Body):
    """Cards by hand."""

    count: Cards
    reason: Reason


class MakeUpBody(Body):
    """A missed day to be filled, without a card."""

    day: date
    reason: Reason


class CardsView(BaseModel):
    """What the member holds now."""

    cards: int


class MemberCheckIns(BaseModel):
    """A member's month, what may be filled, and their cards."""

    calendar: CheckInCalendar
    make_ups: MakeUps
    moves: list[CardMove]


@router.get("/check-ins/settings", dependencies=[_READ], name="check_in.settings", summary="Read the settings")
async def read_settings(edge: EdgeOf) -> Programme:
    """Those in force."""
    return await programmes.current(edge.session)


@router.put("/check-ins/settings", dependencies=[_WRITE], name="check_in.choose", summary="Choose the settings")
async def choose_settings(edge: EdgeOf, body: ProgrammeBody) -> Programme:
    """In force from now on; what was filled or given before stays."""
    before = await programmes.current(edge.session)
    chosen = await programmes.choose(edge.session, Programme(**dict(body)))
    edge.note("check_in.choose", "check_in_settings", before=_plain(before), after=body.model_dump(mode="json"))
    return chosen


@router.get("/check-ins/milestones", dependencies=[_READ], name="check_in.milestones", summary="List milestones")
async def list_milestones(edge: EdgeOf) -> PageOf[Milestone]:
    """The shortest streak first, those that are switched off too."""
    return PageOf(items=await programmes.milestones(edge.session))


@router.post(
    "/check-ins/milestones",
    dependencies=[_WRITE],
    name="check_in.add_milestone",
    summary="Make a milestone",
    status_code=201,
)
async def add_milestone(edge: EdgeOf, body: MilestoneBody) -> Milestone:
    """For every streak that reaches its day from now on."""
    made = await programmes.add_milestone(edge.session, NewMilestone(**dict(body)))
    edge.note("check_in.add_milestone", f"check_in_milestone:{made.id}", after=body.model_dump(mode="json"))
    return made


@router.patch(
    "/check-ins/milestones/{milestone_id}",
    dependencies=[_WRITE],
    name="check_in.change_milestone",
    summary="Change a milestone",
)
async def change_milestone(edge: EdgeOf, milestone_id: IdPath, body: MilestoneChange) -> Milestone:
    """What was given before stays."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    changed = await programmes.change_milestone(edge.session, milestone_id, **given)
    after = body.model_dump(mode="json", exclude_unset=True)
    edge.note("check_in.change_milestone", f"check_in_milestone:{milestone_id}", after=after)
    return changed


@router.get("/check-ins/leaderboard", dependencies=[_READ], name="check_in.leaderboard", summary="Read a leaderboard")
async def read_leaderboard(
    edge: EdgeOf,
    board: Board = Board.WEEK,
    places: Annotated[int, Query(ge=1, le=programmes.MAX_PLACES)] = 50,
) -> Leaderboard:
    """Members who chose to be on it, the first places."""
    return await leaderboards.show(edge.session, board, places=places)


@router.delete(
    "/check-ins/leaderboard/{member_id}",
    dependencies=[_ASSIST],
    name="check_in.remove_leader",
    summary="Take a member off the leaderboard",
    status_code=204,
)
async def remove_leader(edge: EdgeOf, member_id: IdPath) -> None:
    """At once; they may join again."""
    await leaderboards.remove(edge.session, member_id)
    edge.note("check_in.remove_leader", f"member:{member_id}")


@router.get(
    "/members/{member_id}/check-ins", dependencies=[_READ], name="check_in.member", summary="A member's check-ins"
)
async def member_check_ins(edge: EdgeOf, member_id: IdPath, month: date | None = None) -> MemberCheckIns:
    """The month that the date `month` lies in, this one without it; missed days within reach, and cards."""
    await members.get(edge.session, member_id)
    return MemberCheckIns(
        calendar=await service.calendar(edge.session, member_id, month),
        make_ups=await filling.offered(edge.session, member_id),
        moves=await cards.moves(edge.session, member_id),
    )


@router.post(
    "/members/{member_id}/check-ins", dependencies=[_ASSIST], name="check_in.check_in", summary="Check a member in"
)
async def check_in(edge: EdgeOf, member_id: IdPath) -> CheckInResult:
    """As if they did it in the chat; on a day that counted already nothing changes and `is_new` is false."""
    done = await service.check_in(edge.session, await members.current_id(edge.session, member_id))
    edge.note("check_in.check_in", f"member:{member_id}", after={"day": str(done.local_date), "is_new": done.is_new})
    return done


@router.post(
    "/members/{member_id}/check-ins/cards", dependencies=[_ASSIST], name="check_in.give_cards", summary="Give cards"
)
async def give_cards(edge: EdgeOf, member_id: IdPath, body: CardsBody) -> CardsView:
    """Make-up cards by hand, as many as the member may still hold."""
    held = await cards.give_by_hand(
        edge.session, member_id, body.count, reason=body.reason, key=token(), by=edge.acting.actor
    )
    edge.note("check_in.give_cards", f"member:{member_id}", after=body.model_dump(mode="json"))
    return CardsView(cards=held)


@router.post(
    "/members/{member_id}/check-ins/make-ups", dependencies=[_ASSIST], name="check_in.make_up", summary="Fill a day"
)
async def make_up(edge: EdgeOf, member_id: IdPath, body: MakeUpBody) -> MadeUp:
    """A missed day of the last 92, without a card and beyond the limits of the settings."""
    made = await filling.make_up(edge.session, member_id, body.day, by=edge.acting.actor)
    edge.note("check_in.make_up", f"member:{member_id}", after=body.model_dump(mode="json"))
    return made


def _plain(programme: Programme) -> dict[str, Any]:
    return {**vars(programme), "insurance": programme.insurance.value}

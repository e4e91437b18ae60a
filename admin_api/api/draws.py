"""Draws: lucky draws and red packets, their log, and their verification."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from admin_api.access import allow
from admin_api.api.rewards import Texts, TierKey
from admin_api.api.vouchers import Key
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, Moment, PageOf, paged
from crm.draws import fairness, policy
from crm.draws.service import chances, definitions, playing, verifying
from crm.draws.types import (
    Chances,
    Draw,
    DrawKind,
    MemberProof,
    NewDraw,
    Play,
    PlayStatus,
    Prize,
    PrizeKind,
    Rules,
    Terms,
    Verification,
)
from crm.kit.ids import token
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS

router = api_router("/api/v1/draws", "Draws")
_READ, _WRITE = allow(Permission.DRAWS_READ), allow(Permission.DRAWS_WRITE)
_HAND_OVER = allow(Permission.DRAWS_HAND_OVER)
Many = Annotated[int, Field(ge=0, le=policy.MAX_CHANCES)]
Position = Annotated[int, Path(ge=1, le=2**62)]


class PrizeBody(Body):
    """A prize; the last of a draw is the fallback, which has no odds and no stock."""

    name: Texts
    kind: PrizeKind
    odds: Annotated[int, Field(ge=0, le=fairness.MILLION, description="In millionths: 10000 are 1 %.")] = 0
    points: Annotated[int, Field(ge=0, le=MAX_POINTS)] = 0
    coupon_id: Id | None = None
    stock: Annotated[int, Field(ge=1, le=policy.MAX_STOCK, description="Null for no limit.")] | None = None


class RulesBody(Body):
    """Prizes of a lucky draw, or points and packets."""

    kind: DrawKind
    prizes: Annotated[list[PrizeBody], Field(default_factory=list, max_length=policy.MAX_PRIZES)]
    points: Annotated[int, Field(ge=0, le=MAX_POINTS)] = 0
    packets: Annotated[int, Field(ge=0, le=policy.MAX_PACKETS)] = 0


class TermsBody(Body):
    """Who may play, when, and with how many chances."""

    free_per_day: Many = 1
    price: Annotated[int, Field(ge=1, le=MAX_POINTS, description="Points for a chance; null: not sold.")] | None = None
    bought_per_day: Many = 10
    earned_by: Annotated[
        dict[str, Many], Field(default_factory=dict, max_length=20, description="Chances by kind of event.")
    ]
    tiers: Annotated[list[TierKey], Field(default_factory=list, max_length=50)]
    stages: Annotated[list[TierKey], Field(default_factory=list, max_length=10)]
    minimum_orders: Annotated[int, Field(ge=0, le=policy.MAX_STOCK)] = 0
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class DrawBody(Body):
    """A draw to be made, or the new content of a draft."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    rules: RulesBody
    terms: Annotated[TermsBody, Field(default_factory=lambda: TermsBody(earned_by={}, tiers=[], stages=[]))]

    def draw(self) -> NewDraw:
        """As the service takes it."""
        prizes = tuple(Prize(**dict(prize)) for prize in self.rules.prizes)
        rules = Rules(self.rules.kind, prizes, self.rules.points, self.rules.packets)
        return NewDraw(self.name, rules, self.description, Terms(**dict(self.terms)))


class PlayBody(Body):
    """Somebody who plays in another system of the brand."""

    member_id: Id
    key: Key | None = None


class ChancesBody(PlayBody):
    """Chances to be given."""

    count: Annotated[int, Field(ge=1, le=policy.MAX_CHANCES)]


@router.get("", dependencies=[_READ], name="draw.list", summary="List draws")
async def list_draws(edge: EdgeOf) -> PageOf[Draw]:
    """Newest first; the seed is null until a draw is closed."""
    return PageOf(items=await definitions.listing(edge.session))


@router.post("", dependencies=[_WRITE], name="draw.create", summary="Make a draw", status_code=201)
async def create_draw(edge: EdgeOf, body: DrawBody) -> Draw:
    """A draft that can still be changed."""
    draw = await definitions.create(edge.session, body.draw())
    edge.note("draw.create", f"draw:{draw.id}", after={"name": draw.name, "rules": draw.rules_text})
    return draw


@router.get("/{draw_id}", dependencies=[_READ], name="draw.read", summary="Read a draw")
async def read_draw(edge: EdgeOf, draw_id: IdPath) -> Draw:
    """With its commitment, the text of its rules and what is left."""
    return await definitions.get(edge.session, draw_id)


@router.put("/{draw_id}", dependencies=[_WRITE], name="draw.change", summary="Change a draft")
async def change_draw(edge: EdgeOf, draw_id: IdPath, body: DrawBody) -> Draw:
    """Refused once the draw was opened."""
    draw = await definitions.change(edge.session, draw_id, body.draw())
    edge.note("draw.change", f"draw:{draw_id}", after={"name": draw.name, "rules": draw.rules_text})
    return draw


@router.post("/{draw_id}/open", dependencies=[_WRITE], name="draw.open", summary="Open a draw")
async def open_draw(edge: EdgeOf, draw_id: IdPath) -> Draw:
    """Publishes the commitment; from now on rules and odds are fixed."""
    draw = await definitions.open_draw(edge.session, draw_id)
    edge.note("draw.open", f"draw:{draw_id}", after={"commitment": draw.commitment, "rules_hash": draw.rules_hash})
    return draw


@router.post("/{draw_id}/close", dependencies=[_WRITE], name="draw.close", summary="Close a draw")
async def close_draw(edge: EdgeOf, draw_id: IdPath) -> Draw:
    """Ends it and reveals the seed."""
    draw = await definitions.close(edge.session, draw_id)
    edge.note("draw.close", f"draw:{draw_id}", after={"plays": draw.plays})
    return draw


@router.get("/{draw_id}/plays", dependencies=[_READ], name="draw.plays", summary="List a draw's log")
async def list_plays(
    edge: EdgeOf, draw_id: IdPath, *, status: PlayStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Play]:
    """In the order of the log; `status=pending` finds prizes that wait at the shop."""
    await definitions.get(edge.session, draw_id)
    page = await playing.log(edge.session, draw_id, status=status, limit=limit, cursor=cursor)
    return paged(page, lambda play: play)


@router.post("/{draw_id}/plays", dependencies=[_WRITE], name="draw.play", summary="Play for a member", status_code=201)
async def play_draw(edge: EdgeOf, draw_id: IdPath, body: PlayBody) -> Play:
    """Uses one chance of theirs; the same key answers the same play."""
    key = f"manual:{edge.acting.actor}:{body.key or token(size=16)}"
    play = await playing.play(edge.session, body.member_id, draw_id, key=key)
    edge.note("draw.play", f"draw:{draw_id}", after={"member_id": body.member_id, "position": play.position})
    return play


@router.post("/{draw_id}/plays/{position}/hand-over", dependencies=[_HAND_OVER], name="draw.hand_over")
async def hand_over(edge: EdgeOf, draw_id: IdPath, position: Position) -> Play:
    """The prize went over the counter; an owed voucher is issued."""
    play = await playing.hand_over(edge.session, draw_id, position)
    edge.note("draw.hand_over", f"draw:{draw_id}", after={"position": position})
    return play


@router.post("/{draw_id}/chances", dependencies=[_WRITE], name="draw.give_chances", summary="Give chances")
async def give_chances(edge: EdgeOf, draw_id: IdPath, body: ChancesBody) -> Chances:
    """They stay until they are used."""
    key = f"manual:{edge.acting.actor}:{body.key or token(size=16)}"
    await chances.grant(edge.session, body.member_id, draw_id, body.count, key=key)
    edge.note("draw.give_chances", f"draw:{draw_id}", after={"member_id": body.member_id, "count": body.count})
    return await chances.of_member(edge.session, body.member_id, draw_id)


@router.get("/{draw_id}/verification", dependencies=[_READ], name="draw.verify", summary="Verify a closed draw")
async def verify_draw(edge: EdgeOf, draw_id: IdPath) -> Verification:
    """Recomputes every result from the seed, the rules and the order of the log."""
    return await verifying.of_draw(edge.session, draw_id)


@router.get("/{draw_id}/verification/{member_id}", dependencies=[_READ], name="draw.verify_member")
async def verify_member(edge: EdgeOf, draw_id: IdPath, member_id: IdPath) -> MemberProof:
    """What the member sees: their last plays, recomputed once the seed is revealed."""
    return await verifying.of_member(edge.session, member_id, draw_id)

"""What was tried and given up."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Limit
from crm.jobs import dead
from crm.jobs.dead import DeadLetter
from crm.operators.permissions import Permission

router = api_router("/api/v1/dead-letters", "Dead letters")
_READ, _WRITE = allow(Permission.DEAD_LETTERS_READ), allow(Permission.DEAD_LETTERS_WRITE)
_REVEAL = allow(Permission.DEAD_LETTERS_REVEAL)
Box = Annotated[str, Path(max_length=40, description="`updates`, `handoffs`, `jobs`, or another one of the list.")]
Key = Annotated[str, Path(max_length=300)]


class BoxView(BaseModel):
    """The dead letters of one kind."""

    name: str
    waiting: int


class BoxesView(BaseModel):
    """Every kind."""

    items: list[BoxView]


class LettersView(BaseModel):
    """Those that wait, newest first."""

    items: list[DeadLetter]
    waiting: int


class ReplayedView(BaseModel):
    """How many will be tried again."""

    replayed: int


class PayloadView(BaseModel):
    """What a dead letter carries."""

    payload: str


@router.get("", dependencies=[_READ], name="dead_letter.boxes", summary="Count dead letters by kind")
async def list_boxes(edge: EdgeOf) -> BoxesView:
    """Updates of members, hand-offs of events, queued jobs, and whatever else can be given up."""
    boxes = dead.boxes().values()
    return BoxesView(items=[BoxView(name=box.name, waiting=await box.count(edge.session)) for box in boxes])


@router.get("/{box}", dependencies=[_READ], name="dead_letter.list", summary="List dead letters of a kind")
async def list_letters(edge: EdgeOf, box: Box, limit: Limit = 50) -> LettersView:
    """With the reason as kind and place of the error. Replay or discard them to see older ones."""
    chosen = dead.box(box)
    return LettersView(items=await chosen.listing(edge.session, limit=limit), waiting=await chosen.count(edge.session))


@router.post("/{box}/replay", dependencies=[_WRITE], name="dead_letter.replay_all", summary="Replay all of a kind")
async def replay_all(edge: EdgeOf, box: Box) -> ReplayedView:
    """At most a thousand at once, oldest first; each has its effect once."""
    number = await dead.replay_all(edge.session, dead.box(box))
    edge.note("dead_letter.replay_all", f"dead_letters:{box}", after={"replayed": number})
    return ReplayedView(replayed=number)


@router.post("/{box}/{key}/replay", dependencies=[_WRITE], name="dead_letter.replay", summary="Replay a dead letter")
async def replay(edge: EdgeOf, box: Box, key: Key) -> ReplayedView:
    """It is tried again, as at the first time."""
    await dead.box(box).replay(edge.session, key)
    edge.note("dead_letter.replay", f"dead_letters:{box}", after={"key": key})
    return ReplayedView(replayed=1)


@router.post(
    "/{box}/{key}/discard",
    dependencies=[_WRITE],
    name="dead_letter.discard",
    summary="Discard a dead letter",
    status_code=204,
)
async def discard(edge: EdgeOf, box: Box, key: Key) -> None:
    """It is never tried again."""
    await dead.box(box).discard(edge.session, key)
    edge.note("dead_letter.discard", f"dead_letters:{box}", after={"key": key})


@router.post(
    "/{box}/{key}/reveal", dependencies=[_REVEAL], name="dead_letter.reveal", summary="Read what a dead letter carries"
)
async def reveal(edge: EdgeOf, box: Box, key: Key) -> PayloadView:
    """Possibly personal data, so it is a POST and stands in the audit log."""
    payload = await dead.box(box).reveal(edge.session, key)
    edge.note("dead_letter.reveal", f"dead_letters:{box}", after={"key": key})
    return PayloadView(payload=payload)

"""Replays: an earning rule tried on the event log before it is published."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.api.earning_rules import RuleDraft, check_segments, text_of
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, csv_file
from admin_api.routing import api_router
from admin_api.schemas import Cursor, IdPath, Limit, PageOf, paged
from crm.operators.permissions import Permission
from crm.points import replays as service
from crm.points.replay_types import MAX_DAYS, Replay, ReplayMember, ReplayStatus

router = api_router("/api/v1/earning-replays", "Earning rules")
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)


class NewReplay(RuleDraft):
    """A rule and how far back to try it."""

    days: Annotated[int, Field(ge=1, le=MAX_DAYS, examples=[30])] = 30


class ReplayView(BaseModel):
    """A replay; `result` is null until it is done."""

    id: int
    rule_id: int | None
    draft: dict[str, Any]
    from_at: datetime
    until_at: datetime
    status: ReplayStatus
    total_events: int
    done_events: int
    result: dict[str, Any] | None = Field(
        description="Totals, their value, members, points withheld by caps, per rule, per day, top members, failures."
    )
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


@router.post("", dependencies=[_WRITE], name="earning_replay.start", summary="Replay a rule", status_code=202)
async def start_replay(edge: EdgeOf, body: NewReplay) -> ReplayView:
    """Begins in the background; read it again until its status is done. Nothing is posted."""
    await check_segments(edge, body.terms)
    by = edge.acting.actor
    replay = await service.start(edge.session, text_of(body), days=body.days, by=by, rule_id=body.rule_id)
    edge.note("earning_replay.start", f"earning_replay:{replay.id}", after=body.model_dump(mode="json"))
    return view(replay)


@router.get("", dependencies=[_READ], name="earning_replay.list", summary="List replays")
async def list_replays(
    edge: EdgeOf, rule_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None, limit: Limit = 50
) -> PageOf[ReplayView]:
    """The newest first, of one rule or of all."""
    return PageOf(items=[view(one) for one in await service.listing(edge.session, rule_id=rule_id, limit=limit)])


@router.get("/{replay_id}", dependencies=[_READ], name="earning_replay.read", summary="Read a replay")
async def read_replay(edge: EdgeOf, replay_id: IdPath) -> ReplayView:
    """How far it is, and what came out."""
    return view(await service.get(edge.session, replay_id))


@router.get("/{replay_id}/members", dependencies=[_READ], name="earning_replay.members", summary="List its members")
async def list_members(
    edge: EdgeOf, replay_id: IdPath, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[ReplayMember]:
    """Who would have earned what, by the number of the member; kept for a month after the replay."""
    page = await service.members(edge.session, replay_id, cursor=cursor, limit=limit)
    return paged(page, lambda one: one)


@router.get("/{replay_id}/members/file", dependencies=[_READ], name="earning_replay.members_file", **CSV)
async def members_file(edge: EdgeOf, deps: Deps, replay_id: IdPath) -> StreamingResponse:
    """The same as CSV."""
    await service.get(edge.session, replay_id)
    return csv_file(deps, lambda session: service.as_csv(session, replay_id), filename=f"replay-{replay_id}.csv")


@router.post("/{replay_id}/cancel", dependencies=[_WRITE], name="earning_replay.cancel", summary="Stop a replay")
async def cancel_replay(edge: EdgeOf, replay_id: IdPath) -> ReplayView:
    """It ends without a result."""
    replay = await service.cancel(edge.session, replay_id)
    edge.note("earning_replay.cancel", f"earning_replay:{replay_id}")
    return view(replay)


def view(replay: Replay) -> ReplayView:
    """As the API answers it."""
    return ReplayView.model_validate(vars(replay))

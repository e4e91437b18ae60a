"""Replays of earning rules: list, start from the rule's form, progress and result."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import earning_replays as api
from admin_api.console import earning_rules as rule_pages
from admin_api.console import typed
from admin_api.console.coupon_values import names
from admin_api.console.pages import redirect, render, say
from admin_api.deps import Deps, EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.points import replays as service
from crm.points.kinds import kind_named

router = page_router(f"{ROOT}/earning-replays")
HERE = f"{ROOT}/earning-replays"
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)


@router.get("", dependencies=[_READ], name="earning_replay.list_page")
async def list_page(edge: EdgeOf, rule_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None) -> Response:
    """The newest replays, of one rule or of all."""
    found = await service.listing(edge.session, rule_id=rule_id)
    return await render(edge, "earning_replays/list", nav="earning_rules", replays=found, rule_id=rule_id)


@router.post("", dependencies=[_WRITE], name="earning_replay.start_by_form")
async def start(edge: EdgeOf) -> Response:
    """Replay the rule that stands in the form; what is wrong is told in the form."""
    sent = await edge.request.form()
    try:
        days = typed.whole(rule_pages.typed_text(sent, "days"))
        replay = await api.start_replay(edge, api.NewReplay.model_construct(**rule_pages.draft_in(sent), days=days))
    except DomainError as error:
        return await rule_pages.form_again(edge, error, sent)
    return redirect(edge, f"{HERE}/{replay.id}", done="The replay has begun.")


@router.get("/{replay_id}", dependencies=[_READ], name="earning_replay.page")
async def replay_page(edge: EdgeOf, replay_id: IdPath) -> Response:
    """How far it is, and what came out."""
    replay = await service.get(edge.session, replay_id)
    top = [one["member_id"] for one in (replay.result or {}).get("top", [])]
    people = await names(edge, top) if edge.may(Permission.MEMBERS_READ) else {}
    kind = say(edge, kind_named(replay.draft["kind"]).label)
    return await render(edge, "earning_replays/detail", nav="earning_rules", replay=replay, names=people, kind=kind)


@router.get("/{replay_id}/file", dependencies=[_READ], name="earning_replay.file_from_page")
async def members_file(edge: EdgeOf, deps: Deps, replay_id: IdPath) -> StreamingResponse:
    """Everybody who would have earned something, as CSV."""
    return await api.members_file(edge, deps, replay_id)


@router.post("/{replay_id}/cancel", dependencies=[_WRITE], name="earning_replay.cancel_by_form")
async def cancel(edge: EdgeOf, replay_id: IdPath) -> Response:
    """It ends without a result."""
    await api.cancel_replay(edge, replay_id)
    return redirect(edge, f"{HERE}/{replay_id}", done="The replay is stopped.")

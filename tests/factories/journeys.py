"""Journeys for tests."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import service
from crm.journeys.triggers import AnyTrigger, NotCheckedInTrigger, SignedUpTrigger
from crm.journeys.types import Graph, Journey

SEND: dict[str, Any] = {"kind": "send", "parameters": {"message": {"text": {"en": "Hello {{ member.name }}"}}}}


def wait(following: str | None = None, **time: int) -> dict[str, Any]:
    """A waiting node, of a day unless said otherwise."""
    exits = {"next": following} if following else {}
    return {"kind": "wait", "parameters": time or {"days": 1}, "exits": exits}


def check(segment_id: int, yes: str | None = None, no: str | None = None) -> dict[str, Any]:
    """A node that parts members by a segment."""
    exits = {way: target for way, target in (("yes", yes), ("no", no)) if target}
    return {"kind": "check_segment", "parameters": {"segment_id": segment_id}, "exits": exits}


def graph(start: str, **nodes: Any) -> Graph:
    """A graph of these nodes."""
    return Graph.model_validate({"start": start, "nodes": nodes})


def welcome(segment_id: int, words: str | None = None) -> Graph:
    """Wait a day, then greet those who match."""
    message = SEND if words is None else {"kind": "send", "parameters": {"message": {"text": {"en": words}}}}
    return graph("pause", pause=wait("who"), who=check(segment_id, yes="greet"), greet=message)


async def make_journey(
    session: AsyncSession,
    plan: Graph,
    *,
    days: int | None = None,
    is_active: bool = True,
    trigger: AnyTrigger | None = None,
) -> Journey:
    """A journey for those who sign up, or have not checked in for some days, unless `trigger` says otherwise."""
    trigger = trigger or (SignedUpTrigger() if days is None else NotCheckedInTrigger(days=days))
    made = await service.create(session, name="Welcome", trigger=trigger, graph=plan)
    return await service.activate(session, made.id) if is_active else made


async def ways(session: AsyncSession, journey_id: int) -> dict[int, tuple[str | None, str | None]]:
    """Where each member stands, and how the way ended."""
    query = text("SELECT member_id, node, outcome FROM enrollments WHERE journey_id = :id ORDER BY id")
    rows = await session.execute(query, {"id": journey_id})
    return {row.member_id: (row.node, row.outcome) for row in rows}

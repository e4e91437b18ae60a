"""Trying a rule on one member: what it would give for their last event of its kind, and why. Nothing is posted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.types import RecordedEvent
from crm.points import awarding, capping, counters, deciding, earning_rules, samples
from crm.points.checking import RuleText
from crm.points.errors import InvalidRule
from crm.points.kinds import RuleKind, kind_named


@dataclass(frozen=True)
class Trial:
    """What a rule would give a member now, step by step."""

    event: str
    """Kind of the event."""
    is_sample: bool
    """The member has no such event yet, so an ordinary one was made up."""
    at: datetime
    base: int
    """Points of the kind by itself."""
    multiplier: float
    points: int
    """After formula and multipliers, before caps and other rules."""
    granted: int
    """What the caps leave of it now."""
    refused_by: str
    """What said no: kind, audience, window, when, formula, failure, caps or nothing."""
    failure: str


async def try_on(session: AsyncSession, text: RuleText, member_id: int, rule_id: int | None = None) -> Trial:
    """Raises what an earning rule raises when it is saved, RuleNotFound, ProfileNotFound."""
    rule = await earning_rules.draft(session, text, rule_id)
    kind = kind_named(rule.kind)
    if kind.event is None:
        raise InvalidRule("what is given by hand reacts to no event, so there is nothing to try")
    event, is_sample = await _event(session, kind, member_id)
    situation = await awarding.situation_of(session, [rule], event, None)
    verdict = deciding.judge(rule, situation)
    granted = await _granted(session, verdict, situation.local, member_id)
    refused = verdict.refused_by or ("caps" if granted < verdict.points else "")
    return Trial(
        event.kind,
        is_sample,
        event.occurred_at,
        verdict.base,
        float(verdict.multiplier),
        verdict.points,
        granted,
        refused,
        verdict.failure,
    )


async def _event(session: AsyncSession, kind: RuleKind, member_id: int) -> tuple[RecordedEvent, bool]:
    """The member's last event of the rule's kind, or an ordinary one of now."""
    assert kind.event is not None
    found = await events.timeline(session, member_id, kinds=[kind.event.kind], limit=1)
    if found:
        return found[0], False
    fact = samples.example(kind.event)
    at = await clock.now(session)
    return RecordedEvent(samples.NO_ID, at, fact.kind, member_id, "sample", fact.data()), True


async def _granted(session: AsyncSession, verdict: deciding.Verdict, local: datetime, member_id: int) -> int:
    """What is left under the caps today, as far as nobody else earns meanwhile."""
    budget = await earning_rules.budget(session)
    today = (await clock.now(session)).astimezone(local.tzinfo).date()
    item = capping.under(verdict, member_id, today, budget)
    left, _ = capping.within([item], await counters.used(session, item.limits), budget)
    return sum(one.points for one in left)

"""From an event to points: which rules apply, what they give, one statement that posts it all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.catalogue import CATALOGUE, PointsEarned
from crm.events.types import Event, RecordedEvent
from crm.points import earning_rules, policy, repository
from crm.points.kinds import kind_named, kinds_for
from crm.points.repository import Line, Posted
from crm.points.types import MAX_POINTS, Account, Award, EarningRule, EntryKind
from crm.profiles import service as profiles
from crm.profiles.types import Profile


@dataclass(frozen=True)
class Due:
    """What one rule gives for one event."""

    rule: EarningRule
    points: int
    expires_at: datetime | None


def decide(rules: list[EarningRule], event: Event, profile: Profile, at: datetime) -> list[Due]:
    """What each rule gives; rules that give nothing are left out, one that gives too much is capped. Pure."""
    due = []
    for rule in rules:
        kind = kind_named(rule.kind)
        parameters = kind.parameters.model_validate(rule.parameters)
        points = min(kind.points(parameters, event, profile), MAX_POINTS)
        if points > 0:
            due.append(Due(rule, points, policy.months_later(at, parameters.expires_after_months)))
    return due


async def award(session: AsyncSession, event: RecordedEvent, *, profile: Profile | None) -> list[Award]:
    """See `crm.points.service.award`."""
    names = kinds_for(event.kind)
    if event.member_id is None or not names:
        return []
    rules = await earning_rules.in_force(session, names, event.occurred_at)
    if not rules:
        return []
    profile = profile or await profiles.get(session, event.member_id)
    due = decide(rules, event.as_event(CATALOGUE[event.kind]), profile, event.occurred_at)
    if not due:
        return []
    rows = await repository.post(session, [_line(event, event.member_id, item) for item in due])
    awards = [_award(item.rule, row) for item, row in zip(due, rows, strict=True)]
    for given, row in zip(awards, rows, strict=True):
        if given.is_new:
            fact = PointsEarned(
                member_id=row.member_id,
                points=given.points,
                rule=given.rule,
                transaction_id=given.transaction_id,
                balance=given.balance,
            )
            await events.publish(session, fact)
    return awards


def _line(event: RecordedEvent, member_id: int, due: Due) -> Line:
    return Line(
        member_id=member_id,
        kind=EntryKind.EARN,
        key=f"award:{event.id}:{due.rule.id}",
        points=due.points,
        contra=Account.ISSUANCE,
        reason=due.rule.kind,
        occurred_at=event.occurred_at,
        expires_at=due.expires_at,
        rule_id=due.rule.id,
        event_id=event.id,
    )


def _award(rule: EarningRule, row: Posted) -> Award:
    return Award(rule.kind, rule.id, row.points, row.transaction_id, row.balance, row.outcome == "posted")

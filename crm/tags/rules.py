"""Rules that operators define: on such an event, add this tag."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import (
    ButtonTapped,
    CheckedIn,
    CustomEvent,
    FlowEnded,
    KeywordMatched,
    MemberSignedUp,
    OrderPlaced,
    PersonRequested,
    PointsRedeemed,
    SourceTouched,
    SurveyCompleted,
)
from crm.events.types import RecordedEvent
from crm.kit.text import clean_name
from crm.tags import policy, service
from crm.tags.errors import InvalidTagRule, TagRuleNotFound
from crm.tags.models import TagRow, TagRuleRow
from crm.tags.types import TagRule

KINDS = (
    MemberSignedUp,
    SourceTouched,
    CheckedIn,
    OrderPlaced,
    SurveyCompleted,
    FlowEnded,
    KeywordMatched,
    ButtonTapped,
    PersonRequested,
    PointsRedeemed,
    CustomEvent,
)
"""What a rule may wait for; tags themselves are left out, so that rules cannot chase each other."""


async def create(
    session: AsyncSession, *, name: str, event_kind: str, tag: str, where: dict[str, Any] | None = None
) -> TagRule:
    """A new active rule. Raises InvalidTagRule, InvalidTag, TagArchived."""
    _check_kind(event_kind)
    policy.check_where(where or {})
    found = await service.usable(session, tag)
    row = TagRuleRow(name=_name(name), event_kind=event_kind, where=where or {}, tag_id=found.id)
    session.add(row)
    await session.flush()
    return await get(session, row.id)


async def change(
    session: AsyncSession,
    rule_id: int,
    *,
    name: str | None = None,
    tag: str | None = None,
    where: dict[str, Any] | None = None,
    is_active: bool | None = None,
) -> TagRule:
    """Change what is given. Raises TagRuleNotFound, InvalidTagRule, InvalidTag."""
    row = await session.get(TagRuleRow, rule_id)
    if row is None:
        raise TagRuleNotFound(rule_id=rule_id)
    if where is not None:
        policy.check_where(where)
        row.where = where
    if tag is not None:
        row.tag_id = (await service.usable(session, tag)).id
    row.name = row.name if name is None else _name(name)
    row.is_active = row.is_active if is_active is None else is_active
    await session.flush()
    return await get(session, rule_id)


async def get(session: AsyncSession, rule_id: int) -> TagRule:
    """One rule. Raises TagRuleNotFound."""
    found = [rule for rule in await listing(session) if rule.id == rule_id]
    if not found:
        raise TagRuleNotFound(rule_id=rule_id)
    return found[0]


async def listing(session: AsyncSession) -> list[TagRule]:
    """All rules by id."""
    rows = await session.execute(select(TagRuleRow, TagRow).join(TagRow).order_by(TagRuleRow.id))
    return [_rule(rule, tag) for rule, tag in rows]


async def apply(session: AsyncSession, event: RecordedEvent) -> list[str]:
    """Put the tags of all active rules that fit the event on its member; doing it twice changes nothing."""
    if event.member_id is None:
        return []
    active = select(TagRuleRow, TagRow).join(TagRow)
    rows = await session.execute(active.where(TagRuleRow.event_kind == event.kind, TagRuleRow.is_active))
    added = []
    for row, tag in rows.all():
        rule = _rule(row, tag)
        if policy.fits(rule.where, event.data) and await service.add(
            session, event.member_id, rule.tag, source="rule", source_ref=str(rule.id)
        ):
            added.append(rule.tag)
    return added


def _rule(row: TagRuleRow, tag: TagRow) -> TagRule:
    return TagRule(
        row.id, row.name, row.event_kind, policy.label(tag.group_name, tag.name), dict(row.where), row.is_active
    )


def _check_kind(event_kind: str) -> None:
    known = [kind.kind for kind in KINDS]
    if event_kind not in known:
        raise InvalidTagRule(f"a rule waits for one of {', '.join(known)}")


def _name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidTagRule("a rule needs a name")
    return cleaned

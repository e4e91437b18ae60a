"""Segment conditions on members, profiles, tags, consent, sources and orders: SQL and plain Python agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consents
from crm.consent.conditions.consent import consent
from crm.kit.rules import Condition, Scope
from crm.members import attributes, service
from crm.members.conditions.attribute import attribute
from crm.members.conditions.channel import channel
from crm.members.types import MemberChanges
from crm.orders import service as order_service
from crm.orders.conditions.orders import orders
from crm.profiles import service as profile_service
from crm.profiles.conditions.joined import joined
from crm.profiles.conditions.language import language
from crm.profiles.conditions.last_seen import last_seen
from crm.profiles.conditions.reachable import reachable
from crm.profiles.conditions.stage import stage
from crm.profiles.views import profiles
from crm.sources.conditions.source import source
from crm.tags import service as tags
from crm.tags.conditions.tag import tag
from tests.conftest import At
from tests.factories.bots import make_bot
from tests.factories.members import make_contact
from tests.factories.orders import new_order

NOW = "2026-03-31T08:00+00:00"


@dataclass(frozen=True)
class Cast:
    """Three members of whom everything is known."""

    ids: Mapping[str, int]

    def names(self, member_ids: set[int]) -> str:
        """The names of some members, in order."""
        return " ".join(name for name, member_id in self.ids.items() if member_id in member_ids)


async def _anna(session: AsyncSession, member_id: int, identity_id: int) -> None:
    await tags.add(session, member_id, "taste:oolong", source="x")
    values = {"city": "杭州 West", "cups": 2.5, "vegan": True, "since": "2025-06-01"}
    await service.change(session, member_id, MemberChanges(attributes=values), by="x")
    await service.mark_signed_up(session, member_id)
    await profile_service.record(session, member_id, stage="loyal", first_source_id=1, last_source_id=2)
    await consents.give(session, member_id, channel="telegram", topic="news", text_version="1", source="x")
    for amount, day in (("30", 1), ("70", 20)):
        placed_at = datetime(2026, 3, day, tzinfo=UTC)
        await order_service.record(session, new_order(member_id, amount, placed_at=placed_at))
    await order_service.record(session, new_order(member_id, "999", status="cancelled"))


async def _ben(session: AsyncSession, member_id: int, identity_id: int) -> None:
    await tags.add(session, member_id, "vip", source="x")
    await service.change(session, member_id, MemberChanges(attributes={"cups": 1, "vegan": False}), by="x")
    await service.set_reachable(session, identity_id, False, "blocked")
    await profile_service.record(session, member_id, stage="at_risk", last_source_id=1)
    await consents.give(session, member_id, channel="webchat", topic="news", text_version="1", source="x")
    await order_service.record(session, new_order(member_id, "500", placed_at=datetime(2025, 12, 1, tzinfo=UTC)))


@pytest.fixture
async def cast(session: AsyncSession, at: At) -> Cast:
    """Anna is lively, Ben is fading, Chen is a stranger."""
    for key, kind in (("city", "text"), ("cups", "number"), ("vegan", "boolean"), ("since", "date")):
        await attributes.define(session, key, label={"en": key}, type=kind)
    telegram, webchat = await make_bot(session), await make_bot(session, "webchat")
    await at(session, "2026-01-01T08:00+00:00")
    ben = await make_contact(session, bot=webchat, address="ben", locale_hint="en")
    await _ben(session, ben.member.id, ben.identity.id)
    await at(session, "2026-03-21T08:00+00:00")
    anna = await make_contact(session, bot=telegram, address="anna", locale_hint="zh")
    await _anna(session, anna.member.id, anna.identity.id)
    chen = await make_contact(session, bot=telegram, address="chen", locale_hint="en")
    await at(session, NOW)
    return Cast({"anna": anna.member.id, "ben": ben.member.id, "chen": chen.member.id})


CASES: list[tuple[Condition, dict[str, Any], str]] = [
    (tag, {"tag": "taste：oolong"}, "anna"),
    (tag, {"tag": "unheard of"}, ""),
    (tag, {"tag": "vip", "within_days": 30}, ""),
    (tag, {"tag": "vip", "more_than_days_ago": 30}, "ben"),
    (tag, {"tag": "taste:oolong", "within_days": 10}, "anna"),
    (tag, {"tag": "taste:oolong", "within_days": 9}, ""),
    (stage, {"stages": ["loyal", "lead"]}, "anna chen"),
    (language, {"locale": "zh-CN"}, "anna"),
    (joined, {}, "anna"),
    (joined, {"within_days": 10}, "anna"),
    (joined, {"more_than_days_ago": 10}, ""),
    (last_seen, {"within_days": 30}, "anna chen"),
    (last_seen, {"more_than_days_ago": 30}, "ben"),
    (reachable, {}, "anna chen"),
    (reachable, {"is_reachable": False}, "ben"),
    (channel, {"channel": "telegram"}, "anna chen"),
    (channel, {"channel": "webchat", "is_reachable": True}, ""),
    (channel, {"channel": "webchat", "is_reachable": False}, "ben"),
    (source, {"source_id": 1}, "anna ben"),
    (source, {"source_id": 1, "touch": "first"}, "anna"),
    (source, {"source_id": 2, "touch": "last"}, "anna"),
    (consent, {}, "anna ben"),
    (consent, {"topic": "news", "channel": "telegram"}, "anna"),
    (consent, {"topic": "courses"}, ""),
    (attribute, {"key": "city", "equals": "杭州 West"}, "anna"),
    (attribute, {"key": "city", "contains": "州 W"}, "anna"),
    (attribute, {"key": "cups", "contains": "2"}, ""),
    (attribute, {"key": "cups", "equals": 1}, "ben"),
    (attribute, {"key": "cups", "equals": 1.0}, "ben"),
    (attribute, {"key": "vegan", "equals": True}, "anna"),
    (attribute, {"key": "cups", "equals": True}, ""),
    (attribute, {"key": "cups", "at_least": 2.5}, "anna"),
    (attribute, {"key": "cups", "at_most": 2.5}, "anna ben"),
    (attribute, {"key": "city", "at_most": 3}, ""),
    (attribute, {"key": "since", "at_least": "2025-06-01"}, "anna"),
    (attribute, {"key": "since", "at_most": "2025-05-31"}, ""),
    (attribute, {"key": "vegan", "is_set": True}, "anna ben"),
    (attribute, {"key": "vegan", "is_set": False}, "chen"),
    (orders, {"at_least": 1}, "anna ben"),
    (orders, {"at_most": 0}, "chen"),
    (orders, {"measure": "amount", "at_least": 100, "at_most": 499}, "anna"),
    (orders, {"measure": "recency", "within_days": 30}, "anna"),
    (orders, {"measure": "recency", "more_than_days_ago": 30}, "ben"),
    (orders, {"measure": "count", "at_least": 2, "within_days": 31}, "anna"),
    (orders, {"measure": "count", "at_most": 0, "within_days": 31}, "ben chen"),
    (orders, {"measure": "count", "at_least": 0, "within_days": 31}, "anna ben chen"),
    (orders, {"measure": "count", "at_least": 1, "at_most": 1, "within_days": 20}, "anna"),
    (orders, {"measure": "amount", "at_most": 70, "within_days": 20}, "anna ben chen"),
    (orders, {"measure": "amount", "at_least": 1, "more_than_days_ago": 31}, "ben"),
]


@pytest.mark.parametrize(("condition", "given", "expected"), CASES)
async def test_sql_and_python_find_the_same_members(
    session: AsyncSession, cast: Cast, condition: Condition, given: dict[str, Any], expected: str
) -> None:
    parameters = condition.parameters.model_validate(given)
    now = datetime.fromisoformat(NOW)
    predicate = condition.predicate(parameters, Scope(profiles, now))
    found = set(await session.scalars(select(profiles.c.member_id).where(predicate)))
    others = set(await session.scalars(select(profiles.c.member_id).where(not_(predicate))))
    facts = await condition.facts(session, list(cast.ids.values()))
    plain = {item for item in cast.ids.values() if condition.matches(parameters, facts.get(item), now)}
    assert cast.names(found) == expected
    assert found == plain
    assert others == set(cast.ids.values()) - found


@pytest.mark.parametrize(
    ("condition", "given"),
    [
        (tag, {}),
        (tag, {"tag": ":"}),
        (tag, {"tag": "vip", "unknown": 1}),
        (tag, {"tag": "vip", "within_days": 0}),
        (stage, {"stages": []}),
        (stage, {"stages": ["unheard"]}),
        (language, {"locale": ""}),
        (last_seen, {"within_days": 10_000}),
        (source, {"source_id": 2**63}),
        (consent, {"topic": "Bad Topic"}),
        (attribute, {"key": "city"}),
        (attribute, {"key": "city", "equals": "a", "is_set": True}),
        (attribute, {"key": "city", "equals": "a\x00"}),
        (attribute, {"key": "ci'ty", "is_set": True}),
        (attribute, {"key": "cups", "at_least": "NaN"}),
        (orders, {}),
        (orders, {"measure": "recency"}),
        (orders, {"measure": "recency", "within_days": 3, "at_least": 1}),
        (orders, {"measure": "profit", "at_least": 1}),
        (orders, {"at_least": -1}),
    ],
)
def test_senseless_parameters_are_refused(condition: Condition, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        condition.parameters.model_validate(given)


def test_the_window_includes_its_start() -> None:
    now = datetime.fromisoformat(NOW)
    edge = now - timedelta(days=3)
    window = joined.parameters(within_days=3)
    assert window.holds_for(edge, now)
    assert not window.holds_for(edge - timedelta(microseconds=1), now)

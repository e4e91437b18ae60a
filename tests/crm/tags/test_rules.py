"""Rules that tag by events."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.events.catalogue import CustomEvent, KeywordMatched
from crm.events.relay import relay_all
from crm.events.service import publish
from crm.tags import policy, rules, service
from crm.tags.errors import InvalidTagRule, TagRuleNotFound
from tests.factories.members import make_member


async def test_a_rule_tags_by_the_relay_and_only_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        where = {"name": "visit", "properties.cups": {"at_least": 2}}
        await rules.create(session, name="Thirsty", event_kind="custom", tag="habit:thirsty", where=where)
        for cups in (1, 2, 3):
            await publish(session, CustomEvent(member_id=member.id, name="visit", properties={"cups": cups}))
        await publish(session, CustomEvent(member_id=None, name="visit", properties={"cups": 9}))
        await publish(session, KeywordMatched(member_id=member.id, keyword="visit"))
    await relay_all(committed_sessions)
    async with committed_sessions() as session:
        (tag,) = await service.of_member(session, member.id)
        assert (tag.tag, tag.source) == ("habit:thirsty", "rule")


async def test_an_inactive_rule_does_nothing(session: AsyncSession) -> None:
    member = await make_member(session)
    rule = await rules.create(session, name="Tea", event_kind="keyword_matched", tag="tea", where={"keyword": "tea"})
    recorded = await publish(session, KeywordMatched(member_id=member.id, keyword="tea"))
    await rules.change(session, rule.id, is_active=False)
    assert await rules.apply(session, recorded) == []
    changed = await rules.change(session, rule.id, is_active=True, tag="taste:tea", name="Tea lovers")
    assert (changed.tag, changed.name) == ("taste:tea", "Tea lovers")
    assert await rules.apply(session, recorded) == ["taste:tea"]
    assert await rules.apply(session, recorded) == []


@pytest.mark.parametrize(
    ("where", "data", "fits"),
    [
        ({}, {}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {}, False),
        ({"a.b": "x"}, {"a": {"b": "x"}}, True),
        ({"a.b": "x"}, {"a": "text"}, False),
        ({"a": {"at_least": 2}}, {"a": "2.50"}, True),
        ({"a": {"at_least": 2, "at_most": 3}}, {"a": 4}, False),
        ({"a": {"at_least": 2}}, {"a": "many"}, False),
        ({"a": {"at_least": 2}}, {"a": "NaN"}, False),
        ({"a": {"contains": "ea"}}, {"a": "tea"}, True),
        ({"a": {"contains": "tea"}}, {"a": ["tea", "milk"]}, True),
        ({"a": {"contains": "tea"}}, {"a": None}, False),
    ],
)
def test_what_fits(where: dict[str, Any], data: dict[str, Any], fits: bool) -> None:
    assert policy.fits(where, data) is fits


async def test_a_senseless_rule_is_refused(session: AsyncSession) -> None:
    for kind in ("tag_added", "nonsense"):
        with pytest.raises(InvalidTagRule):
            await rules.create(session, name="x", event_kind=kind, tag="t")
    for where in ({"a": {"is_like": 1}}, {"a": {"at_least": "x"}}, {"a": [1]}, {str(n): n for n in range(11)}):
        with pytest.raises(InvalidTagRule):
            await rules.create(session, name="x", event_kind="custom", tag="t", where=where)
    with pytest.raises(InvalidTagRule):
        await rules.create(session, name="\x00", event_kind="custom", tag="t")
    with pytest.raises(TagRuleNotFound):
        await rules.change(session, 999_999, is_active=False)

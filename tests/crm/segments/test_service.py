"""Segments are tried before they are saved, saved in normal form, changed, archived; hostile values harm nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Text, cast, func, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import surroundings
from crm.kit.rules import Parameters, Scope
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.segments import catalogue, compiler, service
from crm.segments.errors import (
    InvalidRuleError,
    InvalidSegmentError,
    RuleTooSlowError,
    SegmentArchivedError,
    SegmentNotFoundError,
)
from crm.tags import service as tags
from tests.factories.bots import make_bot
from tests.factories.members import make_member

VIP = {"condition": "tag", "tag": "vip"}
EVERYONE: dict[str, Any] = {"all": []}
HOSTILE = (
    "'; DROP TABLE members; --",
    "' OR 1=1 --",
    "\\'; SELECT pg_sleep(10) --",
    "%(id)s :id $1 {0} {{ 7*7 }} %s %%",
    "a\x00b",
    "\ud83d half",
    "👨‍👩‍👧‍👦🇨🇳\u202e\u200f",
    "$$ || pg_read_file('/etc/passwd') || $$",
    "[]{}(),.*+?^$|\\",
    "x" * 2000,
)
WORDS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
PLACES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"condition": "tag"}, "tag"),
    ({"condition": "language"}, "locale"),
    ({"condition": "channel"}, "channel"),
    ({"condition": "consent"}, "topic"),
    ({"condition": "consent"}, "channel"),
    ({"condition": "attribute", "key": "city"}, "equals"),
    ({"condition": "attribute", "key": "city"}, "contains"),
    ({"condition": "attribute", "key": "city"}, "at_least"),
    ({"condition": "attribute", "is_set": True}, "key"),
    ({"condition": "survey_answer"}, "survey"),
    ({"condition": "survey_answer", "survey": "tea"}, "question"),
    ({"condition": "survey_answer", "survey": "tea", "question": "why"}, "any_of"),
    ({"condition": "orders", "measure": "count"}, "at_least"),
    ({}, "condition"),
)


async def test_a_preview_counts_and_shows_some_with_warnings(session: AsyncSession) -> None:
    bot = await make_bot(session)
    ids = [(await make_member(session, bot=bot, display_name=f"Guest {number}")).id for number in range(12)]
    await tags.add(session, ids[3], "vip", source="test")
    everyone = await service.preview(session, EVERYONE)
    assert everyone.count == 12
    assert [one.id for one in everyone.sample] == sorted(ids, reverse=True)[:10]
    odd = await service.preview(session, {"all": [VIP, {"not": VIP}]}, sample=3)
    assert (odd.count, odd.sample, [warning.path for warning in odd.warnings]) == (0, [], ["rule.all"])
    some = await service.preview(session, {"not": VIP}, sample=3)
    assert (some.count, len(some.sample), some.warnings) == (11, 3, [])
    one = await service.preview(session, VIP)
    assert [(item.id, item.display_name) for item in one.sample] == [(ids[3], "Guest 3")]


class Slow:
    """A condition that takes its time over each member."""

    name, label, group, parameters = "slow", "Slow", "Test", Parameters

    def predicate(self, parameters: Parameters, scope: Scope) -> ColumnElement[bool]:
        del parameters
        return cast(func.pg_sleep(1 + 0 * scope.member_id), Text).is_not(None)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Any]:
        del session, member_ids
        return {}

    def matches(self, parameters: Parameters, fact: None, now: datetime) -> bool:
        del parameters, fact, now
        return True


async def test_a_slow_rule_is_given_up_and_the_transaction_lives(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_member(session)
    house = surroundings(session)
    session.info["siyu"] = replace(house, ports={**house.ports, catalogue.PORT: catalogue.Conditions([Slow()])})
    monkeypatch.setattr(service, "PREVIEW_SECONDS", 0.05)
    before = (await session.execute(text("SHOW statement_timeout"))).scalar_one()
    with pytest.raises(RuleTooSlowError, match="too long"):
        await service.preview(session, {"condition": "slow"})
    assert (await session.execute(text("SHOW statement_timeout"))).scalar_one() == before
    assert (await service.preview(session, EVERYONE)).count == 1
    assert (await session.execute(text("SHOW statement_timeout"))).scalar_one() == before


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.sampled_from(PLACES), word=WORDS, is_list=st.booleans())
async def test_hostile_words_are_refused_or_match_nobody(
    session: AsyncSession, place: tuple[dict[str, Any], str], word: str, is_list: bool
) -> None:
    leaf, name = place
    source = {"not": {**leaf, name: [word] if is_list or name == "any_of" else word}}
    try:
        rule = service.parse(session, source)
    except InvalidRuleError as error:
        too_long = len(str(error.facts["problems"])) > 1500
        assert not too_long
        return
    assert (await service.preview(session, source)).count == 0
    assert not await service.matches(session, rule, 1)


@pytest.mark.parametrize("word", [word for word in HOSTILE if "\x00" not in word and "\ud83d" not in word])
async def test_hostile_words_are_found_as_plain_text(session: AsyncSession, word: str) -> None:
    member = await make_member(session)
    statement = text("UPDATE members SET attributes = jsonb_build_object('city', CAST(:word AS text)) WHERE id = :id")
    await session.execute(statement, {"word": word, "id": member.id})
    for rule in ({"condition": "attribute", "key": "city", "equals": word},):
        assert (await service.preview(session, rule)).count == 1
    assert (await service.preview(session, {"condition": "attribute", "key": "city", "contains": word[:9]})).count == 1


async def test_a_segment_lives_and_is_put_aside(session: AsyncSession) -> None:
    made = await service.create(session, name="  Tea\x00 \n lovers ", rule=VIP, description=" d\x00 ")
    assert (made.name, made.description, made.version, made.rule) == ("Tea lovers", "d", 1, VIP)
    changed = await service.change(session, made.id, rule={"not": VIP}, name="Others")
    assert (changed.name, changed.version, changed.rule) == ("Others", 2, {"not": VIP})
    archived = await service.archive(session, made.id)
    assert archived.is_archived
    with pytest.raises(SegmentArchivedError):
        await service.rule_of(session, made.id)
    assert (await service.listing(session)).items == []
    assert [one.id for one in (await service.listing(session, with_archived=True)).items] == [made.id]
    await service.archive(session, made.id, is_archived=False)
    await service.rule_of(session, made.id)


@pytest.mark.parametrize("name", ["", "  ", "\x00", "x" * 121])
async def test_a_segment_needs_a_name(session: AsyncSession, name: str) -> None:
    with pytest.raises(InvalidSegmentError):
        await service.create(session, name=name, rule=VIP)
    made = await service.create(session, name="x" * 120, rule=VIP)
    with pytest.raises(InvalidSegmentError):
        await service.change(session, made.id, name=name)


@pytest.mark.parametrize("segment_id", [0, -1, 404, 2**63, 10**30])
async def test_what_is_not_there_is_not_found(session: AsyncSession, segment_id: int) -> None:
    with pytest.raises(SegmentNotFoundError):
        await service.get(session, segment_id)
    with pytest.raises(SegmentNotFoundError):
        await service.rule_of(session, segment_id)


async def test_a_stored_rule_that_is_no_longer_one_says_so(session: AsyncSession) -> None:
    made = await service.create(session, name="Old", rule=VIP)
    gone = text("""UPDATE segments SET rule = '{"condition": "gone"}' WHERE id = :id""")
    await session.execute(gone, {"id": made.id})
    with pytest.raises(InvalidRuleError, match=r"rule\.condition"):
        await service.rule_of(session, made.id)


async def test_lists_are_searched_by_name_as_plain_text_and_paged(session: AsyncSession) -> None:
    ids = [(await service.create(session, name=name, rule=VIP)).id for name in ("100% tea", "1000 teas", "Coffee")]
    assert [one.id for one in (await service.listing(session, query="100% TEA")).items] == ids[:1]
    assert (await service.listing(session, query="te\x00as")).items[0].id == ids[1]
    first = await service.listing(session, limit=2)
    rest = await service.listing(session, limit=2, cursor=first.next_cursor)
    assert [one.id for one in first.items + rest.items] == ids[::-1]


async def test_merged_and_erased_members_are_in_no_audience(session: AsyncSession) -> None:
    bot = await make_bot(session)
    kept, gone = await make_member(session, bot=bot), await make_member(session, bot=bot)
    await members.change(session, kept.id, MemberChanges(display_name="Kept"), by="test")
    await session.execute(text("UPDATE profiles SET is_active = false WHERE member_id = :id"), {"id": gone.id})
    rule = service.parse(session, EVERYONE)
    assert await service.matches(session, rule, kept.id)
    assert not await service.matches(session, rule, gone.id)
    found = await session.scalars(compiler.audience(rule, await clock.now(session)))
    assert found.all() == [kept.id]

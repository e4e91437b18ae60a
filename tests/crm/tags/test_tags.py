"""Tags on members: who put them there, the profile's copy, expiry and archiving."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.events.service import timeline
from crm.profiles import service as profiles
from crm.tags import jobs, policy, service
from crm.tags.errors import InvalidTag, TagArchived, TagNotFound, TagTaken
from tests.conftest import At
from tests.factories.members import make_member


async def test_a_tag_has_group_source_and_time_and_is_in_the_profile(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    member = await make_member(session)
    assert await service.add(session, member.id, "taste: 乌龙 ", source="survey", source_ref="survey:3")
    assert not await service.add(session, member.id, "taste：乌龙", source="button")
    (tag,) = await service.of_member(session, member.id)
    assert (tag.tag, tag.group, tag.name, tag.source, tag.source_ref) == (
        "taste:乌龙",
        "taste",
        "乌龙",
        "survey",
        "survey:3",
    )
    assert tag.added_at == now
    found = await service.find(session, "taste:乌龙")
    assert found is not None
    assert (await profiles.get(session, member.id)).tag_ids == [found.id]
    assert (await timeline(session, member.id, kinds=["tag_added"]))[0].data == {
        "tag": "taste:乌龙",
        "source": "survey",
    }
    assert await service.labels(session, [found.id]) == {found.id: "taste:乌龙"}


async def test_taking_off_is_announced_once(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.add(session, member.id, "vip", source="operator:1")
    assert await service.remove(session, member.id, "vip", source="operator:1")
    assert not await service.remove(session, member.id, "vip", source="operator:1")
    assert not await service.remove(session, member.id, "never seen", source="operator:1")
    assert await service.of_member(session, member.id) == []
    assert (await profiles.get(session, member.id)).tag_ids == []
    assert len(await timeline(session, member.id, kinds=["tag_removed"])) == 1


@pytest.mark.parametrize("tag", ["", " ", ":", "group:", ":name", "\x00", "\u202e", "x" * 10_000])
def test_a_senseless_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidTag):
        policy.parse(tag)


async def test_hostile_tags_stay_literal(session: AsyncSession) -> None:
    member = await make_member(session)
    for tag in ("<b>bold</b>", "{{7*7}}", "=1+1", "👩‍👩‍👧‍👦"):
        assert await service.add(session, member.id, tag, source="operator:1")
    assert {tag.tag for tag in await service.of_member(session, member.id)} == {
        "<b>bold</b>",
        "{{7*7}}",
        "=1+1",
        "👩‍👩‍👧‍👦",
    }


async def test_many_tags_at_once_lose_none(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)

    async def put(number: int) -> bool:
        async with committed_sessions.begin() as own:
            return await service.add(own, member.id, f"number:{number % 10}", source="test")

    added = await asyncio.gather(*(put(number) for number in range(20)))
    assert sum(added) == 10
    async with committed_sessions() as session:
        assert len((await profiles.get(session, member.id)).tag_ids) == 10


async def test_an_expired_tag_comes_off(committed_sessions: Sessions, at: At) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        await at(session, "2020-01-01T00:00+00:00")
        until = await at(session, "2020-01-02T00:00+00:00")
        await at(session, "2020-01-01T00:00+00:00")
        await service.add(session, member.id, "trial", source="campaign", expires_at=until)
        await service.add(session, member.id, "kept", source="campaign")
        with pytest.raises(InvalidTag):
            await service.add(session, member.id, "late", source="x", expires_at=await at(session, "2020-01-01T00:00Z"))
    assert await jobs.expire.run(committed_sessions) == 1
    assert await jobs.expire.run(committed_sessions) == 0
    async with committed_sessions() as session:
        assert [tag.tag for tag in await service.of_member(session, member.id)] == ["kept"]
        assert len((await profiles.get(session, member.id)).tag_ids) == 1


async def test_an_archived_tag_stays_where_it_is_and_goes_to_nobody(session: AsyncSession) -> None:
    one, two = await make_member(session), await make_member(session)
    await service.add(session, one.id, "old", source="x")
    tag = await service.find(session, "old")
    assert tag is not None
    await service.archive(session, tag.id)
    assert not await service.add(session, two.id, "old", source="x")
    with pytest.raises(TagArchived):
        await service.usable(session, "old")
    assert await service.listing(session) == []
    (listed,) = await service.listing(session, with_archived=True)
    assert (listed.label, listed.members_count, listed.is_archived) == ("old", 1, True)


async def test_renaming_meets_no_other_tag(session: AsyncSession) -> None:
    tag = await service.create(session, "a:one")
    await service.create(session, "a:two")
    with pytest.raises(TagTaken):
        await service.create(session, "a:one")
    with pytest.raises(TagTaken):
        await service.change(session, tag.id, tag="a:two")
    assert (await service.change(session, tag.id, tag="b:three")).label == "b:three"
    with pytest.raises(TagNotFound):
        await service.change(session, tag.id + 999, tag="x")

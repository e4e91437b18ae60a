"""Merging two profiles and taking them apart again."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.db.session import Sessions
from crm.kit.paging import InvalidCursor, encode_cursor
from crm.members import attributes, history, merging, service
from crm.members.errors import MemberGone, MemberNotFound, MergeImpossible, MergeNotFound, MergeUndone
from crm.members.types import Member, MemberChanges, MemberQuery, MemberStatus
from crm.orders import service as orders
from crm.profiles import service as profiles
from crm.profiles.types import Profile
from crm.tags import service as tags
from tests.conftest import At
from tests.factories.bots import make_bot
from tests.factories.members import make_contact, make_member
from tests.factories.orders import new_order


async def _pair(session: AsyncSession) -> tuple[Member, Member]:
    """A kept member with little, and a dropped one with much."""
    keep = await make_member(session, display_name="Keep")
    drop = await make_member(session, bot=await make_bot(session, "webchat"), display_name="Drop")
    await attributes.define(session, "city", label={"en": "City"}, type="text")
    await attributes.define(session, "real_name", label={"en": "Name"}, type="text", is_personal=True)
    await service.set_phone(session, drop.id, "+8613800138000", is_verified=True)
    await service.set_email(session, drop.id, "drop@example.org")
    filled = MemberChanges(birthday=date(1990, 1, 2), attributes={"city": "Hangzhou", "real_name": "李华"})
    await service.change(session, drop.id, filled, by="member")
    await service.mark_signed_up(session, drop.id)
    await profiles.record(session, drop.id, stage="new")
    await tags.add(session, keep.id, "both", source="a")
    for tag in ("both", "only:drop"):
        await tags.add(session, drop.id, tag, source="b")
    await orders.record(session, new_order(keep.id, "10"))
    await orders.record(session, new_order(drop.id, "90"))
    await consent.give(session, drop.id, channel="webchat", topic="news", text_version="v1", source="sign_up")
    return keep, drop


async def _picture(session: AsyncSession, member_id: int) -> tuple[object, ...]:
    """What must be the same again after an undo; the version moves on."""
    member: Member = await service.get(session, member_id)
    profile: Profile = await profiles.get(session, member_id)
    carried = sorted(tag.tag for tag in await tags.of_member(session, member_id))
    listed = sorted(order.external_id for order in (await orders.listing(session, member_id=member_id)).items)
    owned = sorted(item.id for item in await service.identities(session, member_id))
    details = {name: value for name, value in vars(member).items() if name != "version"}
    secret = await service.phone(session, member_id), await service.email(session, member_id)
    return details, profile, carried, listed, owned, secret, await service.personal_attributes(session, member_id)


async def test_the_kept_profile_gets_what_it_lacks(session: AsyncSession) -> None:
    keep, drop = await _pair(session)
    await merging.merge(session, keep.id, drop.id, by="operator:1")
    member = await service.get(session, keep.id)
    assert (member.display_name, member.birthday, member.attributes) == ("Keep", date(1990, 1, 2), {"city": "Hangzhou"})
    assert (member.is_phone_verified, member.is_signed_up) == (True, True)
    assert await service.phone(session, keep.id) == "+8613800138000"
    assert await service.personal_attributes(session, keep.id) == {"real_name": "李华"}
    profile = await profiles.get(session, keep.id)
    assert (profile.stage, profile.orders_count, profile.orders_total) == ("new", 2, Decimal(100))
    assert len(profile.tag_ids) == 2
    assert {item.channel for item in await service.identities(session, keep.id)} == {"telegram", "webchat"}
    (status,) = await consent.status(session, keep.id)
    assert (status.channel, status.is_given, status.source) == ("webchat", True, "merge")


async def test_the_dropped_profile_is_gone_but_known(session: AsyncSession) -> None:
    keep, drop = await _pair(session)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    gone = await service.get(session, drop.id)
    assert (gone.status, gone.merged_into_id) == (MemberStatus.MERGED, keep.id)
    assert await service.current_id(session, drop.id) == keep.id
    assert await service.all_ids(session, keep.id) == sorted([keep.id, drop.id])
    assert [item.id for item in (await service.page(session, MemberQuery())).items] == [keep.id]
    with pytest.raises(MemberGone):
        await service.change(session, drop.id, MemberChanges(display_name="Back?"), by="member")
    (listed,) = await merging.of_member(session, keep.id)
    assert (listed.id, listed.by, listed.undone_at) == (merge_id, "operator:1", None)


async def test_an_undo_restores_both(session: AsyncSession) -> None:
    keep, drop = await _pair(session)
    before = await _picture(session, keep.id), await _picture(session, drop.id)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    await merging.undo(session, merge_id, by="operator:2")
    assert (await _picture(session, keep.id), await _picture(session, drop.id)) == before
    assert [status.is_given for status in await consent.status(session, keep.id)] == [False]
    assert [status.is_given for status in await consent.status(session, drop.id)] == [True]
    with pytest.raises(MergeUndone):
        await merging.undo(session, merge_id, by="operator:2")
    assert await merging.merge(session, drop.id, keep.id, by="operator:1") > merge_id


async def test_an_undo_leaves_later_changes_alone(session: AsyncSession) -> None:
    keep, drop = await _pair(session)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    changes = MemberChanges(birthday=date(1991, 1, 1), attributes={"city": "Suzhou"})
    await service.change(session, keep.id, changes, by="member")
    await orders.record(session, new_order(keep.id, "5"))
    await tags.add(session, keep.id, "later", source="x")
    await tags.remove(session, keep.id, "only:drop", source="x")
    await merging.undo(session, merge_id, by="operator:1")
    member = await service.get(session, keep.id)
    assert (member.birthday, member.attributes, member.phone_masked) == (date(1991, 1, 1), {"city": "Suzhou"}, None)
    assert (await profiles.get(session, keep.id)).orders_total == Decimal(15)
    assert [tag.tag for tag in await tags.of_member(session, keep.id)] == ["both", "later"]
    assert [tag.tag for tag in await tags.of_member(session, drop.id)] == ["both"]


async def test_a_later_withdrawal_wins_over_an_older_consent(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+00:00")
    keep, drop = await make_member(session), await make_member(session)
    await consent.give(session, drop.id, channel="telegram", topic="news", text_version="v1", source="sign_up")
    await at(session, "2026-03-01T09:00+00:00")
    await consent.withdraw(session, keep.id, channel="telegram", topic="news", source="stop")
    await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert [status.is_given for status in await consent.status(session, keep.id)] == [False]


async def test_what_cannot_be_merged_is_refused(session: AsyncSession) -> None:
    one, two, three = [await make_member(session) for _ in range(3)]
    demo = await make_member(session, bot=await make_bot(session, is_demo=True))
    with pytest.raises(MergeImpossible, match="itself"):
        await merging.merge(session, one.id, one.id, by="x")
    with pytest.raises(MergeImpossible, match="demo"):
        await merging.merge(session, one.id, demo.id, by="x")
    with pytest.raises(MemberNotFound):
        await merging.merge(session, one.id, 2**62, by="x")
    first = await merging.merge(session, one.id, two.id, by="x")
    with pytest.raises(MergeImpossible, match="already"):
        await merging.merge(session, three.id, two.id, by="x")
    await merging.merge(session, three.id, one.id, by="x")
    assert await service.current_id(session, two.id) == three.id
    with pytest.raises(MergeImpossible, match="undo that first"):
        await merging.undo(session, first, by="x")
    with pytest.raises(MergeNotFound):
        await merging.undo(session, 2**62, by="x")


async def test_crossing_merges_at_once_leave_one_profile(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        bot = await make_bot(session)
        one, two = await make_member(session, bot=bot), await make_member(session, bot=bot)

    async def merge(keep_id: int, drop_id: int) -> bool:
        try:
            async with committed_sessions.begin() as own:
                await merging.merge(own, keep_id, drop_id, by="x")
        except MergeImpossible:
            return False
        return True

    done = await asyncio.gather(*(merge(one.id, two.id) for _ in range(4)), *(merge(two.id, one.id) for _ in range(4)))
    assert sum(done) == 1
    async with committed_sessions() as session:
        (left,) = (await service.page(session, MemberQuery())).items
        assert len(await service.identities(session, left.id)) == 2


async def test_who_writes_during_a_merge_is_met_as_the_kept_member(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        bot = await make_bot(session)
        keep = await make_member(session, bot=bot)
        drop = await make_contact(session, bot=bot, address="42")

    async def write() -> int:
        async with committed_sessions.begin() as own:
            return (await make_contact(own, bot=bot, address="42")).member.id

    async with committed_sessions.begin() as merger:
        await merging.merge(merger, keep.id, drop.member.id, by="x")
        writing = asyncio.create_task(write())
        done, _ = await asyncio.wait([writing], timeout=0.3)
        assert not done
    assert await writing == keep.id


async def test_the_timeline_shows_the_merged_profiles_history(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await merging.merge(session, keep.id, drop.id, by="x")
    first = await history.timeline(session, keep.id, limit=2)
    rest = await history.timeline(session, keep.id, cursor=first.next_cursor)
    kinds = [entry.kind for entry in first.items + rest.items]
    assert kinds == ["members_merged", "identity_linked", "member_created", "member_created"]
    for cursor in (encode_cursor("now", "x"), encode_cursor("2026-01-01T00:00:00", str(first.items[0].id)), "?"):
        with pytest.raises(InvalidCursor):
            await history.timeline(session, keep.id, cursor=cursor)

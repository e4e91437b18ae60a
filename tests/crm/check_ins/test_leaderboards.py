"""The leaderboard: opt-in, ties, one's own place, and gone at once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, filling, leaderboards, programmes, service
from crm.check_ins.errors import LeaderboardOff, NotOnLeaderboard
from crm.check_ins.types import Board, NewMilestone
from crm.members import merging, privacy
from crm.members import service as members
from crm.members.types import MemberChanges
from tests.conftest import At
from tests.factories.check_ins import allow, on_days
from tests.factories.members import make_member


async def test_only_who_joined_with_ties_and_ones_own_place(session: AsyncSession, at: At) -> None:
    await allow(session, places=3)
    found = {}
    for name, days in {"A": (2, 3), "B": (2, 3), "C": (3,), "D": (4,), "hidden": (2, 3, 4), "old": (1,)}.items():
        member = await make_member(session)
        await on_days(session, at, member.id, *days)
        if name != "hidden":
            await leaderboards.join(session, member.id, alias=name)
        found[name] = member.id
    await at(session, "2026-03-04T12:00+08:00")
    board = await leaderboards.show(session, member_id=found["D"])
    assert [(place.rank, place.name, place.value) for place in board.places] == [(1, "A", 2), (1, "B", 2), (3, "C", 1)]
    assert board.own is not None
    assert (board.own.rank, board.own.name, board.members, board.is_on_it) == (3, "D", 4, True)
    assert str(board.since) == "2026-03-02"
    month = await leaderboards.show(session, Board.MONTH, member_id=found["hidden"], places=50)
    assert [(place.rank, place.name) for place in month.places] == [(1, "A"), (1, "B"), (3, "old"), (3, "C"), (3, "D")]
    assert (month.own, month.is_on_it) == (None, False)
    streaks = await leaderboards.show(session, Board.STREAK, member_id=found["old"])
    assert [(place.name, place.value) for place in streaks.places] == [("A", 2), ("B", 2), ("C", 1)]
    assert (streaks.since, streaks.own, streaks.is_on_it) == (None, None, True)  # the streak of the first has ended


async def test_leaving_removes_at_once(session: AsyncSession, at: At) -> None:
    await allow(session)
    member = await make_member(session)
    await on_days(session, at, member.id, 2)
    await leaderboards.join(session, member.id)
    await leaderboards.join(session, member.id, alias="  Pan\u202eda\n" + "x" * 50)
    place = (await leaderboards.show(session)).places[0]
    assert place.name.startswith("Pan")
    assert len(place.name) <= leaderboards.MAX_ALIAS
    assert await leaderboards.leave(session, member.id)
    assert (await leaderboards.show(session, member_id=member.id)).places == []
    assert not await leaderboards.leave(session, member.id)
    with pytest.raises(NotOnLeaderboard):
        await leaderboards.remove(session, member.id)


async def test_there_is_none_unless_it_is_switched_on(session: AsyncSession) -> None:
    member = await make_member(session)
    with pytest.raises(LeaderboardOff):
        await leaderboards.show(session)
    with pytest.raises(LeaderboardOff):
        await leaderboards.join(session, member.id)


async def test_filled_days_count_for_streaks_alone(session: AsyncSession, at: At) -> None:
    await allow(session)
    await programmes.add_milestone(session, NewMilestone(3, badge={"en": "Tea friend"}))
    member = await make_member(session)
    await on_days(session, at, member.id, 2, 4)
    await leaderboards.join(session, member.id, alias="A")
    await cards.give_by_hand(session, member.id, 1, reason="Hello", key="k", by="operator:1")
    await filling.make_up(session, member.id, (await filling.offered(session, member.id)).days[0])
    assert (await leaderboards.show(session)).places[0].value == 2
    place = (await leaderboards.show(session, Board.STREAK)).places[0]
    assert (place.value, place.badge) == (3, {"en": "Tea friend"})


async def test_streaks_run_by_each_members_own_date(session: AsyncSession, at: At) -> None:
    await allow(session)
    await at(session, "2026-03-01T00:00Z")
    west = await make_member(session)
    await members.change(session, west.id, MemberChanges(time_zone="Pacific/Honolulu"), by="member")
    await leaderboards.join(session, west.id, alias="West")
    await at(session, "2026-03-04T07:00Z")  # 21:00 of the 3rd there, and the 4th in Shanghai
    await service.check_in(session, west.id)
    for moment, is_there in (("2026-03-05T09:00Z", True), ("2026-03-05T10:30Z", False)):
        await at(session, moment)
        assert bool((await leaderboards.show(session, Board.STREAK)).places) is is_there


async def test_erased_and_merged_members_are_gone(session: AsyncSession, at: At) -> None:
    await allow(session)
    keep, drop = await make_member(session), await make_member(session)
    await on_days(session, at, keep.id, 2)
    await on_days(session, at, drop.id, 2, 3)
    await leaderboards.join(session, drop.id, alias="Drop")
    await cards.give_by_hand(session, drop.id, 2, reason="Hello", key="k", by="operator:1")
    merge = await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert [(place.member_id, place.name, place.value) for place in (await leaderboards.show(session)).places] == [
        (keep.id, "Drop", 2)
    ]
    assert await cards.held(session, keep.id) == 2
    assert [move.change for move in await cards.moves(session, keep.id)] == [2]
    await merging.undo(session, merge, by="operator:1")
    assert [place.member_id for place in (await leaderboards.show(session)).places] == [drop.id]
    assert (await cards.held(session, keep.id), await cards.held(session, drop.id)) == (0, 2)
    assert "check_in_leaders" in {item.table for item in privacy.registry()}

"""Milestones: given once for the days that reached them, whether these were checked in or filled."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, filling, policy, programmes
from crm.check_ins.errors import InvalidMilestone, MilestoneNotFound, MilestoneTaken
from crm.check_ins.types import NewMilestone
from crm.coupons.service import definitions, holding
from crm.events import service as events
from crm.points import service as points
from tests.conftest import At
from tests.factories.check_ins import allow, on_days
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member
from tests.factories.points import assert_sound


async def test_a_milestone_gives_everything_that_it_promises(session: AsyncSession, at: At) -> None:
    coupon = await make_coupon(session)
    badge = {"en": "Tea friend", "zh-CN": "茶友"}
    new = NewMilestone(3, points=40, coupon_id=coupon.id, cards=2, badge=badge)
    milestone = await programmes.add_milestone(session, new)
    member = await make_member(session)
    found = await on_days(session, at, member.id, 1, 2, 3)
    assert [(gift.days, gift.points, gift.has_coupon, gift.cards, gift.badge) for gift in found.gifts] == [
        (3, 40, True, 2, badge)
    ]
    assert found.balance == await points.balance(session, member.id) == 40
    assert await cards.held(session, member.id) == 2
    assert len((await holding.listing(session, member_id=member.id)).items) == 1
    fact = (await events.timeline(session, member.id, kinds=["milestone_reached"]))[0]
    assert (fact.data["milestone_id"], fact.data["days"], fact.data["reached_on"]) == (milestone.id, 3, "2026-03-03")
    assert (await on_days(session, at, member.id, 4)).gifts == []
    await assert_sound(session)


async def test_again_and_again_and_in_a_new_streak(session: AsyncSession, at: At) -> None:
    await programmes.add_milestone(session, NewMilestone(2, is_repeated=True, points=5))
    await programmes.add_milestone(session, NewMilestone(3, points=7))
    member = await make_member(session)
    found = [await on_days(session, at, member.id, day) for day in (1, 2, 3, 4, 6, 7, 8)]
    assert [sum(gift.points for gift in one.gifts) for one in found] == [0, 5, 7, 5, 0, 5, 7]


async def test_joining_two_streaks_gives_nothing_for_the_same_days_twice(session: AsyncSession, at: At) -> None:
    await allow(session)
    await programmes.add_milestone(session, NewMilestone(3, points=10))
    await programmes.add_milestone(session, NewMilestone(2, is_repeated=True, points=1))
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 2, 3, 5, 6, 7)
    assert await points.balance(session, member.id) == 22
    await cards.give_by_hand(session, member.id, 2, reason="Hello", key="k", by="operator:1")
    made = await filling.make_up(session, member.id, date(2026, 3, 4))
    assert (made.streak, [(gift.points, gift.reached_on.day) for gift in made.gifts]) == (7, [(1, 4)])
    assert await points.balance(session, member.id) == 23
    await assert_sound(session)


async def test_a_filled_day_reaches_a_milestone_by_setting(session: AsyncSession, at: At) -> None:
    await programmes.add_milestone(session, NewMilestone(4, points=10))
    for has_them, gifts in ((True, [4]), (False, [])):
        await allow(session, has_made_up_milestones=has_them)
        member = await make_member(session)
        await on_days(session, at, member.id, 1, 3, 4)
        await cards.give_by_hand(session, member.id, 1, reason="Hello", key="k", by="operator:1")
        made = await filling.make_up(session, member.id, date(2026, 3, 2))
        assert [gift.days for gift in made.gifts] == gifts


async def test_a_coupon_that_has_ended_does_not_keep_the_rest_back(session: AsyncSession, at: At) -> None:
    coupon = await make_coupon(session)
    await programmes.add_milestone(session, NewMilestone(2, points=10, coupon_id=coupon.id))
    await definitions.change(session, coupon.id, is_active=False)
    member = await make_member(session)
    found = await on_days(session, at, member.id, 1, 2)
    assert [(gift.points, gift.has_coupon) for gift in found.gifts] == [(10, False)]


@pytest.mark.parametrize(
    "new",
    [
        NewMilestone(1, points=5),
        NewMilestone(3661, points=5),
        NewMilestone(7),
        NewMilestone(7, points=-5),
        NewMilestone(7, points=10**12),
        NewMilestone(7, cards=101),
        NewMilestone(7, coupon_id=999),
        NewMilestone(7, badge={"en": "x" * 31}),
        NewMilestone(7, badge={"fr": "Thé"}),
    ],
)
async def test_a_milestone_makes_sense(session: AsyncSession, new: NewMilestone) -> None:
    with pytest.raises(InvalidMilestone):
        await programmes.add_milestone(session, new)
    assert await programmes.milestones(session) == []


async def test_one_active_milestone_a_day(session: AsyncSession) -> None:
    first = await programmes.add_milestone(session, NewMilestone(7, points=5))
    with pytest.raises(MilestoneTaken):
        await programmes.add_milestone(session, NewMilestone(7, points=6))
    off = await programmes.change_milestone(session, first.id, is_active=False)
    assert (off.is_active, off.points) == (False, 5)
    second = await programmes.add_milestone(session, NewMilestone(7, points=6))
    with pytest.raises(MilestoneTaken):
        await programmes.change_milestone(session, first.id, is_active=True)
    assert (await programmes.change_milestone(session, first.id, is_active=True, day=8)).day == 8
    assert [one.id for one in await programmes.milestones(session, active_only=True)] == [second.id, first.id]
    with pytest.raises(MilestoneNotFound):
        await programmes.change_milestone(session, 999, points=1)


@given(
    day=st.integers(2, 10),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    is_repeated=st.booleans(),
)
def test_growing_day_by_day_gives_each_multiple_once(day: int, lengths: list[int], is_repeated: bool) -> None:
    """However many days a streak grows by at a time, a milestone is given as often as the days allow."""
    before, given_so_far = 0, list[int]()
    for more in lengths:
        now_due = policy.due(day, is_repeated=is_repeated, before=before, after=before + more, given=given_so_far)
        before, given_so_far = before + more, given_so_far + now_due
        assert len(given_so_far) == (before // day if is_repeated else min(1, before // day))

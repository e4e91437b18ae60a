"""Merging profiles: the sum of points stays, lots keep their expiry, undo takes the same amount back."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.brand.types import Shortfall
from crm.db import clock
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.catalogue import MemberSignedUp
from crm.members import merging
from crm.points import history, holds, pending, service
from crm.points.models import LotRow
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def _owe(session: AsyncSession, member_id: int, points: int) -> None:
    earned = await give(session, member_id, points)
    await service.redeem(session, member_id, points, reason="tea", key=f"spend:{member_id}")
    await service.reverse(session, earned.transaction_id, reason="refund", key=f"refund:{member_id}")


async def test_points_go_over_with_their_expiry_and_come_back(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    soon = await clock.now(session) + timedelta(days=3)
    await give(session, keep.id, 10)
    await give(session, drop.id, 20, expires_at=soon)
    await give(session, drop.id, 5)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert [await service.balance(session, member.id) for member in (keep, drop)] == [35, 0]
    lots = select(LotRow.remaining, LotRow.expires_at).where(LotRow.member_id == keep.id).order_by(LotRow.id)
    assert [tuple(row) for row in await session.execute(lots)] == [(10, None), (20, soon), (5, None)]
    await assert_sound(session)
    await merging.undo(session, merge_id, by="operator:1")
    assert [await service.balance(session, member.id) for member in (keep, drop)] == [10, 25]
    assert [(await profiles.get(session, member.id)).points_balance for member in (keep, drop)] == [10, 25]
    await assert_sound(session)


async def test_what_was_spent_meanwhile_is_a_debt_after_the_undo(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await give(session, drop.id, 25)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    await service.redeem(session, keep.id, 20, reason="tea", key="k")
    await merging.undo(session, merge_id, by="operator:1")
    assert [await service.balance(session, member.id) for member in (keep, drop)] == [0, 25]
    assert (await service.summary(session, keep.id)).debt == 20
    await assert_sound(session)


async def test_a_debt_goes_over_too_and_comes_back(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await give(session, keep.id, 30)
    await _owe(session, drop.id, 100)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    found = await service.summary(session, keep.id)
    assert (found.balance, found.debt) == (0, 70)
    await give(session, keep.id, 200)
    assert await service.balance(session, keep.id) == 130
    await assert_sound(session)
    await merging.undo(session, merge_id, by="operator:1")
    assert await service.balance(session, keep.id) == 230
    assert (await service.summary(session, drop.id)).debt == 100
    await assert_sound(session)


async def test_postings_for_the_dropped_member_follow_the_merge(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await service.ensure_defaults(session)
        keep, drop = await make_member(session), await make_member(session)
        late = await events.publish(session, MemberSignedUp(member_id=drop.id, channel="telegram"))
        await merging.merge(session, keep.id, drop.id, by="operator:1")
        awards = await service.award(session, late)
        assert [award.points for award in awards] == [100]
        assert await service.balance(session, keep.id) == 100
        assert (await service.earn(session, drop.id, 1, rule="gift", key="k")).member_id == keep.id
        await assert_sound(session)


async def test_merging_again_after_an_undo_moves_again(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await give(session, drop.id, 25)
    for _ in range(2):
        merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
        assert await service.balance(session, keep.id) == 25
        await merging.undo(session, merge_id, by="operator:1")
        assert await service.balance(session, drop.id) == 25
    await assert_sound(session)


async def test_what_ran_out_meanwhile_is_nobodys_debt_after_the_undo(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    keep, drop = await make_member(session), await make_member(session)
    await give(session, drop.id, 20, expires_at=now + timedelta(days=1))
    await give(session, drop.id, 5)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    await at(session, "2026-03-03T08:00+08:00")
    assert await service.expire_due(session) == 1
    await merging.undo(session, merge_id, by="operator:1")
    found = [await service.summary(session, member.id) for member in (keep, drop)]
    assert [(item.balance, item.debt) for item in found] == [(0, 0), (5, 0)]
    assert await service.expire_due(session) == 0
    await assert_sound(session)


async def test_the_sum_of_both_stays_after_spending_and_an_undo_even_where_debts_are_written_off(
    session: AsyncSession,
) -> None:
    await brands.change(session, points_shortfall=Shortfall.WRITE_OFF)
    keep, drop = await make_member(session), await make_member(session)
    await give(session, keep.id, 10)
    await give(session, drop.id, 25)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    await service.redeem(session, keep.id, 30, reason="tea", key="k")
    await merging.undo(session, merge_id, by="operator:1")
    found = [await service.summary(session, member.id) for member in (keep, drop)]
    assert [(item.balance, item.debt) for item in found] == [(0, 20), (25, 0)]
    assert sum(item.balance - item.debt for item in found) == 35 - 30
    await assert_sound(session)


async def test_pending_and_held_points_go_over_and_come_back_as_far_as_they_are_open(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    until = await clock.now(session) + timedelta(hours=1)
    await give(session, drop.id, 50)
    for key in ("a", "b"):
        await holds.hold(session, drop.id, 10, reason="order", key=key, until=until)
        await pending.earn(session, drop.id, 7, rule="gift", key=f"pending {key}")
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    await assert_sound(session)
    assert (await history.balance_at(session, keep.id)).pending == 14
    await holds.void(session, "a")
    await pending.activate(session, "pending a")
    assert await service.balance(session, keep.id) == 30 + 10 + 7
    await merging.undo(session, merge_id, by="operator:1")
    await assert_sound(session)
    now = [await history.balance_at(session, member.id) for member in (keep, drop)]
    assert [(item.balance, item.pending, item.held) for item in now] == [(17, 0, 0), (30, 7, 10)]
    await holds.post(session, "b")
    await pending.cancel(session, "pending b", reason="returned")
    assert await service.balance(session, drop.id) == 30
    await assert_sound(session)

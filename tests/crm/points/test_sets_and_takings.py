"""What sets answer and write down for members with debts and several lots, and what is taken back beside reversals."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.brand.types import Shortfall
from crm.db import clock
from crm.events import service as events
from crm.members import merging
from crm.points import pending, repository, service
from crm.points.models import EntryRow, LedgerKeyRow, LotRow
from crm.points.repository import Line
from crm.points.types import Account, EntryKind
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

HOUR = timedelta(hours=1)


async def _sums(session: AsyncSession) -> dict[str, int]:
    query = select(EntryRow.account, func.sum(EntryRow.amount)).group_by(EntryRow.account)
    return {account: int(amount) for account, amount in (await session.execute(query)).all()}


async def _claw_back(session: AsyncSession, member_id: int, earning_id: UUID, points: int, key: str) -> str:
    line = Line(
        member_id=member_id,
        kind=EntryKind.CLAW_BACK,
        key=key,
        points=-points,
        contra=Account.ISSUANCE,
        reason="returned",
        occurred_at=await clock.now(session),
        reverses_id=earning_id,
        may_owe=True,
    )
    return (await repository.post(session, [line]))[0].outcome


async def test_an_earning_is_taken_back_in_parts_or_reversed_whole(session: AsyncSession) -> None:
    member = await make_member(session)
    parted, whole = await give(session, member.id, 10), await give(session, member.id, 10)
    taken = [await _claw_back(session, member.id, parted.transaction_id, 3, key) for key in ("a", "b", "b")]
    assert taken == ["posted", "posted", "replayed"]
    reverse = Line(
        member_id=member.id,
        kind=EntryKind.REVERSE,
        key="c",
        points=-10,
        contra=Account.ISSUANCE,
        reason="x",
        occurred_at=await clock.now(session),
        reverses_id=parted.transaction_id,
        may_owe=True,
    )
    assert (await repository.post(session, [reverse]))[0].outcome == "reversed"
    await service.reverse(session, whole.transaction_id, reason="x", key="d")
    assert await _claw_back(session, member.id, whole.transaction_id, 1, "e") == "reversed"
    assert await service.balance(session, member.id) == 4
    await assert_sound(session)


async def test_what_the_programme_bears_stands_on_its_account(session: AsyncSession) -> None:
    member = await make_member(session)
    await brand.change(session, points_shortfall=Shortfall.WRITE_OFF)
    earned = await give(session, member.id, 100)
    await service.redeem(session, member.id, 70, reason="tea", key="k")
    await service.reverse(session, earned.transaction_id, reason="refund", key="r")
    assert await _sums(session) == {"member": 0, "issuance": 0, "redemption": 70, "adjustment": -70}


async def test_a_debt_that_eats_a_whole_lot_leaves_no_empty_one(session: AsyncSession) -> None:
    member = await make_member(session)
    now = await clock.now(session)
    first = await give(session, member.id, 10, expires_at=now + HOUR)
    await give(session, member.id, 10, expires_at=now + 2 * HOUR)
    spent = await service.redeem(session, member.id, 20, reason="tea", key="k")
    owing = await service.reverse(session, first.transaction_id, reason="refund", key="r")
    replay = await service.reverse(session, first.transaction_id, reason="refund", key="r")
    assert (owing.debt, replay.debt, replay.is_new) == (10, 10, False)
    await service.reverse(session, spent.transaction_id, reason="sold out", key="s")
    lots = select(LotRow.points, LotRow.expires_at).where(LotRow.transaction_id != first.transaction_id)
    found = [tuple(row) for row in await session.execute(lots.where(LotRow.remaining > 0))]
    assert found == [(10, now + 2 * HOUR)]
    assert await session.scalar(select(func.count()).select_from(LotRow)) == 3
    await assert_sound(session)


async def test_a_set_of_expiries_tells_each_member_their_own_balance(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    owners = [(await make_member(session)).id for _ in range(2)]
    for owner, points in zip(owners, (10, 20), strict=True):
        for hours in (1, 2):
            await give(session, owner, points, expires_at=now + hours * HOUR)
        await give(session, owner, points)
    await at(session, "2026-03-01T12:00+08:00")
    assert await service.expire_due(session) == 4
    for owner, balances in zip(owners, ([10, 20], [20, 40]), strict=True):
        facts = await events.timeline(session, owner, kinds=["points_expired"])
        assert sorted(fact.data["balance"] for fact in facts) == balances
    assert (await _sums(session))["expiry"] == 60
    expired = select(LotRow.id).where(LotRow.expires_at <= await clock.now(session))
    keys = {f"expire:{lot_id}" for lot_id in await session.scalars(expired)}
    found = select(LedgerKeyRow.key).where(LedgerKeyRow.key.startswith("expire:"))
    assert set(await session.scalars(found)) == keys


async def test_a_set_of_activations_makes_a_debt_good_and_can_be_asked_again(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    earned = await give(session, member.id, 5)
    await service.redeem(session, member.id, 5, reason="tea", key="k")
    await service.reverse(session, earned.transaction_id, reason="refund", key="r")
    for key, points in (("p", 8), ("q", 1)):
        await pending.earn(session, member.id, points, rule=key, key=key, activates_at=now + HOUR)
    await at(session, "2026-03-01T12:00+08:00")
    assert await pending.activate_due(session) == 2
    facts = await events.timeline(session, member.id, kinds=["points_earned"])
    told = {fact.data["rule"]: (fact.data["points"], fact.data["balance"]) for fact in facts}
    assert (told["p"], told["q"]) == ((8, 3), (1, 4))
    again = await pending.activate(session, "q")
    assert (again.is_new, again.points, again.balance) == (False, 1, 4)
    lots = select(LotRow.remaining).where(LotRow.member_id == member.id, LotRow.remaining > 0).order_by(LotRow.id)
    assert list(await session.scalars(lots)) == [3, 1]
    await assert_sound(session)


@pytest.mark.parametrize("is_debt", [False, True])
async def test_a_merge_carries_what_has_run_out_but_was_not_posted(
    session: AsyncSession, at: At, *, is_debt: bool
) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    keep, drop = await make_member(session), await make_member(session)
    earned = await give(session, drop.id, 9, expires_at=now + HOUR)
    if is_debt:
        await service.redeem(session, drop.id, 9, reason="tea", key="k")
        await service.reverse(session, earned.transaction_id, reason="refund", key="r")
        await give(session, keep.id, 4)
    await at(session, "2026-03-01T12:00+08:00")
    await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert await service.expire_due(session) == (0 if is_debt else 1)
    found = await service.summary(session, keep.id)
    assert (found.balance, found.debt) == ((0, 5) if is_debt else (0, 0))
    await assert_sound(session)

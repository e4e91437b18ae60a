"""Taking postings back: once, with lots restored, and a debt when the points are gone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.points import service
from crm.points.errors import AlreadyReversed, NotReversible, TransactionNotFound
from crm.points.models import LotRow
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def test_a_redemption_comes_back_with_the_expiry_it_had(session: AsyncSession) -> None:
    member = await make_member(session)
    soon = await clock.now(session) + timedelta(days=10)
    await give(session, member.id, 10, expires_at=soon)
    await give(session, member.id, 10)
    spent = await service.redeem(session, member.id, 15, reason="tea", key="k")
    back = await service.reverse(session, spent.transaction_id, reason="sold out", key="r")
    assert (back.points, back.balance) == (15, 20)
    lots = await session.execute(
        select(LotRow.remaining, LotRow.expires_at).where(LotRow.remaining > 0).order_by(LotRow.id)
    )
    assert [tuple(row) for row in lots] == [(5, None), (10, soon), (5, None)]
    await assert_sound(session)


async def test_a_transaction_is_reversed_once_whatever_the_key(session: AsyncSession) -> None:
    member = await make_member(session)
    earned = await give(session, member.id, 10)
    first = await service.reverse(session, earned.transaction_id, reason="mistake", key="r")
    again = await service.reverse(session, earned.transaction_id, reason="mistake", key="r")
    assert (again.is_new, again.transaction_id) == (False, first.transaction_id)
    with pytest.raises(AlreadyReversed):
        await service.reverse(session, earned.transaction_id, reason="mistake", key="other")
    with pytest.raises(NotReversible):
        await service.reverse(session, first.transaction_id, reason="mistake", key="third")
    with pytest.raises(TransactionNotFound):
        await service.reverse(session, uuid4(), reason="mistake", key="fourth")
    assert await service.balance(session, member.id) == 0
    await assert_sound(session)


async def test_points_that_were_spent_become_a_debt_that_earnings_make_good(session: AsyncSession) -> None:
    member = await make_member(session)
    earned = await give(session, member.id, 100)
    await service.redeem(session, member.id, 70, reason="tea", key="k")
    back = await service.reverse(session, earned.transaction_id, reason="refund", key="r")
    assert (back.points, back.balance, back.debt) == (-100, 0, 70)
    part = await give(session, member.id, 50)
    assert (part.points, part.balance, part.debt) == (50, 0, 20)
    rest = await give(session, member.id, 50)
    assert (rest.balance, rest.debt) == (30, 0)
    await assert_sound(session)


async def test_a_redemption_that_comes_back_makes_a_debt_good_first(session: AsyncSession) -> None:
    member = await make_member(session)
    earned = await give(session, member.id, 100)
    spent = await service.redeem(session, member.id, 70, reason="tea", key="k")
    await service.reverse(session, earned.transaction_id, reason="refund", key="r")
    back = await service.reverse(session, spent.transaction_id, reason="sold out", key="s")
    assert (back.balance, back.debt) == (0, 0)
    await assert_sound(session)

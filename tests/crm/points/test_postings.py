"""Earning, spending, adjusting: bounds, keys, order of lots, what members see."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.points import service
from crm.points.errors import (
    InsufficientPoints,
    InvalidPostingKey,
    InvalidReason,
    PointsOutOfRange,
    PostingKeyReused,
)
from crm.points.models import LotRow
from crm.points.types import MAX_POINTS, EntryKind
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def test_points_earned_show_in_balance_profile_statement_and_timeline(session: AsyncSession) -> None:
    member = await make_member(session)
    posting = await service.earn(session, member.id, 120, rule="check_in", key="a")
    assert (posting.points, posting.balance, posting.is_new, posting.debt) == (120, 120, True, 0)
    assert await service.balance(session, member.id) == 120
    assert (await profiles.get(session, member.id)).points_balance == 120
    entry = (await service.summary(session, member.id)).entries[0]
    assert (entry.kind, entry.points, entry.reason, entry.balance) == (EntryKind.EARN, 120, "check_in", 120)
    fact = (await events.timeline(session, member.id, kinds=["points_earned"]))[0]
    assert fact.data["points"] == 120
    assert fact.data["balance"] == 120
    await assert_sound(session)


async def test_the_same_key_posts_once_and_answers_the_first_posting(session: AsyncSession) -> None:
    member = await make_member(session)
    first = await service.earn(session, member.id, 10, rule="gift", key="same")
    again = await service.earn(session, member.id, 10, rule="gift", key="same")
    assert again.transaction_id == first.transaction_id
    assert not again.is_new
    assert again.balance == 10
    assert len(await events.timeline(session, member.id, kinds=["points_earned"])) == 1


async def test_a_key_cannot_be_used_for_another_amount(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.earn(session, member.id, 10, rule="gift", key="same")
    with pytest.raises(PostingKeyReused):
        await service.earn(session, member.id, 11, rule="gift", key="same")
    assert await service.balance(session, member.id) == 10


@pytest.mark.parametrize("points", [0, -1, MAX_POINTS + 1, 2**63, True])
async def test_points_out_of_range_are_refused(session: AsyncSession, points: int) -> None:
    member = await make_member(session)
    with pytest.raises(PointsOutOfRange, match="between 1 and 1000000000"):
        await service.earn(session, member.id, points, rule="gift", key="k")
    with pytest.raises(PointsOutOfRange):
        await service.redeem(session, member.id, points, reason="tea", key="k")


async def test_keys_and_reasons_must_be_there_and_short(session: AsyncSession) -> None:
    member = await make_member(session)
    for key in ("", "k" * 201, "a\x00b"):
        with pytest.raises(InvalidPostingKey):
            await service.earn(session, member.id, 1, rule="gift", key=key)
    for reason in ("", " \n ", "r" * 201):
        with pytest.raises(InvalidReason):
            await service.redeem(session, member.id, 1, reason=reason, key="k")


async def test_a_reason_may_be_any_text(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 5)
    await service.redeem(session, member.id, 1, reason="茶 | 🍵 \x00 'x' \u202eabc \ud800", key="k")
    entry = (await service.summary(session, member.id)).entries[0]
    assert entry.reason == "茶 | 🍵 'x' \u202eabc ?"
    await assert_sound(session)


async def test_spending_more_than_there_is_is_refused_and_changes_nothing(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 99)
    with pytest.raises(InsufficientPoints) as refused:
        await service.redeem(session, member.id, 100, reason="tea", key="k")
    assert refused.value.facts["balance"] == 99
    assert await service.balance(session, member.id) == 99
    spent = await service.redeem(session, member.id, 99, reason="tea", key="k")
    assert (spent.is_new, spent.balance) == (True, 0)
    await assert_sound(session)


async def test_lots_are_used_oldest_expiry_first_and_those_without_expiry_last(session: AsyncSession) -> None:
    member = await make_member(session)
    now = await clock.now(session)
    await give(session, member.id, 10)
    await give(session, member.id, 10, expires_at=now + timedelta(days=20))
    await give(session, member.id, 10, expires_at=now + timedelta(days=10))
    await service.redeem(session, member.id, 15, reason="tea", key="k")
    rows = await session.execute(select(LotRow.remaining).where(LotRow.member_id == member.id).order_by(LotRow.id))
    assert list(rows.scalars()) == [10, 5, 0]
    await assert_sound(session)


async def test_what_ran_out_cannot_be_spent_and_expires_once(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await give(session, member.id, 30, expires_at=now + timedelta(days=1))
    await give(session, member.id, 5)
    await at(session, "2026-03-02T08:00+08:00")
    with pytest.raises(InsufficientPoints) as refused:
        await service.redeem(session, member.id, 10, reason="tea", key="k")
    assert refused.value.facts["balance"] == 5
    assert await service.expire_due(session) == 0
    assert await service.balance(session, member.id) == 5
    facts = await events.timeline(session, member.id, kinds=["points_expired"])
    assert [fact.data["points"] for fact in facts] == [30]
    await assert_sound(session)


async def test_the_tick_expires_each_due_lot_by_itself(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member, other = await make_member(session), await make_member(session)
    for owner in (member, member, other):
        await give(session, owner.id, 7, expires_at=now + timedelta(hours=1))
    await give(session, other.id, 1, expires_at=now + timedelta(days=3))
    await at(session, "2026-03-01T10:00+08:00")
    assert await service.expire_due(session, limit=2) == 2
    assert await service.expire_due(session, limit=2) == 1
    assert await service.expire_due(session, limit=2) == 0
    assert [await service.balance(session, owner.id) for owner in (member, other)] == [0, 1]
    await assert_sound(session)


async def test_a_summary_tells_what_runs_out_soon(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    for days in (10, 10, 40, 200):
        await give(session, member.id, days, expires_at=now + timedelta(days=days))
    found = (await service.summary(session, member.id)).expiring
    assert [(item.points, item.at) for item in found] == [
        (20, now + timedelta(days=10)),
        (40, now + timedelta(days=40)),
    ]


async def test_an_adjustment_has_a_sign_and_never_goes_below_zero(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.adjust(session, member.id, 50, reason="sorry", key="a", by="operator:3")
    down = await service.adjust(session, member.id, -20, reason="typo", key="b", by="operator:3")
    assert down.balance == 30
    with pytest.raises(InsufficientPoints):
        await service.adjust(session, member.id, -31, reason="typo", key="c", by="operator:3")
    with pytest.raises(PointsOutOfRange, match="minus to take away"):
        await service.adjust(session, member.id, 0, reason="typo", key="d", by="operator:3")
    await assert_sound(session)


async def test_a_statement_is_paged_from_the_newest(session: AsyncSession) -> None:
    member = await make_member(session)
    for points in range(1, 8):
        await give(session, member.id, points)
    first = await service.statement(session, member.id, limit=5)
    assert [entry.points for entry in first.items] == [7, 6, 5, 4, 3]
    rest = await service.statement(session, member.id, limit=5, cursor=first.next_cursor)
    assert [entry.points for entry in rest.items] == [2, 1]
    assert rest.next_cursor is None


async def test_a_stranger_to_points_has_none(session: AsyncSession) -> None:
    member = await make_member(session)
    assert await service.balance(session, member.id) == 0
    found = await service.summary(session, member.id)
    assert (found.balance, found.expiring, found.entries) == (0, [], [])


async def test_events_of_long_ago_are_kept_in_the_default_partition(session: AsyncSession, at: At) -> None:
    await at(session, datetime(2011, 12, 30, tzinfo=UTC).isoformat())
    member = await make_member(session)
    posting = await give(session, member.id, 3)
    back = await service.reverse(session, posting.transaction_id, reason="mistake", key="back")
    assert back.balance == 0
    await assert_sound(session)

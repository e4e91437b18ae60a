"""Several lines in one statement: what members simply earn goes as a set and is what line after line would make it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.members import merging
from crm.points import repository, service
from crm.points.models import AccountRow, EntryRow, LotRow, TransactionRow
from crm.points.repository import Line, Posted
from crm.points.types import Account, EntryKind
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

EVENT = UUID("0190b0a0-0000-7000-8000-000000000000")


async def _line(session: AsyncSession, member_id: int, key: str, points: int) -> Line:
    now = await clock.now(session)
    return Line(
        member_id=member_id,
        kind=EntryKind.EARN,
        key=key,
        points=points,
        contra=Account.ISSUANCE,
        reason="check_in",
        occurred_at=now - timedelta(minutes=points),
        expires_at=now + timedelta(days=points) if points % 2 else None,
        rule_id=1,
        event_id=EVENT,
    )


async def _owing(session: AsyncSession, debt: int) -> int:
    """A member with a balance of nothing and this debt."""
    member = await make_member(session)
    earned = await give(session, member.id, debt)
    await service.redeem(session, member.id, debt, reason="tea", key=f"tea:{member.id}")
    await service.reverse(session, earned.transaction_id, reason="refund", key=f"refund:{member.id}")
    return member.id


async def _traces(session: AsyncSession, member_id: int, since: int) -> list[object]:
    """All that the member's postings after sequence `since` left, without ids and hashes."""
    made = select(TransactionRow.id).join(EntryRow, EntryRow.transaction_id == TransactionRow.id)
    ids = made.where(EntryRow.member_id == member_id, TransactionRow.event_id == EVENT).distinct()
    queries = (
        select(TransactionRow.kind, TransactionRow.reason, TransactionRow.occurred_at, TransactionRow.rule_id)
        .where(TransactionRow.id.in_(ids))
        .order_by(TransactionRow.occurred_at),
        select(EntryRow.occurred_at, EntryRow.position, EntryRow.account, EntryRow.amount, EntryRow.balance_after)
        .where(EntryRow.transaction_id.in_(ids))
        .order_by(EntryRow.occurred_at, EntryRow.position),
        select(EntryRow.sequence - since)
        .where(EntryRow.transaction_id.in_(ids), EntryRow.account == Account.MEMBER)
        .order_by(EntryRow.sequence),
        select(LotRow.points, LotRow.remaining, LotRow.earned_at, LotRow.expires_at)
        .where(LotRow.transaction_id.in_(ids))
        .order_by(LotRow.id),
        select(AccountRow.balance, AccountRow.debt).where(AccountRow.member_id == member_id),
    )
    return [[tuple(row) for row in await session.execute(query)] for query in queries]


def _answers(rows: Sequence[Posted]) -> list[tuple[object, ...]]:
    return [(row.outcome, row.points, row.balance, row.debt) for row in rows]


async def test_a_set_makes_and_answers_what_its_lines_would_one_by_one(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    made = []
    for is_set in (True, False):
        rich, owing = (await make_member(session)).id, await _owing(session, 10)
        await give(session, rich, 4)
        # the account of the first has to be made; the debt is gone with the second line of who owes
        points = [((await make_member(session)).id, 3), (owing, 7), (rich, 5), (owing, 6), (owing, 2)]
        lines = [await _line(session, owner, f"{is_set}:{number}", much) for number, (owner, much) in enumerate(points)]
        if is_set:
            answers = await repository.post(session, lines)
        else:
            answers = [(await repository.post(session, [line]))[0] for line in lines]
        assert [row.member_id for row in answers] == [owner for owner, _ in points]
        traces = [await _traces(session, points[0][0], 0), await _traces(session, rich, 1)]
        made.append((_answers(answers), [*traces, await _traces(session, owing, 2)]))
    assert made[0] == made[1]
    assert made[0][0][1:4] == [("posted", 7, 0, 3), ("posted", 5, 9, 0), ("posted", 6, 3, 0)]
    await assert_sound(session)


async def test_a_line_that_was_posted_before_is_answered_beside_new_ones(session: AsyncSession) -> None:
    owners = [(await make_member(session)).id for _ in range(4)]
    lines = [await _line(session, owner, f"k:{owner}", 5) for owner in owners]
    first = (await repository.post(session, lines[1:2]))[0]
    answers = await repository.post(session, lines)
    assert [row.outcome for row in answers] == ["posted", "replayed", "posted", "posted"]
    assert answers[1].transaction_id == first.transaction_id
    assert [await service.balance(session, owner) for owner in owners] == [5, 5, 5, 5]
    again = await repository.post(session, lines)
    assert [row.transaction_id for row in again] == [row.transaction_id for row in answers]
    assert {row.outcome for row in again} == {"replayed"}
    await assert_sound(session)


async def test_a_key_that_comes_twice_is_posted_once(session: AsyncSession) -> None:
    owner = (await make_member(session)).id
    line = await _line(session, owner, "same", 5)
    assert _answers(await repository.post(session, [line] * 4)) == [("posted", 5, 5, 0), *[("replayed", 5, 5, 0)] * 3]
    await assert_sound(session)


async def test_lines_of_all_kinds_may_come_together(session: AsyncSession) -> None:
    owners = [(await make_member(session)).id for _ in range(2)]
    earned = [await _line(session, owner, f"k:{owner}", 9) for owner in owners]
    spent = replace(earned[0], kind=EntryKind.REDEEM, key="tea", points=-4, contra=Account.REDEMPTION, expires_at=None)
    by_hand = replace(earned[1], key="hand", points=2, actor="ann")
    answers = await repository.post(session, [*earned, spent, by_hand, replace(spent, key="more", points=-6)])
    assert _answers(answers)[2:] == [("posted", -4, 5, 0), ("posted", 2, 11, 0), ("insufficient", -6, 5, 0)]
    actors = select(TransactionRow.actor).where(TransactionRow.key == "hand")
    assert await session.scalar(actors) == "ann"
    await assert_sound(session)


async def test_a_set_finds_members_where_they_live_on(session: AsyncSession) -> None:
    kept, gone, other, last = [(await make_member(session)).id for _ in range(4)]
    await give(session, gone, 1)
    await merging.merge(session, kept, gone, by="ann")
    points = [(gone, 3), (other, 4), (kept, 5), (last, 6)]
    answers = await repository.post(
        session, [await _line(session, owner, f"k:{owner}", much) for owner, much in points]
    )
    assert [(row.member_id, row.balance) for row in answers] == [(kept, 4), (other, 4), (kept, 9), (last, 6)]
    await assert_sound(session)


async def test_a_set_that_cannot_be_posted_leaves_nothing(session: AsyncSession) -> None:
    owners = [(await make_member(session)).id for _ in range(4)]
    lines = [await _line(session, owner, f"k:{owner}", 5) for owner in owners]
    with pytest.raises(IntegrityError):
        async with session.begin_nested():
            await repository.post(session, [*lines[:3], replace(lines[3], member_id=999_999_999)])
    assert [await service.balance(session, owner) for owner in owners] == [0, 0, 0, 0]
    await assert_sound(session)

"""The streak insurance fills missed days at the next check-in, with passes, cards or both."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, repository
from crm.check_ins.types import CardCause, DayKind, Insurance
from crm.events import service as events
from crm.points import service as points
from tests.conftest import At
from tests.factories.check_ins import allow, on_days
from tests.factories.members import make_member

PASS = {"insurance": Insurance.PASSES, "passes_per_month": 1}
BOTH = {"insurance": Insurance.BOTH, "passes_per_month": 1, "insured_days": 2}


@pytest.mark.parametrize(
    "case",
    [
        (PASS, 0, (1, 2, 3, 5), 5, 0),
        (PASS, 0, (1, 2, 3, 6), 1, 0),  # two days, and one is insured
        (PASS, 0, (1, 2, 4), 1, 0),  # a streak of two is not worth it
        (PASS, 0, (1, 2, 3, 5, 7), 1, 0),  # one pass a month
        (PASS, 5, (1, 2, 3, 5, 7), 1, 5),
        ({"insurance": Insurance.CARDS}, 1, (1, 2, 3, 5), 5, 0),
        ({"insurance": Insurance.CARDS}, 0, (1, 2, 3, 5), 1, 0),
        (BOTH, 1, (1, 2, 3, 6), 6, 0),
        (BOTH, 0, (1, 2, 3, 6), 1, 0),
        ({**BOTH, "insured_from": 1}, 1, (1, 3, 5), 5, 0),
        ({"insurance": Insurance.OFF}, 9, (1, 2, 3, 5), 1, 9),
    ],
)
async def test_what_is_saved_by_what(
    session: AsyncSession, at: At, case: tuple[dict[str, Any], int, tuple[int, ...], int, int]
) -> None:
    chosen, held, days, streak, left = case
    await allow(session, **chosen)
    member = await make_member(session)
    await at(session, "2026-03-01T01:00+08:00")
    if held:
        await cards.give_by_hand(session, member.id, held, reason="Hello", key="k", by="operator:1")
    found = await on_days(session, at, member.id, *days)
    assert found.streak == streak
    assert await cards.held(session, member.id) == left


async def test_what_a_saved_streak_tells(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T00:00+08:00")
    await points.ensure_defaults(session)
    await allow(session, insurance=Insurance.BOTH, passes_per_month=1, insured_days=2)
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 2, 3)
    await cards.give_by_hand(session, member.id, 1, reason="Hello", key="k", by="operator:1")
    found = await on_days(session, at, member.id, 6)
    assert (found.streak, found.saved) == (6, [date(2026, 3, 4), date(2026, 3, 5)])
    assert (found.calendar, found.filled, found.bonus) == ([1, 2, 3, 6], [4, 5], 0)
    assert [move.cause for move in await cards.moves(session, member.id)] == [CardCause.INSURED, CardCause.OPERATOR]
    fact = (await events.timeline(session, member.id, kinds=["streak_saved"]))[0]
    assert fact.data == {"first_on": "2026-03-04", "days": 2, "streak": 6}
    checked = (await events.timeline(session, member.id, kinds=["checked_in"]))[0]
    assert checked.data["streak"] == 6
    days = await repository.all_days(session, member.id)
    assert [day.kind for day in days][3:5] == [DayKind.SAVED_BY_PASS, DayKind.SAVED_BY_CARD]
    again = await on_days(session, at, member.id, 7)
    assert (again.streak, again.milestone, again.bonus) == (7, 7, 30)

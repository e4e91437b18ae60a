"""Filling missed days by hand: reach, limits, cards, and one effect however many try."""

import asyncio
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, filling, repository, service
from crm.check_ins.errors import (
    CardsNotSold,
    DayNotMissed,
    DayOutOfReach,
    InvalidCards,
    MakeUpLimit,
    MakeUpOff,
    NoCards,
    TooManyCards,
)
from crm.check_ins.repository import Filling
from crm.check_ins.types import CardCause, DayKind, MadeUp
from crm.db import clock
from crm.db.session import Sessions
from crm.events import relay
from crm.events import service as events
from crm.events.types import RecordedEvent
from crm.kit.errors import DomainError
from crm.members import service as members
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from crm.profiles import service as profiles
from crm.sign_ups import service as sign_ups
from tests.conftest import At
from tests.factories.check_ins import allow, on_days
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def give_cards(session: AsyncSession, member_id: int, count: int = 1, key: str = "k") -> None:
    """By hand."""
    await cards.give_by_hand(session, member_id, count, reason="Sorry", key=key, by="operator:1")


async def test_a_card_fills_a_missed_day_and_joins_the_streak(session: AsyncSession, at: At) -> None:
    await allow(session, made_up_points=3)
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 2, 4)
    await give_cards(session, member.id)
    offer = await filling.offered(session, member.id)
    assert (offer.days, offer.cards, offer.left_this_month) == ([date(2026, 3, 3)], 1, None)
    before = await points.balance(session, member.id)
    await at(session, "2026-03-04T10:00+08:00")
    made = await filling.make_up(session, member.id, date(2026, 3, 3))
    assert made == MadeUp(date(2026, 3, 3), 4, 3, 0, [])
    assert await points.balance(session, member.id) == before + 3
    profile = await profiles.get(session, member.id)
    assert (profile.streak, profile.last_check_in_on, profile.check_ins_count) == (4, date(2026, 3, 4), 3)
    found = await service.calendar(session, member.id)
    assert (found.days, found.filled, found.streak, found.best, found.total) == ([1, 2, 4], [3], 4, 4, 3)
    fact = (await events.timeline(session, member.id, kinds=["check_in_made_up"]))[0]
    assert fact.data == {"local_date": "2026-03-03", "streak": 4, "points": 3, "made_up_by": "member"}
    assert (await on_days(session, at, member.id, 5)).streak == 5
    assert [(move.change, move.cause) for move in await cards.moves(session, member.id)] == [
        (-1, CardCause.USED),
        (1, CardCause.OPERATOR),
    ]
    await assert_sound(session)


async def test_yesterday_is_filled_before_todays_check_in(session: AsyncSession, at: At) -> None:
    await allow(session)
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 2, hour="23:50")
    await at(session, "2026-03-04T00:10+08:00")
    await give_cards(session, member.id)
    assert (await filling.make_up(session, member.id, date(2026, 3, 3))).streak == 3
    today = await service.check_in(session, member.id)
    assert (today.is_new, today.streak, today.filled, today.calendar) == (True, 4, [3], [1, 2, 4])
    assert await points.balance(session, member.id) == 0


@pytest.mark.parametrize(
    ("day", "error"),
    [
        (date(2026, 3, 12), DayNotMissed),
        (date(2026, 3, 20), DayNotMissed),
        (date(2026, 3, 10), DayNotMissed),
        (date(2026, 3, 4), DayOutOfReach),
        (date(2025, 12, 1), DayOutOfReach),
        (date.max, DayNotMissed),
        (date.min, DayOutOfReach),
    ],
)
async def test_what_cannot_be_filled(session: AsyncSession, at: At, day: date, error: type[DomainError]) -> None:
    await allow(session)
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 10, 12)
    await give_cards(session, member.id)
    with pytest.raises(error):
        await filling.make_up(session, member.id, day)
    assert await cards.held(session, member.id) == 1


async def test_limits_of_settings_cards_and_months(session: AsyncSession, at: At) -> None:
    member = await make_member(session)
    await on_days(session, at, member.id, 1, 6)
    with pytest.raises(MakeUpOff):
        await filling.make_up(session, member.id, date(2026, 3, 5))
    assert (await filling.offered(session, member.id)).days == []
    await allow(session, make_ups_per_month=2)
    with pytest.raises(NoCards):
        await filling.make_up(session, member.id, date(2026, 3, 5))
    await give_cards(session, member.id, 4)
    for day in (5, 4):
        await filling.make_up(session, member.id, date(2026, 3, day))
    with pytest.raises(MakeUpLimit):
        await filling.make_up(session, member.id, date(2026, 3, 3))
    by_hand = await filling.make_up(session, member.id, date(2026, 3, 3), by="operator:1")
    assert (by_hand.streak, by_hand.cards) == (4, 2)
    stranger = await make_member(session)
    with pytest.raises(DayOutOfReach):
        await filling.make_up(session, stranger.id, date(2026, 3, 5), by="operator:1")
    await at(session, "2026-04-01T09:00+08:00")
    assert (await filling.offered(session, member.id)).left_this_month == 2


async def test_cards_are_bought_within_limits(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-05T09:00+08:00")
    member = await make_member(session)
    with pytest.raises(CardsNotSold):
        await cards.buy(session, member.id, key="a")
    await allow(session, card_price=20, bought_per_month=2, most_cards=2)
    with pytest.raises(InsufficientPoints):
        await cards.buy(session, member.id, key="a")
    await give(session, member.id, 100)
    assert [await cards.buy(session, member.id, key=key) for key in ("a", "a", "b")] == [1, 1, 2]
    assert await points.balance(session, member.id) == 60
    with pytest.raises(CardsNotSold):
        await cards.buy(session, member.id, key="c")
    await at(session, "2026-04-01T09:00+08:00")
    with pytest.raises(TooManyCards):
        await cards.buy(session, member.id, key="c")
    await assert_sound(session)


@pytest.mark.parametrize(("count", "reason"), [(0, "x"), (-3, "x"), (101, "x"), (1, " \n"), (1, "x" * 201)])
async def test_cards_by_hand_need_a_number_and_a_reason(session: AsyncSession, count: int, reason: str) -> None:
    member = await make_member(session)
    with pytest.raises(InvalidCards):
        await cards.give_by_hand(session, member.id, count, reason=reason, key="k", by="operator:1")
    with pytest.raises(TooManyCards):
        await give_cards(session, member.id, 11)


async def test_an_event_gives_its_cards_once_and_no_more_than_may_be_held(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-05T09:00+08:00")
    await allow(session, cards_for={"order_placed": 3}, most_cards=2)
    member = await make_member(session)
    fact = (await events.timeline(session, member.id))[0]
    order = RecordedEvent(fact.id, now, "order_placed", member.id, "siyu", {})
    for _ in range(2):
        await cards.earn(session, order)
    assert await cards.held(session, member.id) == 2
    assert len(await cards.moves(session, member.id)) == 1


async def test_events_are_handed_over_while_the_settings_promise_cards(sessions: Sessions) -> None:
    held = []
    for promised in ({"member_signed_up": 2}, {}):
        async with sessions.begin() as session:
            await allow(session, cards_for=promised)
            member = await make_member(session)
            await sign_ups.complete(session, member.id, channel="telegram")
        for _ in range(2):
            await relay.relay_all(sessions)
        async with sessions() as session:
            held.append(await cards.held(session, member.id))
    assert held == [2, 0]


async def test_a_hundred_parallel_make_ups_have_one_effect(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await allow(session, made_up_points=5)
        member = await make_member(session)
        now = await clock.now(session)
        zone = await members.zone(session, member.id)
        missed = date.fromordinal(now.astimezone(zone).date().toordinal() - 1)
        await repository.fill(
            session,
            member.id,
            [
                Filling(date.fromordinal(missed.toordinal() - back), DayKind.CHECKED_IN, now, zone.key)
                for back in (1, 2)
            ],
        )
        await filling.recount(session, member.id, await repository.all_days(session, member.id))
        await give_cards(session, member.id, 10)
    room = asyncio.Semaphore(20)

    async def tap() -> str:
        async with room, committed_sessions() as session:
            try:
                await filling.make_up(session, member.id, missed)
            except DomainError as error:
                return error.code()
            await session.commit()
            return "done"

    answers = await asyncio.gather(*(tap() for _ in range(100)))
    assert sorted(set(answers)) == ["day_not_missed", "done"]
    assert answers.count("done") == 1
    async with committed_sessions() as session:
        assert await cards.held(session, member.id) == 9
        assert await points.balance(session, member.id) == 5
        assert (await service.calendar(session, member.id)).streak == 3
        await assert_sound(session)

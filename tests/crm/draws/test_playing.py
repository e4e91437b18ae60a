"""Playing: chances, prizes and stock hold together, however many play at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.coupons.service import holding
from crm.db import clock
from crm.db.session import Sessions
from crm.draws import fairness, subscribers
from crm.draws.errors import (
    ChancesNotSold,
    DrawAccess,
    DrawEmpty,
    DrawEnded,
    DrawFixed,
    DrawNotOpen,
    DrawNotYet,
    InvalidDraw,
    NoChances,
    PrizeSettled,
    SeedSealed,
)
from crm.draws.jobs import close
from crm.draws.service import chances, definitions, playing, verifying
from crm.draws.types import DrawStatus, NewDraw, PlayStatus, Prize, PrizeKind
from crm.events import service as events
from crm.events.catalogue import CheckedIn
from crm.events.loyalty import MissionCompleted
from crm.kit.errors import DomainError
from crm.members import merging
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from tests.conftest import At
from tests.factories.draws import NOTHING, lucky, make_draw, packets
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

NAME = {"en": "Prize"}
SURE = Prize(NAME, PrizeKind.GOODS, odds=1_000_000, stock=3)


async def test_free_chances_of_a_day(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member, draw = await make_member(session), await make_draw(session, free_per_day=2)
    first = await playing.play(session, member.id, draw.id, key="k:1")
    assert (first.position, first.attempt, first.number, first.is_new) == (1, 1, member.id, True)
    again = await playing.play(session, member.id, draw.id, key="k:1")
    assert (again.position, again.is_new) == (1, False)
    await playing.play(session, member.id, draw.id, key="k:2")
    with pytest.raises(NoChances):
        async with session.begin_nested():
            await playing.play(session, member.id, draw.id, key="k:3")
    await at(session, "2026-03-02T08:00:00Z")
    assert (await playing.play(session, member.id, draw.id, key="k:3")).attempt == 3


async def test_bought_chances(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 25)
    draw = await make_draw(session, free_per_day=0, price=10, bought_per_day=3)
    for number in (1, 2):
        await chances.buy(session, member.id, draw.id, key=f"b:{number}")
    left = await chances.buy(session, member.id, draw.id, key="b:2")
    assert (left.extra, left.for_sale, await points.balance(session, member.id)) == (2, 1, 5)
    with pytest.raises(InsufficientPoints):
        async with session.begin_nested():
            await chances.buy(session, member.id, draw.id, key="b:3")
    await give(session, member.id, 100)
    await chances.buy(session, member.id, draw.id, key="b:3")
    with pytest.raises(ChancesNotSold):
        await chances.buy(session, member.id, draw.id, key="b:4")
    assert (await chances.of_member(session, member.id, draw.id)).total == 3
    await assert_sound(session)


async def test_chances_by_events_and_missions(session: AsyncSession) -> None:
    member = await make_member(session)
    draw = await make_draw(session, free_per_day=0, earned_by={"checked_in": 2})
    now = await clock.now(session)
    fact = await events.publish(session, CheckedIn(member_id=member.id, local_date=now.date(), streak=1, channel=None))
    done = MissionCompleted(
        member_id=member.id,
        mission_id=1,
        window="once",
        points=0,
        coupon_id=None,
        badge_id=None,
        draw_id=draw.id,
        draw_chances=3,
    )
    recorded = await events.publish(session, done)
    waiting = set(await session.scalars(text("SELECT subscriber FROM event_handoffs")))
    assert {"draws.earn", "draws.missions"} <= waiting
    for _ in range(2):
        await subscribers.earn.handle(session, fact)
        await subscribers.earn_by_mission.handle(session, recorded)
    assert (await chances.of_member(session, member.id, draw.id)).extra == 5


async def test_prizes_reach_the_member(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    kinds = [
        Prize(NAME, PrizeKind.POINTS, odds=1_000_000, points=50),
        Prize(NAME, PrizeKind.COUPON, odds=1_000_000, coupon_id=coupon.id),
        Prize(NAME, PrizeKind.GOODS, odds=1_000_000),
    ]
    plays = []
    for number, prize in enumerate(kinds):
        draw = await make_draw(session, lucky(prize, NOTHING))
        plays.append(await playing.play(session, member.id, draw.id, key=f"k:{number}"))
    assert [play.status for play in plays] == [PlayStatus.GIVEN, PlayStatus.GIVEN, PlayStatus.PENDING]
    assert await points.balance(session, member.id) == 50
    assert [voucher.id for voucher in await holding.usable(session, member.id)] == [plays[1].voucher_id]
    done = await playing.hand_over(session, plays[2].draw_id, 1)
    assert done.status is PlayStatus.GIVEN
    with pytest.raises(PrizeSettled):
        await playing.hand_over(session, plays[2].draw_id, 1)


async def test_a_coupon_that_ended_is_owed(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    draw = await make_draw(session, lucky(Prize(NAME, PrizeKind.COUPON, 1_000_000, coupon_id=coupon.id), NOTHING))
    await coupons.change(session, coupon.id, is_active=False)
    play = await playing.play(session, member.id, draw.id, key="k:1")
    assert (play.status, play.voucher_id, play.outcome.prize) == (PlayStatus.PENDING, None, 0)
    await coupons.change(session, coupon.id, is_active=True)
    assert (await playing.hand_over(session, draw.id, 1)).voucher_id is not None


async def test_who_may_play_and_when(session: AsyncSession) -> None:
    member, day = await make_member(session), timedelta(days=1)
    now = await clock.now(session)
    cases: list[tuple[type[DomainError], dict[str, object]]] = [
        (DrawNotYet, {"starts_at": now + day}),
        (DrawAccess, {"tiers": ["gold"]}),
        (DrawAccess, {"stages": ["loyal"]}),
        (DrawAccess, {"minimum_orders": 1}),
        (DrawNotOpen, {"is_open": False}),
    ]
    for number, (error, terms) in enumerate(cases):
        draw = await make_draw(session, **terms)  # type: ignore[arg-type] # each case has its own
        with pytest.raises(error):
            async with session.begin_nested():
                await playing.play(session, member.id, draw.id, key=f"k:{number}")
    with pytest.raises(DrawEnded):
        await make_draw(session, ends_at=now - day)


async def test_what_was_published_is_fixed(session: AsyncSession) -> None:
    member, draw = await make_member(session), await make_draw(session)
    await playing.play(session, member.id, draw.id, key="k:1")
    assert draw.seed is None
    assert draw.rules_hash == fairness.rules_hash(draw.rules)
    with pytest.raises(DrawFixed):
        await definitions.change(session, draw.id, NewDraw(NAME, lucky()))
    with pytest.raises(DrawFixed):
        await definitions.open_draw(session, draw.id)
    with pytest.raises(SeedSealed):
        await verifying.of_draw(session, draw.id)
    for statement in (
        "UPDATE draws SET commitment = 'x'",
        "UPDATE draws SET rules = '{}'",
        "DELETE FROM draws",
        "UPDATE draw_plays SET prize = 0, drawn = 0, points = 9",
        "DELETE FROM draw_plays",
    ):
        with pytest.raises(DBAPIError, match=r"keeps its commitment|never changed"):
            async with session.begin_nested():
                await session.execute(text(statement))


async def test_packets_are_gone_and_sum(session: AsyncSession) -> None:
    members = [(await make_member(session)).id for _ in range(6)]
    draw = await make_draw(session, packets(100, 5))
    for member_id in members[:5]:
        await playing.play(session, member_id, draw.id, key=f"k:{member_id}")
    with pytest.raises(DrawEmpty):
        async with session.begin_nested():
            await playing.play(session, members[5], draw.id, key="k:6")
    assert (await chances.of_member(session, members[5], draw.id)).free == 1
    assert sum([await points.balance(session, member_id) for member_id in members]) == 100


async def test_chances_are_whole_numbers(session: AsyncSession) -> None:
    member, draw = await make_member(session), await make_draw(session)
    for many in (0, -1, 1001):
        with pytest.raises(InvalidDraw):
            await chances.grant(session, member.id, draw.id, many, key=f"k:{many}")


async def test_the_seed_is_revealed_by_the_end(sessions: Sessions, at: At) -> None:
    async with sessions() as session:
        now = await at(session, "2026-03-01T08:00:00Z")
        draw = await make_draw(session, ends_at=now + timedelta(hours=1))
        assert await definitions.close_due(session) == 0
        await at(session, "2026-03-01T09:00:00Z")
        assert await definitions.close_due(session) == 1
        closed = await definitions.get(session, draw.id)
        assert closed.status is DrawStatus.CLOSED
        assert closed.seed is not None
        assert fairness.commitment(bytes.fromhex(closed.seed)) == draw.commitment
    assert close.seconds == 30


async def test_a_merge_adds_chances_and_moves_plays(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    draw = await make_draw(session, free_per_day=1)
    for member_id in (keep.id, drop.id):
        await chances.grant(session, member_id, draw.id, 2, key=f"g:{member_id}")
        await playing.play(session, member_id, draw.id, key=f"k:{member_id}")
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    left = await chances.of_member(session, keep.id, draw.id)
    assert (left.free, left.extra) == (0, 4)
    third = await playing.play(session, keep.id, draw.id, key="k:3")
    assert (third.number, third.attempt) == (keep.id, 2)
    await merging.undo(session, merged, by="x")
    assert (await chances.of_member(session, drop.id, draw.id)).extra == 2
    assert (await chances.of_member(session, keep.id, draw.id)).extra == 1
    assert (await playing.play(session, drop.id, draw.id, key="k:4")).attempt == 2
    await definitions.close(session, draw.id)
    assert (await verifying.of_draw(session, draw.id)).is_right


async def _race(sessions: Sessions, members: list[int], draw_id: int) -> list[type[Exception] | None]:
    room = asyncio.Semaphore(40)

    async def one(number: int, member_id: int) -> type[Exception] | None:
        try:
            async with room, sessions.begin() as session:
                await playing.play(session, member_id, draw_id, key=f"k:{number}")
        except DomainError as error:
            return type(error)
        return None

    return list(await asyncio.gather(*(one(number, member_id) for number, member_id in enumerate(members))))


async def test_a_hundred_draw_three_prizes(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        members = [(await make_member(session)).id for _ in range(100)]
        draw = await make_draw(session, lucky(SURE, NOTHING))
    assert (await _race(committed_sessions, members, draw.id)).count(None) == 100
    async with committed_sessions.begin() as session:
        await definitions.close(session, draw.id)
        log = (await playing.log(session, draw.id, limit=100)).items
        assert [play.position for play in log] == list(range(1, 101))
        assert [play.outcome.prize for play in log] == [0] * 3 + [1] * 97
        found = await verifying.of_draw(session, draw.id)
        assert (found.plays, found.is_right) == (100, True)


async def test_a_hundred_taps_use_the_chances_that_there_are(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        draw = await make_draw(session, packets(100_000, 50), free_per_day=2)
        await chances.grant(session, member.id, draw.id, 3, key="g")
    found = await _race(committed_sessions, [member.id] * 100, draw.id)
    assert (found.count(None), found.count(NoChances)) == (5, 95)
    async with committed_sessions.begin() as session:
        log = (await playing.log(session, draw.id)).items
        assert [play.attempt for play in log] == [1, 2, 3, 4, 5]
        assert await points.balance(session, member.id) == sum(play.outcome.points for play in log)
        await assert_sound(session)

"""What a posting writes down besides the points: who, why, by which rule, for what; and the edges of amounts and times.

Each of these was left open by all other tests of the ledger, as faults put into it have shown.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.brand.types import Shortfall
from crm.db import clock
from crm.events import service as events
from crm.kit.ids import uuid7
from crm.points import earning_rules, holds, pending, policy, repository, service
from crm.points.errors import (
    AlreadyReversed,
    InsufficientPoints,
    InvalidPostingKey,
    InvalidReason,
    NotReversible,
    PointsOutOfRange,
    TransactionNotFound,
)
from crm.points.models import LotRow, TransactionRow
from crm.points.repository import Line
from crm.points.types import MAX_POINTS, Account, EntryKind
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

HOUR = timedelta(hours=1)


async def _written(session: AsyncSession, transaction_id: UUID) -> tuple[object, ...]:
    columns = (TransactionRow.kind, TransactionRow.reason, TransactionRow.actor, TransactionRow.rule_id)
    query = select(*columns, TransactionRow.event_id, TransactionRow.reverses_id)
    return tuple((await session.execute(query.where(TransactionRow.id == transaction_id))).one())


async def _open_lots(session: AsyncSession, member_id: int) -> list[tuple[int, datetime | None]]:
    query = select(LotRow.remaining, LotRow.expires_at).where(LotRow.member_id == member_id, LotRow.remaining > 0)
    return [(row.remaining, row.expires_at) for row in await session.execute(query.order_by(LotRow.id))]


async def test_a_posting_names_who_and_why(session: AsyncSession) -> None:
    member = await make_member(session)
    up = await service.adjust(session, member.id, 50, reason="sorry", key="a", by="operator:3")
    assert await _written(session, up.transaction_id) == ("adjust", "sorry", "operator:3", None, None, None)
    spent = await service.redeem(session, member.id, 20, reason="tea", key="b")
    assert await _written(session, spent.transaction_id) == ("redeem", "tea", "system", None, None, None)
    back = await service.reverse(session, spent.transaction_id, reason="sold out", key="c")
    assert await _written(session, back.transaction_id) == (
        *("reverse", "sold out", "system", None, None),
        spent.transaction_id,
    )
    undone = await service.reverse(session, up.transaction_id, reason="not sorry", key="d", by="operator:4")
    assert (await _written(session, undone.transaction_id))[2] == "operator:4"
    told = await events.timeline(session, member.id, kinds=["points_adjusted"])
    assert sorted(fact.data["reason"] for fact in told) == ["not sorry", "sold out", "sorry"]


async def test_a_grant_names_its_rule_and_runs_out_as_the_rule_says(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00:00+00:00")
    member = await make_member(session)
    rule = await earning_rules.create(
        session, kind="manual", name="Birthday", parameters={"points": 66, "expires_after_months": 2}
    )
    made = await service.grant(session, member.id, rule.id, key="g", by="operator:1")
    assert await _written(session, made.transaction_id) == ("earn", "Birthday", "operator:1", rule.id, None, None)
    assert await _open_lots(session, member.id) == [(66, now.replace(month=5))]
    facts = await events.timeline(session, member.id, kinds=["points_earned"])
    assert [(fact.data["rule"], fact.data["points"]) for fact in facts] == [("Birthday", 66)]


async def test_pending_points_keep_their_rule_and_event_through_all_postings(session: AsyncSession) -> None:
    member, event_id = await make_member(session), uuid7(await clock.now(session))
    first, second = [
        await pending.earn(session, member.id, 30, rule="friend", key=key, rule_id=7, event_id=event_id)
        for key in ("p", "q")
    ]
    assert await _written(session, first.transaction_id) == ("pending", "friend", "system", 7, event_id, None)
    active = await pending.activate(session, "p", by="operator:2")
    assert await _written(session, active.transaction_id) == ("activate", "friend", "operator:2", 7, event_id, None)
    gone = await pending.cancel(session, "q", reason="returned", by="operator:3")
    assert await _written(session, gone.transaction_id) == (
        *("cancel", "returned", "operator:3", 7, event_id),
        second.transaction_id,
    )
    await assert_sound(session)


async def test_a_hold_names_who_held_spent_and_gave_back(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 100)
    until = await clock.now(session) + HOUR
    held = await holds.hold(session, member.id, 10, reason="order 7", key="h", until=until, by="operator:1")
    await holds.hold(session, member.id, 20, reason="order 8", key="i", until=until)
    spent = await holds.post(session, "h", by="operator:2")
    back = await holds.void(session, "i", by="operator:3")
    found = [await _written(session, made.transaction_id) for made in (held, spent, back)]
    assert [row[:3] for row in found] == [
        ("hold", "order 7", "operator:1"),
        ("spend", "order 7", "operator:2"),
        ("void", "order 8", "operator:3"),
    ]


async def test_a_spent_hold_that_is_reversed_comes_back_with_the_expiry_it_had(session: AsyncSession) -> None:
    member, now = await make_member(session), await clock.now(session)
    await give(session, member.id, 10, expires_at=now + 5 * HOUR)
    await give(session, member.id, 10, expires_at=now + 9 * HOUR)
    await holds.hold(session, member.id, 15, reason="order", key="h", until=now + HOUR)
    spent = await holds.post(session, "h")
    back = await service.reverse(session, spent.transaction_id, reason="returned", key="r")
    assert (back.points, back.balance) == (15, 20)
    assert await _open_lots(session, member.id) == [(5, now + 9 * HOUR), (10, now + 5 * HOUR), (5, now + 9 * HOUR)]
    await assert_sound(session)


@pytest.mark.parametrize("act", ["redeem", "adjust", "hold", "reverse"])
async def test_whoever_takes_points_first_lets_run_out_what_is_due_of_that_member(
    session: AsyncSession, at: At, act: str
) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    other, member = await make_member(session), await make_member(session)
    for owner in (other, member):
        await give(session, owner.id, 9, expires_at=now + HOUR)
    kept = await give(session, member.id, 50)
    later = await at(session, "2026-03-01T09:00+08:00")
    match act:
        case "redeem":
            await service.redeem(session, member.id, 5, reason="tea", key="k")
        case "adjust":
            await service.adjust(session, member.id, -5, reason="typo", key="k", by="operator:1")
        case "hold":
            await holds.hold(session, member.id, 5, reason="order", key="k", until=later + HOUR)
        case _:
            await service.reverse(session, kept.transaction_id, reason="typo", key="k")
    assert len(await events.timeline(session, member.id, kinds=["points_expired"])) == 1
    assert await events.timeline(session, other.id, kinds=["points_expired"]) == []
    assert await service.balance(session, member.id) == (0 if act == "reverse" else 45)
    await assert_sound(session)


async def test_points_given_back_do_not_wait_for_what_is_due(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await give(session, member.id, 9, expires_at=now + HOUR)
    await at(session, "2026-03-01T10:00+08:00")
    await service.adjust(session, member.id, 1, reason="sorry", key="k", by="operator:1")
    assert await events.timeline(session, member.id, kinds=["points_expired"]) == []


async def test_points_are_not_good_at_the_very_moment_they_run_out(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await give(session, member.id, 9, expires_at=now + HOUR)
    ends = await at(session, "2026-03-01T09:00+08:00")
    take = Line(
        member_id=member.id,
        kind=EntryKind.REDEEM,
        key="k",
        points=-1,
        contra=Account.REDEMPTION,
        reason="tea",
        occurred_at=ends,
    )
    assert (await repository.post(session, [take]))[0].outcome == "insufficient"
    await give(session, member.id, 2)
    assert (await repository.post(session, [take]))[0].outcome == "posted"
    assert await _open_lots(session, member.id) == [(9, ends), (1, None)]
    await service.redeem(session, member.id, 1, reason="tea", key="the last")
    with pytest.raises(InsufficientPoints):
        await service.redeem(session, member.id, 1, reason="tea", key="l")
    assert len(await events.timeline(session, member.id, kinds=["points_expired"])) == 1


async def test_what_runs_out_while_it_is_spent_is_spent_whole(session: AsyncSession, at: At) -> None:
    """Time goes on within one posting: what was counted is taken, or the balance would not be what the lots hold."""
    await at(session, "2026-03-01T08:00Z")
    member = await make_member(session)
    await give(session, member.id, 5, expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    await give(session, member.id, 10)
    for statement in _TIME_GOES_ON:
        await session.execute(text(statement))
    assert (await service.redeem(session, member.id, 12, reason="tea", key="k")).balance == 3
    lots = select(LotRow.remaining).where(LotRow.member_id == member.id).order_by(LotRow.id)
    assert list(await session.scalars(lots)) == [0, 3]
    await assert_sound(session)


_TIME_GOES_ON = (
    (
        "CREATE FUNCTION pg_temp.to_the_next_day() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN PERFORM set_config('siyu.now', '2026-03-02T08:00:00Z', true); RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER time_goes_on BEFORE INSERT ON ledger_keys"
        " FOR EACH ROW EXECUTE FUNCTION pg_temp.to_the_next_day()"
    ),
)


async def test_a_lot_of_one_point_is_used_and_runs_out(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    for days in (None, 1, 2):
        await give(session, member.id, 1, expires_at=None if days is None else now + timedelta(days=days))
    await service.redeem(session, member.id, 1, reason="tea", key="k")
    await at(session, "2026-03-09T08:00+08:00")
    assert await service.expire_due(session) == 1
    spent = await service.redeem(session, member.id, 1, reason="tea", key="l")
    assert spent.balance == 0
    await assert_sound(session)


async def test_a_reversal_may_be_borne_by_the_programme(session: AsyncSession) -> None:
    member = await make_member(session)
    await brand.change(session, points_shortfall=Shortfall.WRITE_OFF)
    earned = await give(session, member.id, 100)
    await service.redeem(session, member.id, 70, reason="tea", key="k")
    back = await service.reverse(session, earned.transaction_id, reason="refund", key="r")
    assert (back.points, back.balance, back.debt) == (-100, 0, 0)
    spent = await service.adjust(session, member.id, 5, reason="sorry", key="a", by="operator:1")
    assert spent.balance == 5
    await assert_sound(session)


async def test_what_cannot_be_reversed_is_named(session: AsyncSession) -> None:
    member = await make_member(session)
    earned = await give(session, member.id, 1)
    back = await service.reverse(session, earned.transaction_id, reason="x", key="r")
    with pytest.raises(NotReversible) as refused:
        await service.reverse(session, back.transaction_id, reason="x", key="s")
    assert refused.value.facts == {"transaction_id": str(back.transaction_id)}
    with pytest.raises(AlreadyReversed) as again:
        await service.reverse(session, earned.transaction_id, reason="x", key="t")
    assert again.value.facts == {"transaction_id": str(earned.transaction_id)}
    # an id whose time lies beyond all dates, one of another kind, and one that nobody gave
    for unknown in (UUID(int=(2**48 - 1) << 80 | 7 << 76 | 2 << 62), uuid4(), uuid7(await clock.now(session))):
        with pytest.raises(TransactionNotFound) as missing:
            await service.reverse(session, unknown, reason="x", key="u")
        assert missing.value.facts == {"transaction_id": str(unknown)}


async def test_a_debt_of_one_point_is_made_good_by_one(session: AsyncSession) -> None:
    member = await make_member(session)
    earned = await give(session, member.id, 1)
    await service.redeem(session, member.id, 1, reason="tea", key="k")
    assert (await service.reverse(session, earned.transaction_id, reason="x", key="r")).debt == 1
    assert (await give(session, member.id, 1)).debt == 0
    assert (await give(session, member.id, 1)).balance == 1
    await assert_sound(session)


@pytest.mark.parametrize("points", [1, MAX_POINTS])
async def test_the_largest_and_the_smallest_adjustment(session: AsyncSession, points: int) -> None:
    member = await make_member(session)
    up = await service.adjust(session, member.id, points, reason="x", key="a", by="operator:1")
    down = await service.adjust(session, member.id, -points, reason="x", key="b", by="operator:1")
    assert (up.balance, down.balance) == (points, 0)
    with pytest.raises(PointsOutOfRange, match=r"^an adjustment must be a whole number .* minus to take away") as no:
        await service.adjust(session, member.id, -MAX_POINTS - 1, reason="x", key="c", by="operator:1")
    assert no.value.facts["points"] == -MAX_POINTS - 1


async def test_a_page_that_holds_all_has_nothing_after_it(session: AsyncSession) -> None:
    member = await make_member(session)
    for points in range(1, 52):
        await give(session, member.id, points)
    whole = await service.statement(session, member.id, limit=51)
    assert (len(whole.items), whole.next_cursor) == (51, None)
    usual = await service.statement(session, member.id)
    assert len(usual.items) == 50
    assert usual.next_cursor is not None


async def test_what_was_refused_names_what_there_was(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 5)
    with pytest.raises(InsufficientPoints) as refused:
        await service.redeem(session, member.id, 6, reason="tea", key="k")
    assert refused.value.facts == {"balance": 5, "points": 6}
    count = select(func.count()).select_from(TransactionRow)
    assert (await session.execute(count)).scalar_one() == 1


async def test_the_database_refuses_entries_that_do_not_sum_to_zero(session: AsyncSession) -> None:
    member = await make_member(session)
    made = await give(session, member.id, 5)
    insert = text(
        "INSERT INTO ledger_entries (transaction_id, position, occurred_at, account, amount)"
        " SELECT :id, 10 + n, t.occurred_at, 'adjustment', n * :sign FROM generate_series(1, 3) n,"
        " ledger_transactions t WHERE t.id = :id"
    )
    for sign in (1, -1):
        with pytest.raises(DBAPIError, match="do not sum to zero") as refused:
            async with session.begin_nested():
                await session.execute(insert, {"id": made.transaction_id, "sign": sign})
        assert getattr(refused.value.orig, "sqlstate", None) == "23514"
    await assert_sound(session)


async def test_one_statement_posts_its_lines_in_their_order(session: AsyncSession) -> None:
    member = await make_member(session)
    now = await clock.now(session)
    earn = Line(
        member_id=member.id,
        kind=EntryKind.EARN,
        key="a",
        points=10,
        contra=Account.ISSUANCE,
        reason="gift",
        occurred_at=now,
    )
    take = replace(earn, kind=EntryKind.REDEEM, key="b", points=-4, contra=Account.REDEMPTION, reason="tea")
    posted = await repository.post(session, [earn, take, replace(earn, key="c", points=1)])
    assert [(row.points, row.balance) for row in posted] == [(10, 10), (-4, 6), (1, 7)]
    found = (await service.statement(session, member.id)).items
    assert [(item.sequence, item.points, item.kind, item.at) for item in found] == [
        (3, 1, "earn", now),
        (2, -4, "redeem", now),
        (1, 10, "earn", now),
    ]


async def test_what_runs_out_soon_is_summed_by_moment_soonest_first(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member = await make_member(session)
    now = await clock.now(session)
    last, soonest = now + policy.SOON, now + HOUR
    for points, moment in ((7, last), (5, soonest), (1, soonest), (9, last + HOUR), (3, None)):
        await give(session, member.id, points, expires_at=moment)
    soon = (await service.summary(session, member.id)).expiring
    assert [(item.points, item.at) for item in soon] == [(6, soonest), (7, last)]
    await service.redeem(session, member.id, 5, reason="tea", key="k")
    await at(session, "2026-03-01T10:30+08:00")
    soon = (await service.summary(session, member.id)).expiring
    assert [item.points for item in soon] == [1, 7]
    await at(session, "2026-03-01T11:00+08:00")
    assert [item.points for item in (await service.summary(session, member.id)).expiring] == [7, 9]


async def test_keys_and_reasons_up_to_their_longest(session: AsyncSession) -> None:
    member = await make_member(session)
    key, reason = "k" * policy.MAX_KEY, "r" * policy.MAX_REASON
    made = await service.adjust(session, member.id, 1, reason=f" {reason[:-2]}\n\x00\ud83c ", key=key, by="operator:1")
    assert (await _written(session, made.transaction_id))[1] == f"{reason[:-2]} ?"
    for bad_key, bad_reason, wanted in ((key + "k", "r", InvalidPostingKey), ("k", reason + "r", InvalidReason)):
        with pytest.raises(wanted):
            await service.adjust(session, member.id, 1, reason=bad_reason, key=bad_key, by="operator:1")

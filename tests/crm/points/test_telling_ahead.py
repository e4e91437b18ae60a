"""What runs out is told 30, 7 and 1 days ahead: once, for everybody, by the brand's calendar."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import issuing
from crm.coupons.service import reminding as vouchers
from crm.db.session import Sessions
from crm.events import ahead
from crm.members import merging
from crm.points import reminding, service
from crm.points.jobs import tell_ahead
from tests.conftest import At
from tests.factories.loyalty import issue, make_coupon
from tests.factories.members import make_member

EXPIRES = datetime.fromisoformat("2026-05-01T00:00+08:00")


async def _told(session: AsyncSession, kind: str = "points_expiring") -> list[tuple[int, int, int]]:
    """(days, member, points) of what was published, in order."""
    while await reminding.tell_ahead(session) or await vouchers.tell_ahead(session):
        pass
    query = "SELECT data, member_id FROM events WHERE kind = :kind ORDER BY occurred_at, member_id"
    rows = await session.execute(text(query), {"kind": kind})
    return [(row.data["days"], row.member_id, row.data.get("points", 0)) for row in rows]


async def test_lots_of_a_day_are_told_together_and_once(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    one, other = (await make_member(session)).id, (await make_member(session)).id
    later = datetime.fromisoformat("2026-05-01T23:59+08:00")
    for key, member_id, points, when in (
        ("a", one, 30, EXPIRES),
        ("b", one, 12, later),
        ("c", other, 5, EXPIRES),
        ("d", other, 70, datetime.fromisoformat("2026-05-02T00:00+08:00")),
        ("e", other, 9, None),
    ):
        await service.earn(session, member_id, points, rule="gift", key=key, expires_at=when)
    await service.redeem(session, one, 10, reason="tea", key="spent")
    assert await _told(session) == []
    await at(session, "2026-04-01T00:05+08:00")
    first = [(30, one, 32), (30, other, 5)]
    assert await _told(session) == first
    assert await _told(session) == first
    await at(session, "2026-04-02T08:00+08:00")
    assert await _told(session) == [*first, (30, other, 70)]
    await at(session, "2026-04-24T08:00+08:00")
    assert (await _told(session))[3:] == [(7, one, 32), (7, other, 5)]
    await at(session, "2026-04-30T08:00+08:00")
    assert (await _told(session))[5:] == [(1, one, 32), (1, other, 5)]
    data = (await session.scalars(text("SELECT data FROM events WHERE kind = 'points_expiring' LIMIT 1"))).one()
    assert (data["on"], datetime.fromisoformat(data["at"])) == ("2026-05-01", EXPIRES)


async def test_a_day_on_which_nothing_ran_is_made_good(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    await service.earn(session, member_id, 30, rule="gift", key="a", expires_at=EXPIRES)
    await at(session, "2026-04-02T10:00+08:00")
    assert await _told(session) == [(30, member_id, 30)]
    await at(session, "2026-05-01T10:00+08:00")
    assert await _told(session) == [(30, member_id, 30)], "what has run out is not told any more"


async def test_many_are_told_in_steps(session: AsyncSession, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    await at(session, "2026-04-01T10:00+08:00")
    monkeypatch.setattr(ahead, "AT_ONCE", 2)
    ids = [(await make_member(session)).id for _ in range(5)]
    for member_id in ids:
        await service.earn(session, member_id, 3, rule="gift", key=f"k{member_id}", expires_at=EXPIRES)
    assert [member_id for _, member_id, _ in await _told(session)] == sorted(ids)


async def test_a_merged_member_is_told_once(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    keep, drop = (await make_member(session)).id, (await make_member(session)).id
    for member_id in (keep, drop):
        await service.earn(session, member_id, 3, rule="gift", key=f"k{member_id}", expires_at=EXPIRES)
    await merging.merge(session, keep, drop, by="operator:1")
    await at(session, "2026-04-01T10:00+08:00")
    assert await _told(session) == [(30, keep, 6)]


async def test_vouchers_are_told_one_by_one(session: AsyncSession, at: At) -> None:
    await at(session, "2026-04-01T10:00+08:00")
    member_id = (await make_member(session)).id
    coupon = await make_coupon(session, valid_days=8)
    good, gone = await issue(session, member_id, coupon), await issue(session, member_id, coupon)
    await issue(session, member_id, coupon)
    await issuing.cancel(session, gone.id, reason="test", by="test")
    assert good.expires_at is not None
    await at(session, "2026-04-02T12:00+08:00")
    assert await _told(session, "voucher_expiring") == [(7, member_id, 0)] * 2
    await at(session, "2026-04-08T12:00+08:00")
    assert (await _told(session, "voucher_expiring"))[2:] == [(1, member_id, 0)] * 2


async def test_workers_side_by_side_tell_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        for number in range(6):
            member_id = (await make_member(session)).id
            await service.earn(session, member_id, 3, rule="gift", key=f"k{number}")
        soon = "UPDATE point_lots SET expires_at = siyu_now() + interval '7 days'"
        await session.execute(text(soon))

    async def work() -> None:
        while await tell_ahead.run(committed_sessions):
            pass

    await asyncio.gather(*(work() for _ in range(4)))
    async with committed_sessions.begin() as session:
        query = "SELECT count(*), count(DISTINCT member_id) FROM events WHERE kind = 'points_expiring'"
        assert tuple((await session.execute(text(query))).one()) == (6, 6)

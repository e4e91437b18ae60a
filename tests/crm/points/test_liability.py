"""The report on outstanding points against a ledger that was lived through."""

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.kit.spreadsheets import BOM
from crm.points import expiry, holds, liability, pending, service
from crm.points.liability_types import Amount, Observed
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

DAY = timedelta(days=1)


async def _live(session: AsyncSession, at: At, start: datetime) -> int:
    """Lots of 100 and 60 points for 90 days: 20 of the first are spent early, 10 late, and some only seem to be."""
    member = (await make_member(session)).id
    first = await give(session, member, 100, expires_at=start + 90 * DAY)
    await at(session, (start + 20 * DAY).isoformat())
    await service.redeem(session, member, 20, reason="tea", key="early")
    undone = await service.redeem(session, member, 30, reason="a mistake", key="undone")
    await service.reverse(session, undone.transaction_id, reason="a mistake", key="back")
    await at(session, (start + 25 * DAY).isoformat())
    await holds.hold(session, member, 5, reason="order", key="held", until=start + 26 * DAY)
    await holds.void(session, "held")
    await at(session, (start + 60 * DAY).isoformat())
    await service.redeem(session, member, 10, reason="cake", key="late")
    other = (await make_member(session)).id
    taken = await give(session, other, 60, expires_at=start + 80 * DAY)
    await service.reverse(session, taken.transaction_id, reason="a fraud", key="taken")
    assert first.points == 100
    await at(session, (start + 90 * DAY).isoformat())
    await expiry.expire(session)
    return member


async def test_what_ran_out_is_the_history_and_what_is_left_is_reckoned_by_it(session: AsyncSession, at: At) -> None:
    start = await at(session, "2026-03-01T08:00+08:00")
    member = await _live(session, at, start)
    now = await at(session, (start + 91 * DAY).isoformat())
    await brands.change(session, point_value=Decimal("0.05"))
    new_year = datetime.fromisoformat("2027-01-01T00:00+08:00")
    lots = ((40, now + 5 * DAY), (200, now + 40 * DAY), (300, new_year), (70, None))
    for points, ends in lots:
        await give(session, member, points, expires_at=ends)
    await holds.hold(session, member, 7, reason="order", key="h", until=now + DAY)
    await pending.earn(session, member, 11, rule="gift", key="p")
    debtor = (await make_member(session)).id
    owed = await give(session, debtor, 13)
    await service.redeem(session, debtor, 13, reason="tea", key="d")
    await service.reverse(session, owed.transaction_id, reason="a mistake", key="o")
    found = await liability.report(session)
    assert found.history == [
        Observed(15, 70, 70, Decimal("1.0000")),
        Observed(45, 80, 70, Decimal("0.8750")),
        Observed(75, 100, 70, Decimal("0.7000")),
    ]
    told = [(item.month, item.points, item.expected_breakage, item.share) for item in found.months]
    assert told == [
        (date(2026, 6, 1), 33, 33, Decimal("1.0000")),
        (date(2026, 7, 1), 200, 175, Decimal("0.8750")),
        (date(2026, 12, 1), 300, 0, None),
    ]
    assert found.never == Amount(70, Decimal("3.50"))
    assert found.outstanding == Amount(603, Decimal("30.15"))
    assert found.outstanding.points == await service.balance(session, member)
    assert (found.expected_breakage.points, found.expected_redemption.points) == (208, 395)
    assert (found.pending.points, found.held.points, found.debt.points) == (11, 7, 13)
    await assert_sound(session)


async def test_the_file_says_the_same(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await give(session, member.id, 40, expires_at=now + 40 * DAY)
    whole = "".join([part async for part in liability.as_csv(session)])
    rows = list(csv.DictReader(StringIO(whole.removeprefix(BOM), newline="")))
    assert [(row["month"], row["points"], row["value"]) for row in rows[:3]] == [
        ("2026-04", "40", ""),
        ("never", "0", ""),
        ("outstanding", "40", ""),
    ]
    assert rows[0]["expected_share"] == ""
    assert {row["currency"] for row in rows} == {"CNY"}


async def test_an_empty_ledger_owes_nothing(session: AsyncSession) -> None:
    found = await liability.report(session)
    assert (found.months, found.history, found.outstanding) == ([], [], Amount(0, None))

"""The report on outstanding points: by month of expiry, their value, and how much will probably run out."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.db import clock
from crm.kit.spreadsheets import BOM, line
from crm.points import breakage
from crm.points.liability_types import Amount, Bucket, Experience, Liability, Outstanding
from crm.points.models import AccountRow

HISTORY = timedelta(days=730)
"""How far back lots that ended are looked at."""
_OUTSTANDING = text("""
    SELECT date_trunc('month', timezone(:zone, expires_at - interval '1 microsecond'))::date AS month,
           greatest(0, floor(extract(epoch FROM expires_at - :now) / 86400 / :step_days))::int AS step,
           sum(remaining)::bigint AS points
    FROM point_lots WHERE remaining > 0 GROUP BY 1, 2
""")
_ENDED = text("""
    WITH ended AS MATERIALIZED (
        SELECT id, points, remaining, earned_at, expires_at FROM point_lots
        WHERE expires_at > :since AND expires_at <= :now
    ), uses AS MATERIALIZED (
        SELECT l.id, l.expires_at, u.amount, u.occurred_at, CASE
            WHEN t.kind = 'expire' THEN 'expired'
            WHEN t.kind IN ('reverse', 'claw_back', 'merge', 'adjust')
              OR (t.kind = 'redeem' AND EXISTS (SELECT FROM ledger_keys k WHERE k.reverses_id = t.id))
              OR (t.kind = 'hold' AND EXISTS (SELECT FROM ledger_keys k WHERE k.key = 'void:' || t.key))
              THEN 'gone' ELSE 'spent' END AS fate
        FROM ended l JOIN lot_uses u ON u.lot_id = l.id
        JOIN ledger_transactions t ON t.id = u.transaction_id AND t.occurred_at = u.occurred_at
    ), lots AS (
        SELECT l.earned_at, l.expires_at,
               l.points - coalesce(sum(u.amount) FILTER (WHERE u.fate = 'gone'), 0) AS earned,
               l.remaining + coalesce(sum(u.amount) FILTER (WHERE u.fate = 'expired'), 0) AS expired
        FROM ended l LEFT JOIN uses u ON u.id = l.id GROUP BY l.id, l.points, l.remaining, l.earned_at, l.expires_at
    ), parts AS (
        SELECT expires_at - earned_at AS span, earned, expired, 0 AS spent FROM lots
        UNION ALL
        SELECT expires_at - occurred_at, 0, 0, amount FROM uses WHERE fate = 'spent'
    )
    SELECT floor((extract(epoch FROM span) / 86400 - :middle_days) / :step_days)::int AS step,
           sum(earned)::bigint AS earned, sum(spent)::bigint AS spent, sum(expired)::bigint AS expired
    FROM parts GROUP BY 1
""")
_COLUMNS = ("month", "points", "value", "expected_share", "expected_breakage", "breakage_value", "currency")


async def report(session: AsyncSession) -> Liability:
    """What members can spend, by the month of the brand's time zone in which it runs out, with what is expected of it.

    Reads every lot with points left and every one that ended in the last two years: seconds in a large programme.
    """
    brand, now = await brands.get(session), await clock.now(session)
    known = await _experiences(session)
    values = {"zone": brand.time_zone, "now": now, "step_days": breakage.STEP_DAYS}
    lots = [Outstanding(*row) for row in await session.execute(_OUTSTANDING, values)]
    months = breakage.by_month(lots, known, brand.point_value)
    total, lapsing = sum(lot.points for lot in lots), sum(item.expected_breakage for item in months)
    pending, held, debt = await _aside(session, brand.point_value)
    return Liability(
        at=now,
        currency=brand.currency,
        point_value=brand.point_value,
        months=months,
        never=breakage.worth(sum(lot.points for lot in lots if lot.month is None), brand.point_value),
        outstanding=breakage.worth(total, brand.point_value),
        expected_breakage=breakage.worth(lapsing, brand.point_value),
        expected_redemption=breakage.worth(total - lapsing, brand.point_value),
        pending=pending,
        held=held,
        debt=debt,
        history_from=now - HISTORY,
        history=breakage.observed(known),
    )


async def as_csv(session: AsyncSession) -> AsyncIterator[str]:
    """The report as lines of a CSV: a line per month, then those of points that never run out, pending and so on."""
    found = await report(session)
    yield BOM + line(_COLUMNS)
    for item in found.months:
        cells = (item.points, item.value, item.share, item.expected_breakage, item.breakage_value)
        yield line([f"{item.month:%Y-%m}", *map(_text, cells), found.currency])
    for name in ("never", "outstanding", "expected_breakage", "expected_redemption", "pending", "held", "debt"):
        amount: Amount = getattr(found, name)
        yield line([name, _text(amount.points), _text(amount.value), "", "", "", found.currency])


def _text(value: int | Decimal | None) -> str:
    return "" if value is None else str(value)


async def _experiences(session: AsyncSession) -> list[Experience]:
    now = await clock.now(session)
    steps = {"step_days": breakage.STEP_DAYS, "middle_days": breakage.MIDDLE_DAYS}
    rows = await session.execute(_ENDED, {"since": now - HISTORY, "now": now, **steps})
    return breakage.experiences(Bucket(row.step, row.earned, row.spent, row.expired) for row in rows)


async def _aside(session: AsyncSession, point_value: Decimal | None) -> list[Amount]:
    sums = [func.coalesce(func.sum(column), 0) for column in (AccountRow.pending, AccountRow.held, AccountRow.debt)]
    row = (await session.execute(select(*sums))).one()
    return [breakage.worth(int(points), point_value) for points in row]

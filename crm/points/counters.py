"""Counters of caps: locked by who awards, until the transaction ends, so that parallel awards count exactly."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import ARRAY, Text, any_, bindparam, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.prepared import Prepared
from crm.points.capping import EVER, Counter
from crm.points.models import EarningCounterRow, LedgerKeyRow

_KEPT = timedelta(days=100)
"""Longer than the longest period that ends; older events than that count afresh."""
_LOCK = Prepared(
    text("""
INSERT INTO earning_counters AS c (rule_id, member_id, period, starts_on, points)
SELECT rule_id, member_id, period, starts_on, 0
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (rule_id bigint, member_id bigint, period text, starts_on date)
ORDER BY rule_id, member_id, period, starts_on
ON CONFLICT (rule_id, member_id, period, starts_on) DO UPDATE SET points = c.points
RETURNING rule_id, member_id, period, starts_on, points
""")
)
_ADD = Prepared(
    text("""
UPDATE earning_counters c SET points = c.points + r.points
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (rule_id bigint, member_id bigint, period text, starts_on date, points bigint)
WHERE (c.rule_id, c.member_id, c.period, c.starts_on) = (r.rule_id, r.member_id, r.period, r.starts_on)
""")
)
_KNOWN = Prepared(select(LedgerKeyRow.key).where(LedgerKeyRow.key == any_(bindparam("wanted", type_=ARRAY(Text)))))
_OWNER = Prepared(text("SELECT (siyu_lock_account(:member_id)).member_id"))


async def lock_owner(session: AsyncSession, member_id: int) -> int:
    """Lock the account that `member_id` lives on in; answers its member. Whoever counts comes after this."""
    return int((await _OWNER.first(session, member_id=member_id))["member_id"])


async def known_keys(session: AsyncSession, keys: Sequence[str]) -> frozenset[str]:
    """Which postings were made before; with the account locked this does not change."""
    return frozenset(row["key"] for row in await _KNOWN.fetch(session, wanted=list(keys)))


async def lock(session: AsyncSession, counters: Iterable[Counter]) -> dict[Counter, int]:
    """What the counters hold, each locked, always in the same order."""
    wanted = sorted(set(counters))
    if not wanted:
        return {}
    rows = await _LOCK.fetch(session, rows=_json(dict.fromkeys(wanted, 0)))
    return {Counter(row[0], row[1], row[2], row[3]): row[4] for row in rows}


async def add(session: AsyncSession, amounts: Mapping[Counter, int]) -> None:
    """Count points that were posted."""
    if amounts:
        await _ADD.fetch(session, rows=_json(amounts))


async def used(session: AsyncSession, counters: Iterable[Counter]) -> dict[Counter, int]:
    """What the counters hold, not locked: to show, never to decide."""
    wanted = set(counters)
    if not wanted:
        return {}
    table = EarningCounterRow.__table__.c
    query = select(table.rule_id, table.member_id, table.period, table.starts_on, table.points).where(
        table.rule_id.in_({key.rule_id for key in wanted}), table.member_id.in_({key.member_id for key in wanted})
    )
    found = {Counter(*row[:4]): int(row[4]) for row in await session.execute(query)}
    return {key: found.get(key, 0) for key in wanted}


async def forget_old(session: AsyncSession) -> int:
    """Remove counters of periods that ended long ago; answers how many."""
    before: date = (await clock.now(session) - _KEPT).date()
    gone = delete(EarningCounterRow).where(EarningCounterRow.starts_on < before, EarningCounterRow.starts_on != EVER)
    return len((await session.execute(gone.returning(EarningCounterRow.rule_id))).all())


def _json(amounts: Mapping[Counter, int]) -> str:
    return json.dumps([{**key._asdict(), "points": points} for key, points in amounts.items()], default=str)

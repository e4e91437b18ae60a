"""Joining two members' tiers: the better earned tier and a grant go over; then both are evaluated by the event."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.tiers import policy, repository
from crm.tiers.models import BenefitRow, HistoryRow, StandingRow
from crm.tiers.types import ProgrammeStatus, Rules

_STANDINGS = StandingRow.metadata.tables[StandingRow.__tablename__]
_BENEFITS = StandingRow.metadata.tables[BenefitRow.__tablename__]
_TAKEN = ("earned", "falls_at", "grant_tier", "grant_until", "grant_reason", "grant_by")
_TIMES = ("since", "falls_at", "risk_ends_at", "grant_until", "at")
Row = dict[str, Any]


class TiersMerge:
    """Nobody falls by a merge: what the dropped member had earned counts for the kept one, with its grace period.

    The intervals of the dropped member stay with them, ended at the merge.
    """

    name = "tiers"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers both standings as they were, and the benefits that the kept member had."""
        kept, dropped = await _standing(session, keep_id), await _standing(session, drop_id)
        benefits = await _benefits(session, keep_id)
        if dropped is not None:
            await session.execute(delete(_STANDINGS).where(_STANDINGS.c.member_id == drop_id))
            await _mark_end(session, drop_id, dropped, await clock.now(session))
            live = await repository.with_status(session, ProgrammeStatus.LIVE)
            taken = _better(live.rules if live else None, kept or {}, dropped)
            if taken:
                new = upsert(_STANDINGS).values(member_id=keep_id, **taken)
                await session.execute(new.on_conflict_do_update(index_elements=["member_id"], set_=taken))
        for row in await _benefits(session, drop_id):
            await _take_benefit(session, {**row, "member_id": keep_id})
        plain = [_json(row) for row in benefits]
        return {"kept": kept and _json(kept), "dropped": dropped and _json(dropped), "benefits": plain}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Both stand as before; what happened since is found by the evaluation that follows."""
        if record["dropped"] is not None:
            row = _times(record["dropped"])
            await session.execute(upsert(_STANDINGS).values(**row).on_conflict_do_nothing())
            await _mark_end(session, drop_id, row, None)
            before = _times(record["kept"]) if record["kept"] else dict.fromkeys(_TAKEN)
            own = update(_STANDINGS).where(_STANDINGS.c.member_id == keep_id)
            await session.execute(own.values({name: before[name] for name in _TAKEN}))
        await session.execute(delete(_BENEFITS).where(_BENEFITS.c.member_id == keep_id))
        if record["benefits"]:
            await session.execute(insert(_BENEFITS), [_times(row) for row in record["benefits"]])


def _better(rules: Rules | None, kept: Row, dropped: Row) -> Row:
    """What the kept member takes over."""
    taken: Row = {}
    places = [policy.position(rules, row.get("earned")) if rules else 0 for row in (kept, dropped)]
    if places[1] > places[0]:
        taken |= {"earned": dropped["earned"], "falls_at": dropped["falls_at"]}
    if kept.get("grant_tier") is None and dropped["grant_tier"] is not None:
        taken |= {name: dropped[name] for name in _TAKEN if name.startswith("grant_")}
    return taken


async def _standing(session: AsyncSession, member_id: int) -> Row | None:
    query = _STANDINGS.select().where(_STANDINGS.c.member_id == member_id).with_for_update()
    found = (await session.execute(query)).mappings().one_or_none()
    return None if found is None else dict(found)


async def _mark_end(session: AsyncSession, member_id: int, standing: Row, at: datetime | None) -> None:
    own = (HistoryRow.member_id == member_id, HistoryRow.started_at == standing["since"])
    await session.execute(update(HistoryRow).where(*own).values(ended_at=at))


async def _benefits(session: AsyncSession, member_id: int) -> list[Row]:
    rows = await session.execute(_BENEFITS.select().where(_BENEFITS.c.member_id == member_id))
    return [dict(row) for row in rows.mappings()]


async def _take_benefit(session: AsyncSession, row: Row) -> None:
    """A benefit of one period is not given a second time because of a merge."""
    new = upsert(_BENEFITS).values(**row)
    newer = new.excluded.period > _BENEFITS.c.period
    values = {name: new.excluded[name] for name in row if name not in {"member_id", "kind"}}
    await session.execute(new.on_conflict_do_update(index_elements=["member_id", "kind"], set_=values, where=newer))


def _json(row: Row) -> Row:
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if name == "voucher_id" and value
        else value
        for name, value in row.items()
    }


def _times(row: Row) -> Row:
    return {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in row.items()
    }


tiers_merge = TiersMerge()

"""Joining two members' consents: for each channel and topic the later decision counts, appended anew."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service
from crm.consent.types import ConsentStatus
from crm.db import clock

_SOURCE, _UNDO = "merge", "merge_undone"


class ConsentMerge:
    """Repeats the dropped member's decisions for the kept one; recorded rows stay as they are."""

    name = "consent"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers, for each decision taken over, what stood there before (null for nothing)."""
        before = {(item.channel, item.topic): item for item in await service.status(session, keep_id)}
        changed: list[dict[str, Any]] = []
        for item in await service.status(session, drop_id):
            own = before.get((item.channel, item.topic))
            if own is not None and own.at >= item.at:
                continue
            if await service.decide(session, keep_id, replace(item, source=_SOURCE), proof=f"member:{drop_id}"):
                changed.append({"channel": item.channel, "topic": item.topic, "before": _json(own)})
        return {"changed": changed}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Decide again as before, where the merge's decision still stands; without one before, withdraw."""
        standing = {(item.channel, item.topic): item for item in await service.status(session, keep_id)}
        now = await clock.now(session)
        for change in record["changed"]:
            place = (change["channel"], change["topic"])
            if standing[place].source == _SOURCE:
                back = _status(change["before"]) or ConsentStatus(*place, False, "", _UNDO, now)
                await service.decide(session, keep_id, replace(back, source=_UNDO), proof=f"member:{drop_id}")


def _json(status: ConsentStatus | None) -> dict[str, Any] | None:
    return None if status is None else {**vars(status), "at": status.at.isoformat()}


def _status(value: dict[str, Any] | None) -> ConsentStatus | None:
    return None if value is None else ConsentStatus(**{**value, "at": datetime.fromisoformat(value["at"])})


consent_merge = ConsentMerge()

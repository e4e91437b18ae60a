"""Kinds of events that choosy subscribers want just now: for all else no hand-off is opened.

A subscriber whose takers come and go, such as outgoing webhooks, would otherwise double the work of every event.
"""

from collections.abc import Iterable

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.models import WishRow

EVERY_KIND = "*"


async def wish(session: AsyncSession, subscriber: str, kinds: Iterable[str]) -> None:
    """From this transaction's commit on, hand exactly `kinds` to the subscriber; `*` stands for all."""
    await session.execute(delete(WishRow).where(WishRow.subscriber == subscriber))
    rows = [{"subscriber": subscriber, "kind": kind} for kind in sorted(set(kinds))]
    if rows:
        await session.execute(insert(WishRow), rows)

"""Points that are set aside, pending or held: the row of what is open, and what is answered when it is no more."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.errors import DomainError
from crm.points import posting, repository
from crm.points.models import HoldRow, PendingRow
from crm.points.types import EntryKind, Posting

R = TypeVar("R", HoldRow, PendingRow)


async def open_row(session: AsyncSession, kind: type[R], key: str) -> R | None:
    """The open row with its account locked, read again after the lock: it may have been resolved meanwhile."""
    query = select(kind).where(kind.key == key).execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        return None
    await repository.lock(session, row.member_id)
    return await session.scalar(query)


async def resolved(
    session: AsyncSession, key: str, kind: EntryKind, *, unknown: type[DomainError], otherwise: type[DomainError]
) -> Posting:
    """What `kind` posted the first time. Raises `unknown` without such a key, `otherwise` after another act."""
    begun = await repository.posted_before(session, key)
    done = await repository.posted_before(session, f"{kind}:{key}")
    if begun is None:
        raise unknown(key=key)
    if done is None:
        raise otherwise(key=key)
    return await posting.replayed(session, done)

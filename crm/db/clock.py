"""Business time: the database's `siyu_now()`, the same within one transaction."""

from datetime import UTC, datetime

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crm.db.prepared import Prepared

_NOW = "siyu_now"
_COMMON = "siyu_common_now"
_ASK = Prepared(select(func.siyu_now()))


async def now(session: AsyncSession) -> datetime:
    """The aware UTC time of this transaction: asked once, then remembered until it ends."""
    known = session.info.get(_NOW)
    if known is None:
        known = await ask(session)
    assert isinstance(known, datetime)
    return known


async def ask(session: AsyncSession) -> datetime:
    """Like `now`, asked whether or not it is known."""
    return remember(session, (await _ASK.first(session))[0])


def remember(session: AsyncSession, value: datetime) -> datetime:
    """Set this transaction's time, when a statement already brought `siyu_now()` along; answers the time that counts.

    Sessions that share a transaction have one time, the first that one of them brought along.
    """
    found = value.astimezone(UTC)
    common: dict[str, datetime] | None = session.info.get(_COMMON)
    if common is not None:
        found = common.setdefault(_NOW, found)
    session.info[_NOW] = found
    return found


def share(session: AsyncSession, common: dict[str, datetime]) -> None:
    """Have one time with all sessions that were given the same `common`, which begins empty."""
    session.info[_COMMON] = common


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: object) -> None:
    if getattr(transaction, "parent", None) is None:
        session.info.pop(_NOW, None)

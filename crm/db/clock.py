"""Business time: the database's `siyu_now()`, the same within one transaction."""

from datetime import UTC, datetime

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crm.db.prepared import Prepared

_NOW = "siyu_now"
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
    remember(session, (await _ASK.first(session))[0])
    known = session.info[_NOW]
    assert isinstance(known, datetime)
    return known


def remember(session: AsyncSession, value: datetime) -> None:
    """Set this transaction's time, when a statement already brought `siyu_now()` along."""
    session.info[_NOW] = value.astimezone(UTC)


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: object) -> None:
    if getattr(transaction, "parent", None) is None:
        session.info.pop(_NOW, None)

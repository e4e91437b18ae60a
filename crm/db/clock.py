"""Business time: the database's `siyu_now()`, the same within one transaction."""

from datetime import UTC, datetime

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crm.db.prepared import Prepared
from crm.db.seats import Table

_NOW = "siyu_now"
_TABLE = "siyu_table"
_ASK = Prepared(select(func.siyu_now().label("now")), time_in="now", is_shared=True)


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

    Sessions at one table have its time, unless theirs is later: what is done for a member after waiting for a lock
    must not seem to be older than what was done before by its holder.
    """
    found = value.astimezone(UTC)
    table: Table | None = session.info.get(_TABLE)
    if table is not None:
        if _NOW in session.info:
            found = session.info[_NOW]
        elif table.time is not None and table.time > found:
            found = table.time.astimezone(UTC)
    session.info[_NOW] = found
    return found


def share(session: AsyncSession, table: Table) -> None:
    """Have one time with all sessions at this table."""
    session.info[_TABLE] = table


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: object) -> None:
    if getattr(transaction, "parent", None) is None:
        session.info.pop(_NOW, None)

"""When a bot was not listened to for so long that its provider dropped taps.

Telegram keeps messages for a day, but a tap for 150 seconds only. Receivers give signs of life; a longer silence
between two of them, or a message that is older than that when it arrives, is an outage.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.inbox.models import ReceptionRow

TAPS_LIVE = timedelta(seconds=150)
"""What Telegram gives a tap to be fetched."""
SIGN_EVERY = timedelta(seconds=30)
"""How often a receiver should give a sign of life."""
_TABLE = ReceptionRow.metadata.tables["inbound_receptions"]
_LISTENING = Prepared(
    text("""
INSERT INTO inbound_receptions AS known (bot_id, heard_at) VALUES (:bot_id, siyu_now())
ON CONFLICT (bot_id) DO UPDATE SET
    outage_since = CASE WHEN siyu_now() - known.heard_at > :taps_live THEN known.heard_at ELSE known.outage_since END,
    outage_until = CASE WHEN siyu_now() - known.heard_at > :taps_live THEN siyu_now() ELSE known.outage_until END,
    heard_at = greatest(known.heard_at, siyu_now())
""")
)
_LATE = Prepared(
    text("""
INSERT INTO inbound_receptions AS known (bot_id, heard_at, outage_since, outage_until)
VALUES (:bot_id, :received_at, :sent_at, :received_at)
ON CONFLICT (bot_id) DO UPDATE SET
    outage_since = CASE
        WHEN known.outage_until >= :sent_at THEN least(known.outage_since, :sent_at) ELSE :sent_at END,
    outage_until = greatest(known.outage_until, :received_at)
RETURNING outage_since, outage_until
""")
)
_LAST = Prepared(
    select(_TABLE.c.outage_since, _TABLE.c.outage_until).where(
        _TABLE.c.bot_id == bindparam("bot_id"), _TABLE.c.outage_until.is_not(None)
    )
)


@dataclass(frozen=True)
class Outage:
    """Taps made between these times may never have arrived."""

    since: datetime
    until: datetime


async def listening(session: AsyncSession, bot_id: int) -> None:
    """A sign of life of whoever receives for this bot; give it before what came in is stored."""
    await _LISTENING.fetch(session, bot_id=bot_id, taps_live=TAPS_LIVE)


async def note_late(session: AsyncSession, bot_id: int, *, sent_at: datetime, received_at: datetime) -> Outage:
    """A message that was sent so long before it was received shows an outage; answers it."""
    return Outage(*await _LATE.first(session, bot_id=bot_id, sent_at=sent_at, received_at=received_at))


async def last(session: AsyncSession, bot_id: int) -> Outage | None:
    """The bot's last outage that is over."""
    row = await _LAST.first(session, bot_id=bot_id)
    return None if row is None else Outage(*row)

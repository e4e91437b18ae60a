"""Who wrote and how far their conversation is, in one statement: every inbound update begins with both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import ConversationRow
from crm.conversations.types import Conversation
from crm.db.prepared import Prepared
from crm.members.views import contact, contact_id

_TABLE = ConversationRow.metadata.tables["conversations"]
NAMES = (
    *("id", "identity_id", "bot_id", "chat_key", "version", "runs_started", "runs"),
    *("changed_at", "taps_known_until"),
)
_known = [_TABLE.c[name].label(f"conversation_{name}") for name in NAMES]
_found = contact.add_columns(*_known).outerjoin(_TABLE, _TABLE.c.identity_id == contact_id).cte("found")
_bot_id, _chat_key = bindparam("bot_id", type_=BigInteger), bindparam("chat_key", type_=Text)
_made = (
    insert(_TABLE)
    .from_select(
        ["identity_id", "bot_id", "chat_key"],
        select(_found.c.identity_id, _bot_id, _chat_key).where(_found.c.conversation_id.is_(None)),
    )
    .on_conflict_do_nothing()
    .returning(*(_TABLE.c[name].label(f"made_{name}") for name in NAMES))
    .cte("made")
)
_ARRIVE = Prepared(
    select(*_found.c, *_made.c).join_from(
        _found, _made, _made.c.made_identity_id == _found.c.identity_id, isouter=True
    ),
    one_by={"identity_bot_id": "bot_id", "identity_address": "address"},
)


@dataclass(frozen=True)
class Arrival:
    """What is known of somebody who writes."""

    contact: Mapping[str, Any]
    """For `members.ensure_identity`."""
    conversation: Conversation | None
    """None when another transaction was making it."""


async def arrive(session: AsyncSession, *, bot_id: int, address: str, chat_key: str) -> Arrival | None:
    """Contact and conversation at this address, the conversation made when there is none; None for a stranger.

    The caller holds the chat's lock.
    """
    row = await _ARRIVE.first(session, bot_id=bot_id, address=address, chat_key=chat_key)
    if row is None:
        return None
    prefix = "conversation_" if row["conversation_id"] is not None else "made_"
    if row[f"{prefix}id"] is None:
        return Arrival(row, None)
    return Arrival(row, Conversation(**{name: row[prefix + name] for name in NAMES}))

"""An operator's answer to a member who asked for a person."""

import html

from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.db import clock
from crm.deliveries import service as deliveries
from crm.kit.text import clean_text
from crm.members import service as members
from crm.members.types import Identity
from crm.messages.types import Outbound
from crm.tickets.errors import EmptyReply, NoChannel
from crm.tickets.models import TicketRow
from crm.tickets.service import row_of, ticket
from crm.tickets.types import Answered

MAX_REPLY = 4000


async def reply(session: AsyncSession, ticket_id: int, text: str, *, operator_id: int) -> Answered:
    """Answer on the channel where the member asked, else where they were last seen; `text` is plain.

    Raises EmptyReply, NoChannel, TicketNotFound.
    """
    said = clean_text(text).strip()
    if not 0 < len(said) <= MAX_REPLY:
        raise EmptyReply
    row = await row_of(session, ticket_id)
    to = await _reachable(session, row)
    row.answers += 1
    row.answered_at = await clock.now(session)
    await session.flush()
    line = NewMessage(Direction.OPERATOR, "text", said, operator_id=operator_id)
    await conversations.record(session, to.id, [line])
    message = Outbound(html.escape(said, quote=False))
    ids = await deliveries.replies(session, to, ("ticket", f"{row.id}:{row.answers}"), [message])
    return Answered(await ticket(session, row), ids)


async def _reachable(session: AsyncSession, row: TicketRow) -> Identity:
    found = [identity for identity in await members.identities(session, row.member_id) if identity.is_reachable]
    if not found:
        raise NoChannel
    asked_here = [identity for identity in found if identity.id == row.identity_id]
    return (asked_here or sorted(found, key=lambda identity: identity.last_seen_at))[-1]

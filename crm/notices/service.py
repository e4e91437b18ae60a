"""Notices: one shipped and editable text, in the member's language, where they were last seen."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.deliveries import service as deliveries
from crm.deliveries.channels import traits_of
from crm.deliveries.types import MessageClass
from crm.members import service as members
from crm.members.types import MemberStatus
from crm.messages import service as messages
from crm.messages.types import Outbound

SOURCE = "notice"


async def tell(session: AsyncSession, member_id: int, name: str, *, event_id: UUID, **values: Any) -> list[UUID]:
    """Send the text `name` as a receipt, once for an event; answers the deliveries, none when nobody can be reached.

    Sweepers send it after the commit. Raises UnknownTextError.
    """
    member = await members.get(session, await members.current_id(session, member_id))
    if member.status is not MemberStatus.ACTIVE or member.is_demo:
        return []
    reachable = [one for one in await members.identities(session, member.id) if one.is_reachable]
    if not reachable:
        return []
    to = max(reachable, key=lambda identity: identity.last_seen_at)
    said = await messages.render_flow(session, name, member.locale, values, traits_of(session, to.channel))
    line = NewMessage(Direction.OUT, "html", said.text_html)
    await conversations.record(session, to.id, [line])
    message = Outbound(said.text_html)
    return await deliveries.replies(session, to, (SOURCE, str(event_id)), [message], message_class=MessageClass.RECEIPT)

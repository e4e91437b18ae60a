"""What was said with a member."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Cursor, IdPath, Limit, PageOf, page_from
from crm.conversations import service
from crm.conversations.types import Direction, TranscriptMessage
from crm.kit.paging import InvalidCursor, decode_cursor
from crm.members import service as members
from crm.operators.permissions import Permission

router = api_router("/api/v1/members", "Members")


class MessageView(BaseModel):
    """One line of a conversation."""

    id: UUID
    at: datetime
    identity_id: int
    direction: Direction
    kind: str
    text: str
    buttons: list[str]
    is_cut: bool
    operator_id: int | None
    photo_media_id: UUID | None


def message_view(message: TranscriptMessage) -> MessageView:
    """As the API shows a line."""
    return MessageView.model_validate(vars(message))


def position(cursor: str) -> tuple[datetime, UUID]:
    """The place that a cursor names. Raises InvalidCursor."""
    moment, message_id = decode_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(moment), UUID(message_id)
    except ValueError as wrong:
        raise InvalidCursor from wrong


def place_of(message: TranscriptMessage) -> tuple[str, str]:
    """What a cursor says of the last line shown."""
    return message.at.isoformat(), str(message.id)


@router.get(
    "/{member_id}/conversation",
    dependencies=[allow(Permission.CONVERSATIONS_READ)],
    name="conversation.read",
    summary="Read a conversation",
)
async def read_conversation(
    edge: EdgeOf, member_id: IdPath, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[MessageView]:
    """On all channels, newest first."""
    await members.get(edge.session, member_id)
    before = position(cursor) if cursor else None
    found = await service.transcript(edge.session, member_id, before=before, limit=limit + 1)
    return page_from(found, limit, message_view, place_of)

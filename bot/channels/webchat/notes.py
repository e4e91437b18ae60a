"""Notes between processes that a visitor's messages changed. Nobody relies on them: pages ask the database too."""

import json
from dataclasses import dataclass
from uuid import UUID

from crm.webchat.types import ChatMessage, Visitor

from .courtesy import Courtesy

CHANNEL = "siyu:webchat"


@dataclass(frozen=True)
class Note:
    """This message of this visitor is new or edited; `origin` is the connection that need not be told."""

    visitor: Visitor
    message_id: UUID
    origin: str | None


async def publish(courtesy: Courtesy, message: ChatMessage, *, origin: str | None = None) -> None:
    """Tell every process; that Valkey is away is no failure."""
    visitor = message.visitor
    data = {"bot": visitor.bot_id, "address": visitor.address, "id": str(message.id), "origin": origin}
    await courtesy.ask(lambda valkey: valkey.publish(CHANNEL, json.dumps(data)))


def read(data: bytes) -> Note | None:
    """The note in what came; None when it is none of ours."""
    try:
        found = json.loads(data)
        visitor = Visitor(int(found["bot"]), str(found["address"]))
        return Note(visitor, UUID(found["id"]), found.get("origin"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

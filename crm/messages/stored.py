"""Contents of messages as they are stored."""

from typing import Any

from pydantic import TypeAdapter

from crm.messages.types import MessageContent

CONTENT: TypeAdapter[MessageContent] = TypeAdapter(MessageContent)


def content_of(value: Any) -> MessageContent:
    """The content that the stored JSON describes."""
    return CONTENT.validate_python(value)


def content_json(content: MessageContent) -> Any:
    """`content` as JSON, to be stored."""
    return CONTENT.dump_python(content, mode="json")

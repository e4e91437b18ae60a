"""Contents of messages as they are stored; they were validated when they came in."""

from typing import Any

from crm.kit.shapes import plain, read
from crm.messages.types import MessageContent


def content_of(value: Any) -> MessageContent:
    """The content that the stored JSON describes."""
    return read(MessageContent, value)


def content_json(content: MessageContent) -> Any:
    """`content` as JSON, to be stored."""
    return plain(content)

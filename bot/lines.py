"""The lines of the transcript that a turn makes."""

from collections.abc import Sequence

from bot.router import Heard
from crm.conversations.types import Direction, NewMessage
from crm.messages.types import ChannelTraits, Outbound


def as_line(heard: Heard) -> NewMessage:
    """What the member sent."""
    given = heard.given
    text = given.text or given.data or ""
    if given.contact is not None:
        text = given.contact.phone
    elif given.location is not None:
        text = f"{given.location.latitude}, {given.location.longitude}"
    return NewMessage(Direction.IN, given.kind.value, text, is_cut=heard.is_cut)


def as_lines(messages: Sequence[Outbound], traits: ChannelTraits) -> list[NewMessage]:
    """The lines of the transcript that they make; `kind` says whether the text is limited HTML."""
    kind = "html" if traits.has_html else "text"
    return [
        NewMessage(
            Direction.OUT,
            kind,
            message.text_html,
            buttons=[button.label for row in message.buttons for button in row],
            photo_media_id=message.photo_media_id,
        )
        for message in messages
    ]

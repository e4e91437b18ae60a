"""What a message is on its way to a channel: neutral values that every channel can show, richly or as plain text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Button:
    """A button under a message: either `data` that comes back when tapped (<= 64 bytes), or a `url` to open."""

    label: str
    data: str | None = None
    url: str | None = None


Buttons = tuple[tuple[Button, ...], ...]
"""Rows of buttons."""


class Request(StrEnum):
    """What a message asks the member's device to share, where the channel can."""

    CONTACT = "contact"
    LOCATION = "location"


@dataclass(frozen=True)
class ChannelTraits:
    """What a channel can show. Lengths are in UTF-16 units of the text without markup."""

    name: str
    max_text: int = 4096
    max_caption: int = 1024
    has_buttons: bool = True
    has_html: bool = True
    has_photos: bool = True
    has_menu: bool = True
    has_edit: bool = True


@dataclass(frozen=True)
class RenderedFlow:
    """A flow's template for one member. `labels` names the options of its question; `menu` is the persistent one."""

    text_html: str
    buttons: Buttons = ()
    photo_media_id: UUID | None = None
    menu: tuple[tuple[str, ...], ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outbound:
    """One message as it is handed to a channel. `edit_ref` names the earlier message that it replaces, if it can."""

    text_html: str
    buttons: Buttons = ()
    photo_media_id: UUID | None = None
    menu: tuple[tuple[str, ...], ...] | None = None
    request: Request | None = None
    edit_ref: str | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values, to be stored with a delivery."""
        return dict(_OUTBOUND.dump_python(self, mode="json"))

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Outbound":
        """The message that `as_json` described."""
        return _OUTBOUND.validate_python(value)


_OUTBOUND = TypeAdapter(Outbound)

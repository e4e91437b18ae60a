"""Public values of messages: what channels can do, what operators write, what is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from crm.kit.shapes import plain, read


class Request(StrEnum):
    """What a message asks the member's device to share, where the channel can."""

    CONTACT = "contact"
    LOCATION = "location"


@dataclass(frozen=True)
class ChannelTraits:
    """What a channel can show. Only text is required; everything richer falls back to text."""

    name: str
    max_text: int = 4096
    """UTF-16 units after the markup is taken away."""
    max_caption: int = 1024
    max_buttons: int = 100
    max_buttons_per_row: int = 8
    has_html: bool = True
    """Understands the limited HTML: b, i, u, s, code, pre, a."""
    has_buttons: bool = True
    has_photos: bool = True
    has_menu: bool = True
    """Can keep a persistent menu below the input."""
    has_edit: bool = True
    chat_gap: float = 1.0
    """Seconds between two messages to one person; 0 where the channel does not mind."""
    group_gap: float = 60 / 18
    """The same in a group chat, whose address is a negative number."""
    replies_per_second: float = 30.0
    """How many answers of one bot the channel takes beside its broadcasts."""
    long_text: int | None = 500
    """Characters from which on a message weighs more than one; None where every message weighs the same."""
    paid_rate: float = 0.0
    """Messages a second that a broadcast may reach for a fee; 0 where none is offered."""


@dataclass(frozen=True)
class Button:
    """A button under a message: either `data` that comes back when tapped (<= 64 bytes), or a `url` to open."""

    label: str
    data: str | None = None
    url: str | None = None


Buttons = tuple[tuple[Button, ...], ...]
"""Rows of buttons."""


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
    """One message as it is handed to a channel, neutral: limited HTML, buttons, perhaps a picture."""

    text_html: str
    buttons: Buttons = ()
    photo_media_id: UUID | None = None
    menu: tuple[tuple[str, ...], ...] | None = None
    """Labels of the persistent menu to show from now on; None leaves it as it is."""
    request: Request | None = None
    request_label: str | None = None
    """What the key that shares is called, in plain text."""
    edit_ref: str | None = None
    """Names the earlier message of ours that this one replaces, if the channel can."""
    protect: bool = False
    """Not to be forwarded, e.g. a voucher."""
    silent: bool = False

    def as_json(self) -> dict[str, Any]:
        """JSON values, to be stored with a delivery."""
        return dict(plain(self))

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Outbound":
        """The message that `as_json` described."""
        return read(Outbound, value)


@dataclass(frozen=True)
class ButtonSpec:
    """A button as an operator writes it: a label, and one of `url`, `opens` or `tag`.

    `opens` names a flow, `survey:KEY` or `activity:ID`. `tag` may stand beside `opens`: the tap does both.
    """

    label: dict[str, str]
    url: str | None = None
    opens: str | None = None
    tag: str | None = None


@dataclass(frozen=True)
class MessageContent:
    """A message as an operator writes it: template text by locale, buttons in rows, perhaps a picture."""

    text: dict[str, str]
    buttons: list[list[ButtonSpec]] = field(default_factory=list)
    photo_media_id: UUID | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with a template, and where."""

    text: str
    line: int = 1
    place: str = "text"
    """Path inside the content, e.g. `text.en` or `buttons.0.1.label.en`."""


@dataclass(frozen=True)
class Recipient:
    """The plain values that an operator's template may use: no object that does anything."""

    locale: str
    member: dict[str, Any]
    """name, points, tier, streak, tags (list of str), attributes (dict)."""
    brand: dict[str, Any]
    """name."""
    trigger: dict[str, Any] = field(default_factory=dict)
    """What a journey began with; empty elsewhere."""

    def values(self) -> dict[str, Any]:
        """The template's context."""
        return {"member": self.member, "brand": self.brand, "trigger": self.trigger}


Rendered = Outbound
"""Another name for a message that is ready to go."""

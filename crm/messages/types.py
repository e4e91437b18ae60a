"""Public values of messages: what channels can do, what operators write, what is sent."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class ChannelTraits:
    """What a channel can show. Only text is required; everything richer falls back to text."""

    name: str
    max_text: int = 4096
    """UTF-16 units after the markup is taken away."""
    max_caption: int = 1024
    max_buttons: int = 100
    max_buttons_per_row: int = 8
    has_markup: bool = True
    """Understands the limited HTML: b, i, u, s, code, pre, a."""
    has_buttons: bool = True
    has_photos: bool = True
    has_menu: bool = True
    """Can keep a persistent menu below the input."""
    can_edit: bool = True
    can_request_contact: bool = False


@dataclass(frozen=True)
class Button:
    """One button: `data` comes back when it is tapped, `url` opens a page; exactly one of them is set."""

    label: str
    data: str | None = None
    url: str | None = None
    asks_contact: bool = False
    """The tap shares the person's own phone number (reply keyboards only)."""


@dataclass(frozen=True)
class Rendered:
    """A message as it goes to a channel. `text` is limited HTML when the channel has markup, else plain."""

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    photo_media_id: UUID | None = None
    menu: tuple[tuple[str, ...], ...] | None = None
    """Labels of the persistent menu to show from now on; None leaves it as it is."""
    reply_keyboard: tuple[tuple[Button, ...], ...] | None = None
    """One-time keyboard below the input, e.g. to share a contact."""
    edits: str | None = None
    """Reference of an earlier message of ours that this one replaces, where the channel can."""
    protect: bool = False
    """Not to be forwarded, e.g. a voucher."""
    silent: bool = False


@dataclass(frozen=True)
class ButtonSpec:
    """A button as an operator writes it: a label, and one of `url`, `opens` (a flow or `survey:KEY`) or `tag`.

    `tag` may stand beside `opens`: the tap does both.
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

    def values(self) -> dict[str, Any]:
        """The template's context."""
        return {"member": self.member, "brand": self.brand}

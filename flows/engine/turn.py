"""One input being handled: who sent it, what time it is, and what is said in answer."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.types import Conversation
from crm.events.types import Event
from crm.kit.text import utf16_length
from crm.members.types import Contact, Member
from crm.messages.types import ChannelTraits, Outbound, RenderedFlow
from flows.engine.inputs import Input


class Renderer(Protocol):
    """What makes texts of templates; `crm.messages.service.render_flow` is the one that is shipped."""

    def __call__(
        self, session: AsyncSession, name: str, locale: str, values: dict[str, Any], traits: ChannelTraits, /
    ) -> Awaitable[RenderedFlow]:
        """The template in the locale, as the channel can show it."""
        ...


@dataclass
class Turn:
    """What the steps of one turn share."""

    session: AsyncSession
    contact: Contact
    conversation: Conversation
    given: Input | None
    now: datetime
    traits: ChannelTraits
    render_with: Renderer
    said: list[Outbound] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    locale: str = ""
    member_id: int = 0

    def __post_init__(self) -> None:
        self.locale = self.contact.member.locale
        self.member_id = self.contact.member.id

    async def render(self, template: str, **values: Any) -> RenderedFlow:
        """A template in the member's language."""
        return await self.render_with(self.session, template, self.locale, values, self.traits)

    async def say(self, template: str, **values: Any) -> None:
        """Say a template."""
        self.said.append(as_outbound(await self.render(template, **values)))

    def notice(self, result: Any) -> None:
        """Go on with what a step changed about the member: language, or who it is after a merge."""
        if isinstance(result, Member):
            self.locale = result.locale
        kept = getattr(result, "kept_member_id", None)
        if isinstance(kept, int):
            self.member_id = kept


def as_outbound(rendered: RenderedFlow) -> Outbound:
    """What was rendered, ready to be joined with more."""
    return Outbound(rendered.text_html, rendered.buttons, rendered.photo_media_id, rendered.menu)


def in_messages(said: Sequence[Outbound], traits: ChannelTraits) -> list[Outbound]:
    """What was said in one turn as few messages as possible: texts joined, a picture on its own."""
    messages: list[Outbound] = []
    for piece in said:
        if messages and _fits(messages[-1], piece, traits):
            messages[-1] = _joined(messages[-1], piece)
        else:
            messages.append(piece)
    return messages


def _fits(first: Outbound, second: Outbound, traits: ChannelTraits) -> bool:
    if first.photo_media_id or second.photo_media_id or _has_two_keyboards(first, second):
        return False
    return utf16_length(first.text_html) + utf16_length(second.text_html) + 2 <= traits.max_text


def _has_two_keyboards(first: Outbound, second: Outbound) -> bool:
    """Many channels have room for one keyboard in a message: the menu, or what the message itself offers."""
    one, other = (bool(item.buttons or item.request) for item in (first, second))
    return (first.menu is not None and other) or (second.menu is not None and one)


def _joined(first: Outbound, second: Outbound) -> Outbound:
    return replace(
        first,
        text_html="\n\n".join(part for part in (first.text_html.strip(), second.text_html.strip()) if part),
        buttons=first.buttons + second.buttons,
        menu=second.menu or first.menu,
        request=second.request or first.request,
        request_label=second.request_label or first.request_label,
        edit_ref=second.edit_ref or first.edit_ref,
        protect=first.protect or second.protect,
        silent=first.silent and second.silent,
    )

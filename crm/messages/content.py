"""Operators' messages: checked when saved, compiled once, rendered per recipient by one function for all uses."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from jinja2 import Template, TemplateError

from crm.kit.text import utf16_length
from crm.messages import allow_list
from crm.messages.allow_list import NOTHING_MORE, Known
from crm.messages.environment import OPERATOR, compiled
from crm.messages.markup import escape_stray, tag_problems, to_plain, visible
from crm.messages.types import Button, ButtonSpec, ChannelTraits, MessageContent, Outbound, Problem, Recipient

_MAX_LABEL = 64
_URL_SCHEMES = ("https://", "http://", "tg://")
_NOTHING = {"name": "", "points": 0, "tier": "", "streak": 0, "tags": [], "attributes": {}, "locale": "en"}
_LEAST = Recipient("en", _NOTHING, {"name": ""})
"""A member of whom nothing is known: a text that can be rendered for them can be rendered for all."""


def tidy(content: MessageContent) -> MessageContent:
    """The content as it is stored: stray signs escaped, blank ends cut, empty languages left out."""
    text = {locale: escape_stray(source.strip()) for locale, source in content.text.items() if source.strip()}
    return replace(content, text=text)


def problems(content: MessageContent, more: Known = NOTHING_MORE) -> Iterator[Problem]:
    """Everything that is wrong with a content, with its place; `more` are variables that it may use besides."""
    if not any(source.strip() for source in content.text.values()):
        yield Problem("A message needs a text in at least one language.")
    for locale, source in content.text.items():
        place = f"text.{locale}"
        found = [*_source_problems(source, more), *tag_problems(source)]
        yield from (replace(problem, place=place) for problem in found)
    for row_number, row in enumerate(content.buttons):
        for number, spec in enumerate(row):
            yield from _button_problems(spec, content, f"buttons.{row_number}.{number}", more)


def _source_problems(source: str, more: Known) -> list[Problem]:
    found = allow_list.problems_of(OPERATOR, source, more)
    if found:
        return found
    try:
        compiled(source).render({**_LEAST.values(), "locale": _LEAST.locale})
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        return [
            Problem(f"This fails for a member who lacks a value: {error}. Use default(…), as in member.x|default(0).")
        ]
    return []


def _button_problems(spec: ButtonSpec, content: MessageContent, place: str, more: Known) -> Iterator[Problem]:
    if not spec.label or any(not label.strip() for label in spec.label.values()):
        yield Problem("A button needs a label.", place=place)
    for locale in content.text.keys() - spec.label.keys():
        if len(spec.label) > 1:
            yield Problem(f"The button has no label in {locale}.", place=place)
    for locale, label in spec.label.items():
        if utf16_length(label) > _MAX_LABEL:
            yield Problem(f"A label has {_MAX_LABEL} characters at most.", place=f"{place}.label.{locale}")
        for problem in _source_problems(label, more):
            yield replace(problem, place=f"{place}.label.{locale}")
    if spec.url and (spec.opens or spec.tag):
        yield Problem("A button opens a page or does something in the chat, not both.", place=place)
    if not (spec.url or spec.opens or spec.tag):
        yield Problem("A button needs a url, a conversation to open, or a tag.", place=place)
    if spec.url and (not spec.url.startswith(_URL_SCHEMES) or " " in spec.url or "{" in spec.url):
        yield Problem("The address must start with https:// and have no blanks.", place=f"{place}.url")


@dataclass(frozen=True)
class CompiledContent:
    """A content made ready for one source: rendering needs the recipient's plain values only."""

    texts: dict[str, Template]
    labels: tuple[tuple[tuple[dict[str, Template], ButtonSpec], ...], ...]
    content: MessageContent
    tap_prefix: str
    default_locale: str

    def render(self, recipient: Recipient, traits: ChannelTraits) -> Outbound:
        """The message for one recipient: what a preview shows is what is sent."""
        values: dict[str, Any] = {**recipient.values(), "locale": recipient.locale}
        text = _pick(self.texts, recipient.locale, self.default_locale).render(values).strip()
        rows = tuple(
            tuple(self._button(labels, spec, (row, column), values) for column, (labels, spec) in enumerate(line))
            for row, line in enumerate(self.labels)
        )
        return adapt(Outbound(text, rows, self.content.photo_media_id), traits)

    def _button(
        self, labels: dict[str, Template], spec: ButtonSpec, at: tuple[int, int], values: dict[str, Any]
    ) -> Button:
        label = visible(_pick(labels, values["locale"], self.default_locale).render(values))
        if spec.url:
            return Button(label, url=spec.url)
        return Button(label, data=f"{self.tap_prefix}:{at[0]}.{at[1]}")


def compile_content(content: MessageContent, *, tap_prefix: str, default_locale: str) -> CompiledContent:
    """Make `content` ready; taps of its buttons come back as `<tap_prefix>:<row>.<column>`."""
    return CompiledContent(
        {locale: compiled(source) for locale, source in content.text.items()},
        tuple(
            tuple(({locale: compiled(label) for locale, label in spec.label.items()}, spec) for spec in row)
            for row in content.buttons
        ),
        content,
        tap_prefix,
        default_locale,
    )


def button_at(content: MessageContent, place: str) -> ButtonSpec | None:
    """The button that a tap's `row.column` names; None when there is no such one."""
    row, _, column = place.partition(".")
    if not (place.isascii() and row.isdigit() and column.isdigit()) or int(row) >= len(content.buttons):
        return None
    buttons = content.buttons[int(row)]
    return buttons[int(column)] if int(column) < len(buttons) else None


def _pick(texts: dict[str, Template], locale: str, default_locale: str) -> Template:
    return texts.get(locale) or texts.get(default_locale) or next(iter(texts.values()))


def adapt(message: Outbound, traits: ChannelTraits) -> Outbound:
    """The message as the channel can show it: markup and buttons fall back to text."""
    if not traits.has_html:
        message = replace(message, text_html=to_plain(message.text_html))
    return reduced(message, traits)


def reduced(message: Outbound, traits: ChannelTraits) -> Outbound:
    """The message without what the channel lacks, its text being written for the channel already."""
    if message.buttons and not traits.has_buttons:
        lines = [
            f"{button.label}: {button.url}" if button.url else button.label for row in message.buttons for button in row
        ]
        shown = [escape(line, quote=False) for line in lines] if traits.has_html else lines
        message = replace(message, text_html="\n".join([message.text_html, "", *shown]), buttons=())
    if not traits.has_photos and message.photo_media_id is not None:
        message = replace(message, photo_media_id=None)
    if not traits.has_menu and message.menu is not None:
        message = replace(message, menu=None)
    return message


def fits(message: Outbound, traits: ChannelTraits) -> bool:
    """Whether the channel takes the message as one."""
    most = traits.max_caption if message.photo_media_id is not None else traits.max_text
    text = visible(message.text_html) if traits.has_html else message.text_html
    return 0 < utf16_length(text) <= most or (not text and message.photo_media_id is not None)

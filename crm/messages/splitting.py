"""Texts that are longer than a channel takes, cut into pieces that each stand for themselves; pure.

A cut lies between paragraphs, else lines, sentences or words, and never inside a visible character, an entity or a
tag. Formatting that is open at a cut is closed there and opened again in the next piece.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import accumulate

from crm.kit.text import graphemes, utf16_length
from crm.messages.markup import TAGS, visible
from crm.messages.types import ChannelTraits, Outbound

_TOKEN = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][\w-]*)[^<>]*>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});|.", re.DOTALL
)
_STOPS = ".!?…。！？"
_WIDE_STOPS = "。！？"
_WIDE_PAUSES = "，、；："
_CLOSERS = "\"'”’)]»」』）"
_NOT_FIRST = _STOPS + _CLOSERS
_KEPT_WHOLE = frozenset({"a", "code"})
"""What reads badly in halves: cut outside of it where that is possible."""


@dataclass(frozen=True)
class _Tag:
    at: int
    """The number of the sign before which it stands."""
    raw: str
    name: str
    is_closing: bool


@dataclass
class _Text:
    """A text as its visible signs and the tags between them."""

    seen: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    tags: list[_Tag] = field(default_factory=list)


def pieces(message: Outbound, traits: ChannelTraits, *, room: int = 0) -> list[Outbound]:
    """The message as one or more that the channel takes, in order; `room` UTF-16 units are left free in each.

    A text that is too long for a caption follows its picture. The first one carries picture and edit, the last one
    buttons, menu and request.
    """
    if not is_too_long(message, traits, room):
        return [message]
    texts = cut(message.text_html, traits.max_text - room, has_html=traits.has_html)
    if message.photo_media_id is not None or not texts:
        texts = ["", *texts]
    last = len(texts) - 1
    return [_piece(message, text, is_first=number == 0, is_last=number == last) for number, text in enumerate(texts)]


def is_too_long(message: Outbound, traits: ChannelTraits, room: int = 0) -> bool:
    """Whether the channel does not take the text with this message as one."""
    most = (traits.max_caption if message.photo_media_id is not None else traits.max_text) - room
    text = message.text_html
    if 2 * len(text) <= most:
        return False
    return utf16_length(visible(text) if traits.has_html else text) > most


def _piece(message: Outbound, text: str, *, is_first: bool, is_last: bool) -> Outbound:
    message = replace(message, text_html=text)
    if not is_first:
        message = replace(message, photo_media_id=None, edit_ref=None)
    return message if is_last else replace(message, buttons=(), menu=None, request=None, request_label=None)


def cut(text: str, most: int, *, has_html: bool = True) -> list[str]:
    """`text` in pieces of at most `most` UTF-16 units after their markup is taken away; none that is blank."""
    if most < 2:  # noqa: PLR2004 - one sign may need a surrogate pair
        raise ValueError("a piece needs room for a character")
    parsed = _parse(text) if has_html else _Text(list(text), list(text))
    writer = _Writer(parsed)
    found = []
    for start, end in _ranges(parsed, most):
        piece = writer.write(start, end)
        if not _is_blank(parsed.seen, start, end):
            found.append(piece)
    return found


def _parse(markup: str) -> _Text:
    text = _Text()
    for token in _TOKEN.finditer(markup):
        raw, name = token.group(), (token.group("name") or "").lower()
        if name in TAGS:
            text.tags.append(_Tag(len(text.seen), raw, name, bool(token.group("close"))))
        elif not name and (sign := unescape(raw)):
            text.seen.append(sign)
            text.raw.append(raw)
    return text


def _ranges(text: _Text, most: int) -> Iterator[tuple[int, int]]:
    """From which sign to which each piece goes."""
    lengths = [0, *accumulate(utf16_length(sign) for sign in text.seen)]
    whole, guarded = _starts_of_graphemes(text.seen), _guarded(text)
    start, size = 0, len(text.seen)
    while start < size:
        end = bisect_right(lengths, lengths[start] + most) - 1
        if end < size:
            end = _best_cut(text.seen, start, max(end, start + 1), whole, guarded)
        yield start, end
        start = end


def _starts_of_graphemes(seen: list[str]) -> set[int]:
    """The numbers of the signs before which a visible character begins."""
    begins = set(accumulate((len(cluster) for cluster in graphemes("".join(seen))), initial=0))
    return {number for number, at in enumerate(accumulate(map(len, seen), initial=0)) if at in begins}


def _guarded(text: _Text) -> set[int]:
    """The numbers of the signs before which a link or code is open."""
    inside: set[int] = set()
    opened: list[int] = []
    for tag in text.tags:
        if tag.name not in _KEPT_WHOLE:
            continue
        if not tag.is_closing:
            opened.append(tag.at)
        elif opened:
            inside.update(range(opened.pop() + 1, tag.at))
    return inside


def _best_cut(seen: list[str], start: int, end: int, whole: set[int], guarded: set[int]) -> int:
    """The last good place after `start`, at `end` at the latest."""
    for forbidden in (guarded, frozenset[int]()):
        for is_good in _LEVELS:
            for at in range(end, start, -1):
                if at in whole and at not in forbidden and is_good(seen, at):
                    return at
    # Not even one visible character fits: marks without end.
    return next((at for at in range(end, start, -1) if at in whole), end)


def _after_paragraph(seen: list[str], at: int) -> bool:
    if not _after_line(seen, at):
        return False
    before = at - 2
    while before >= 0 and seen[before] in " \t\r":
        before -= 1
    return before >= 0 and seen[before] == "\n"


def _after_line(seen: list[str], at: int) -> bool:
    return seen[at - 1] == "\n" and seen[at] != "\n"


def _after_sentence(seen: list[str], at: int) -> bool:
    before, stops = at - 1, _WIDE_STOPS
    if seen[before].isspace():
        stops = _STOPS
        while before > 0 and seen[before].isspace():
            before -= 1
    if seen[at].isspace() or seen[at] in _NOT_FIRST:
        return False
    while before > 0 and seen[before] in _CLOSERS:
        before -= 1
    return seen[before] in stops


def _after_word(seen: list[str], at: int) -> bool:
    return (seen[at - 1].isspace() and not seen[at].isspace()) or seen[at - 1] in _WIDE_PAUSES


_LEVELS: tuple[Callable[[list[str], int], bool], ...] = (_after_paragraph, _after_line, _after_sentence, _after_word)


def _is_blank(seen: list[str], start: int, end: int) -> bool:
    return all(sign.isspace() for sign in seen[start:end])


class _Writer:
    """Writes one piece after the other; knows which tags are open."""

    def __init__(self, text: _Text) -> None:
        self._text = text
        self._tags = iter(text.tags)
        self._next = next(self._tags, None)
        self._open: list[_Tag] = []

    def write(self, start: int, end: int) -> str:
        """The signs from `start` to before `end`, with balanced tags around them."""
        written = [tag.raw for tag in self._open]
        for number in range(start, end):
            self._take_tags(number, written)
            written.append(self._text.raw[number])
        self._take_tags(end, written, only_closing=end < len(self._text.seen))
        written += [f"</{tag.name}>" for tag in reversed(self._open)]
        return "".join(written)

    def _take_tags(self, at: int, written: list[str], *, only_closing: bool = False) -> None:
        while self._next is not None and self._next.at <= at and (self._next.is_closing or not only_closing):
            self._take(self._next, written)
            self._next = next(self._tags, None)

    def _take(self, tag: _Tag, written: list[str]) -> None:
        if not tag.is_closing:
            self._open.append(tag)
        elif self._open and self._open[-1].name == tag.name:
            self._open.pop()
        else:
            return
        written.append(tag.raw)

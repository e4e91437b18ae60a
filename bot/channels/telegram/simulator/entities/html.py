"""The HTML parse mode: which tags exist, what they become, and how a mistake is reported.

Offsets in messages are byte offsets in the UTF-8 source, offsets in entities are UTF-16 units.
"""

import html
import re
from dataclasses import dataclass, field

from bot.channels.telegram.simulator.errors import BotApiError, bad_request
from bot.channels.telegram.simulator.json_types import Json

from .utf16 import utf16_length

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_KNOWN = {*_SIMPLE, "a", "span", "tg-emoji"}
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_NAME = re.compile(r"[^\s>/]*")
_ATTRIBUTE = re.compile(
    r"\s*(?P<name>[^\s=>/\"']+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<bare>[^\s>\"']+)))?"
)
_LINK = re.compile(r"\A(?:https?|tg|ton|mailto|tel)[:]\S+\Z|\A[\w-]+(?:\.[\w-]+)+(?:[/?#]\S*)?\Z")
_MENTION = re.compile(r"\Atg://user\?id=(\d+)\Z")


@dataclass(slots=True)
class _Open:
    name: str
    attributes: dict[str, str]
    offset: int


@dataclass(slots=True)
class _Parsed:
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    entities: list[Json] = field(default_factory=list)
    open_tags: list[_Open] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.length += utf16_length(text)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Turn HTML into plain text and its entities.

    Raises the 400 "can't parse entities" with the place of the first mistake.
    """
    if "<" not in source:
        return _unescape(source), []
    parsed = _Parsed()
    position = 0
    while (start := source.find("<", position)) != -1:
        parsed.add(_unescape(source[position:start]))
        position = _close(parsed, source, start) if source.startswith("/", start + 1) else _open(parsed, source, start)
    parsed.add(_unescape(source[position:]))
    if parsed.open_tags:
        name = parsed.open_tags[-1].name
        raise _mistake(f'Can\'t find end tag corresponding to start tag "{name}"')
    return "".join(parsed.pieces), _without_nested_code(parsed.entities)


def _mistake(what: str) -> BotApiError:
    return bad_request(f"can't parse entities: {what}")


def _byte(source: str, position: int) -> int:
    return len(source[:position].encode())


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    return _REFERENCE.sub(lambda match: html.unescape(match.group()), text)


def _open(parsed: _Parsed, source: str, start: int) -> int:
    name_match = _NAME.match(source, start + 1)
    name = name_match.group().lower() if name_match else ""
    if name not in _KNOWN:
        raise _mistake(f'Unsupported start tag "{name}" at byte offset {_byte(source, start)}')
    attributes, end = _attributes(source, start, start + 1 + len(name), name)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _mistake(f'Tag "span" must have class "tg-spoiler" at byte offset {_byte(source, start)}')
    parsed.open_tags.append(_Open(name, attributes, parsed.length))
    return end


def _attributes(source: str, start: int, position: int, name: str) -> tuple[dict[str, str], int]:
    attributes: dict[str, str] = {}
    while True:
        while position < len(source) and source[position].isspace():
            position += 1
        if position >= len(source):
            raise _mistake(f"Unclosed start tag at byte offset {_byte(source, start)}")
        if source[position] == ">":
            return attributes, position + 1
        match = _ATTRIBUTE.match(source, position)
        if match is None:
            raise _mistake(f'Empty attribute name in the tag "{name}" at byte offset {_byte(source, start)}')
        value = match["double"] or match["single"] or match["bare"] or ""
        attributes[match["name"].lower()] = _unescape(value)
        position = match.end()


def _close(parsed: _Parsed, source: str, start: int) -> int:
    end = source.find(">", start)
    if end == -1:
        raise _mistake(f"Unclosed end tag at byte offset {_byte(source, start)}")
    name = source[start + 2 : end].strip().lower()
    if not parsed.open_tags:
        raise _mistake(f"Unexpected end tag at byte offset {_byte(source, start)}")
    opened = parsed.open_tags.pop()
    if name and name != opened.name:
        raise _mistake(
            f'Unmatched end tag at byte offset {_byte(source, start)}, expected "</{opened.name}>", found "</{name}>"'
        )
    entity = _entity(opened, "".join(parsed.pieces)) if parsed.length > opened.offset else None
    if entity is not None:
        place = {"offset": opened.offset, "length": parsed.length - opened.offset}
        parsed.entities.append({**place, **entity})
    return end + 1


def _entity(tag: _Open, text: str) -> Json | None:
    match tag.name:
        case "a":
            inner = text.encode("utf-16-le")[tag.offset * 2 :].decode("utf-16-le")
            return _link(tag.attributes.get("href") or inner)
        case "span":
            return {"type": "spoiler"}
        case "tg-emoji":
            return {"type": "custom_emoji", "custom_emoji_id": tag.attributes.get("emoji-id", "")}
        case "blockquote" if "expandable" in tag.attributes:
            return {"type": "expandable_blockquote"}
        case "code" if tag.attributes.get("class", "").startswith("language-"):
            return {"type": "code", "language": tag.attributes["class"].removeprefix("language-")}
        case _:
            return {"type": _SIMPLE[tag.name]}


def _link(target: str) -> Json | None:
    mention = _MENTION.match(target)
    if mention:
        user = {"id": int(mention.group(1)), "is_bot": False, "first_name": ""}
        return {"type": "text_mention", "user": user}
    if not _LINK.match(target):
        return None
    return {"type": "text_link", "url": target if ":" in target else f"http://{target}/"}


def _without_nested_code(entities: list[Json]) -> list[Json]:
    """A code block inside a pre block of the same extent only names the pre's language."""
    blocks = {(e["offset"], e["length"]): e for e in entities if e["type"] == "pre"}
    kept: list[Json] = []
    for entity in entities:
        block = blocks.get((entity["offset"], entity["length"]))
        if entity["type"] == "code":
            language = entity.pop("language", None)
            if block is not None:
                if language:
                    block["language"] = language
                continue
        kept.append(entity)
    return sorted(kept, key=lambda e: (e["offset"], -e["length"]))

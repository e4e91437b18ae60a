"""Entities that nobody marks up: commands, mentions, hashtags, links and email addresses."""

import re
from collections.abc import Iterator

from bot.channels.telegram.simulator.json_types import Json

from .utf16 import utf16_length

_HINT = re.compile(r"[/@#.]")
_FINDERS = (
    ("url", re.compile(r"(?<![\w@])(?:https?://[^\s<>\"]+|(?:www\.)[\w-]+\.[^\s<>\"]+)")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("bot_command", re.compile(r"(?<![\w/<>@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b")),
    ("mention", re.compile(r"(?<![\w@.])@[A-Za-z][A-Za-z0-9_]{3,31}\b")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}")),
)


def detect_entities(text: str, marked: list[Json]) -> list[Json]:
    """All entities in order: the marked ones and those found where nothing is marked."""
    if not _HINT.search(text):
        return marked
    found = [*marked, *_found(text)]
    accepted = list(marked)
    for entity in found[len(marked) :]:
        clash = (e for e in accepted if e["type"] not in {"bold", "italic", "underline"})
        if not any(_overlap(entity, other) for other in clash):
            accepted.append(entity)
    return sorted(accepted, key=lambda e: (e["offset"], -e["length"]))


def _found(text: str) -> Iterator[Json]:
    for kind, pattern in _FINDERS:
        for match in pattern.finditer(text):
            matched = match.group().rstrip(".,;:!?)\"'") if kind == "url" else match.group()
            offset = utf16_length(text[: match.start()])
            yield {"type": kind, "offset": offset, "length": utf16_length(matched)}


def _overlap(one: Json, other: Json) -> bool:
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])

"""A text as the server stores it: parsed, cleaned, trimmed, measured."""

from typing import Any

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.parameters import Parameters

from .detect import detect_entities
from .html import parse_html
from .utf16 import utf16_length

_CLEANED = {code: " " for code in range(32) if code not in {9, 10, 13}} | {13: None}
_OTHER_MODES = {"markdown", "markdownv2"}


def formatted(parameters: Parameters, name: str, entities_name: str) -> tuple[str, list[Json]]:
    """The text parameter `name` with its entities, by parse mode or as given in `entities_name`.

    Raises a 400 for a bad encoding, an unknown parse mode or broken markup.
    """
    raw = clean(parameters.text(name))
    mode = parameters.text("parse_mode").strip().lower()
    if mode == "html":
        text, marked = parse_html(raw)
    elif mode in _OTHER_MODES:
        raise bad_request("unsupported parse_mode: the simulator speaks HTML only")
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        text, marked = raw, _given(parameters.sequence(entities_name))
    text, marked = trimmed(text, marked)
    return text, detect_entities(text, marked)


def clean(text: str) -> str:
    """Replace control characters, as the real server does; refuse what is no Unicode text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    return text.translate(_CLEANED)


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Cut white space at both ends and fit the entities to what is left."""
    start = len(text) - len(text.lstrip())
    shift = utf16_length(text[:start])
    text = text.strip()
    limit = utf16_length(text)
    fitted = []
    for entity in entities:
        begin = max(entity["offset"] - shift, 0)
        end = min(entity["offset"] + entity["length"] - shift, limit)
        if end > begin:
            fitted.append({**entity, "offset": begin, "length": end - begin})
    return text, fitted


def _given(raw: list[Any] | None) -> list[Json]:
    for entity in raw or ():
        numbers = isinstance(entity, dict) and all(isinstance(entity.get(name), int) for name in ("offset", "length"))
        if not numbers or not isinstance(entity.get("type"), str):
            raise bad_request("can't parse entities: an entity needs type, offset and length")
    return list(raw or ())

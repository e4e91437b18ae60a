"""Parameters that are lists, so that the rows of several callers can follow one another in one statement."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson


class Rows(list[Mapping[str, Any]]):
    """JSON objects that the driver is given as one text: of an array it looks at every item several times."""


def encoded(arguments: Sequence[Any]) -> list[Any]:
    """As the driver takes them."""
    return [_text(value) if isinstance(value, Rows) else value for value in arguments]


def one_after_another(given: Sequence[Sequence[Any]]) -> list[Any]:
    """Of callers whose arguments are lists: the list of all their items, for each argument."""
    return [type(column[0])(item for part in column for item in part) for column in zip(*given, strict=True)]


def _text(value: Rows) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # a number beyond 64 bits, which an outside program may well send
        return json.dumps(value, ensure_ascii=False, default=str)

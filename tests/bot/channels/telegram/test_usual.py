"""Both readers of updates give equal inputs, or the quick one leaves it to the other."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from aiogram.types import Update
from pydantic import ValidationError

from bot.channels.telegram.reading import read_update
from bot.channels.telegram.usual import read_usual
from bot.types import InboundInput

Json = dict[str, Any]
PERSON: Json = {
    "id": 7,
    "is_bot": False,
    "first_name": "Hua",
    "last_name": "Li",
    "username": "hua",
    "language_code": "zh",
}
CHAT: Json = {"id": 7, "type": "private", "first_name": "Hua", "last_name": "Li", "username": "hua"}
MESSAGE: Json = {"message_id": 3, "date": 1_790_000_000, "chat": CHAT, "from": PERSON, "text": "hello"}
TAP: Json = {"id": "99", "from": PERSON, "chat_instance": "1", "data": "1:s:check_in", "message": MESSAGE}
ODD: list[Any] = [None, True, 0, -1, 5, 2**40, 1.5, "", "5", "private", "group", [], {}, [{}], {"id": 1}]
"""What a place may hold instead of what is usual there."""


def _full(update: Json) -> InboundInput | type[Exception] | None:
    try:
        return read_update(1, Update.model_validate(update))
    except ValidationError:
        return ValidationError


def _places(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        yield (*path, name)
        if isinstance(inner, dict):
            yield from _places(inner, (*path, name))


def _with(update: Json, path: tuple[str, ...], value: Any) -> Json:
    changed = copy.deepcopy(update)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    "text", ["hello", "/checkin", "/start", "/start abc_1", "/START@bot x y", "", "\x00\ud800", "签到 🎉"]
)
def test_texts_are_read_alike(text: str) -> None:
    update = {"update_id": 1, "message": {**MESSAGE, "text": text}}
    assert read_usual(1, update) == _full(update) is not None


@pytest.mark.parametrize("update", [{"update_id": 1, "message": MESSAGE}, {"update_id": 1, "callback_query": TAP}])
def test_both_read_what_is_usual(update: Json) -> None:
    assert read_usual(1, update) == _full(update) is not None


@pytest.mark.parametrize("update", [{"update_id": 1, "message": MESSAGE}, {"update_id": 1, "callback_query": TAP}])
def test_what_is_unusual_is_read_alike_or_left_to_the_other(update: Json) -> None:
    for path in [*_places(update), ("message", "entities"), ("message", "photo"), ("edited_message",)]:
        if path[0] not in update and len(path) > 1:
            continue
        for value in ODD:
            changed = _with(update, path, value)
            found = read_usual(1, changed)
            # Of a tapped message only its place is read: the rest of it may be as strange as it likes.
            is_ignored = path[:2] == ("callback_query", "message") and _full(changed) is ValidationError
            if found is not None and not is_ignored:
                assert found == _full(changed), (path, value)


def test_entities_do_not_matter_unless_they_are_strange() -> None:
    entity = {"type": "bot_command", "offset": 0, "length": 5}
    update = {"update_id": 1, "message": {**MESSAGE, "entities": [entity]}}
    assert read_usual(1, update) == _full(update) is not None
    assert read_usual(1, _with(update, ("message", "entities"), [{**entity, "url": "https://x"}])) is None
    assert read_usual(1, _with(update, ("message", "entities"), [{**entity, "length": "5"}])) is None

"""Dataclasses from the JSON values that they were stored as, and back; light, for processes that validate nothing.

Only for what was validated when it came in: a wrong value raises whatever it leads to.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")
_Read = Callable[[Any], Any]
_JSON = frozenset({str, int, float, bool, types.NoneType})
_TEXTS: dict[Any, _Read] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
}


def read(kind: type[T], value: Mapping[str, Any]) -> T:
    """The dataclass `kind` with these fields; fields that it does not have are ignored, absent ones have defaults."""
    shape: Any = kind  # a type can be hashed, which mypy does not know of `type[T]`
    made: T = _reader(shape)(value)
    return made


@lru_cache(maxsize=256)
def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields, in order; asked once, because updates take dataclasses apart all the time."""
    return tuple(item.name for item in fields(kind))


def plain(value: Any) -> Any:
    """`value` as JSON values, dataclasses as objects."""
    kind = type(value)
    if kind in _JSON:
        return value
    if is_dataclass(kind):
        return {name: plain(getattr(value, name)) for name in names_of(kind)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value


@lru_cache(maxsize=256)
def _reader(kind: Any) -> _Read:
    if kind in _TEXTS:
        return _of_text(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _of_fields(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _of_generic(typing.get_origin(kind), typing.get_args(kind))


def _of_generic(origin: Any, arguments: tuple[Any, ...]) -> _Read:
    if origin in {types.UnionType, typing.Union}:
        return _of_optional(arguments)
    if origin in {list, tuple}:
        return _of_items(origin, _reader(arguments[0]))
    if origin in {dict, Mapping}:
        inner = _reader(arguments[1])
        return lambda value: {key: inner(item) for key, item in value.items()}
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _of_text(kind: Any) -> _Read:
    parse = _TEXTS[kind]
    return lambda value: value if isinstance(value, kind) else parse(value)


def _of_items(made: Callable[[Any], Any], inner: _Read) -> _Read:
    return lambda value: made(inner(item) for item in value)


def _of_optional(arguments: tuple[Any, ...]) -> _Read:
    """Only `X | None` is understood; any other choice is taken as it is."""
    kinds = [item for item in arguments if item is not types.NoneType]
    inner = _reader(kinds[0]) if len(kinds) == 1 else _as_it_is
    return lambda value: None if value is None else inner(value)


def _of_fields(kind: type[Any]) -> _Read:
    hints = typing.get_type_hints(kind)
    readers = {item.name: _reader(hints[item.name]) for item in fields(kind)}

    def make(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        return kind(**{name: inner(value[name]) for name, inner in readers.items() if name in value})

    return make

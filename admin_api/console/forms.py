"""Reading forms: bodies of the API made from typed fields, lists from one field, links that keep their filters."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Form
from pydantic import BaseModel, ValidationError

from admin_api.problems import FieldError
from crm.kit.errors import InvalidError

Text = Annotated[str, Form(max_length=20_000)]
"""A text field; what it may hold is judged by the service that takes it."""
Texts = Annotated[list[str], Form(max_length=100)]
"""A field that comes several times."""
B = TypeVar("B", bound=BaseModel)
_SEPARATORS = re.compile(r"[,，、\n]")
_SAID = {
    "missing": "Fill this in.",
    "string_too_short": "Fill this in.",
    "string_too_long": "This is too long.",
    "int_parsing": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "greater_than_equal": "This number is too small.",
    "less_than_equal": "This number is too large.",
    "date_from_datetime_parsing": "Enter a date.",
}
OTHERWISE = "This is not valid."
SENTENCES = frozenset({*_SAID.values(), OTHERWISE})


class InvalidForm(InvalidError):
    """Please correct the marked fields."""


def body_of(model: type[B], **typed: Any) -> B:
    """The body that the API would take. Raises InvalidForm with a sentence per field."""
    return _made(model, typed, lambda place: str(place[0]))


def deep_body_of(model: type[B], typed: Mapping[str, Any]) -> B:
    """Like `body_of`, for bodies with lists: paths are whole, such as `tiers.0.enter`."""
    return _made(model, typed, lambda place: ".".join(map(str, place)))


def _made(model: type[B], typed: Mapping[str, Any], path: Callable[[Sequence[int | str]], str]) -> B:
    try:
        return model.model_validate(dict(typed))
    except ValidationError as error:
        faults = [
            FieldError(path=path(item["loc"]), message=_SAID.get(item["type"], OTHERWISE), code=item["type"])
            for item in error.errors()
            if item["loc"]
        ]
        raise InvalidForm(errors=[fault.model_dump() for fault in faults]) from error


def parts(values: Iterable[str]) -> list[str]:
    """What was typed into a field for several things: one by one, or with commas between."""
    found = [part.strip() for value in values for part in _SEPARATORS.split(value)]
    return list(dict.fromkeys(part for part in found if part))


def address(path: str, **query: object) -> str:
    """`path` with the parts of the query that say something."""
    told = {name: str(value) for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(told)}" if told else path

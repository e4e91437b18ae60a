"""Typed reading of a call's parameters, whether they came as JSON, form fields or a query."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import bad_request
from .json_types import Json

_TRUE = {"true", "1", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a multipart call."""

    name: str
    mime_type: str
    content: bytes


class Parameters:
    """The parameters of one call; each reader refuses a value of the wrong kind with a 400."""

    __slots__ = ("uploads", "values")

    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload] | None = None) -> None:
        self.values = values
        self.uploads: Mapping[str, Upload] = uploads or {}

    def has(self, name: str) -> bool:
        """Whether the caller gave this parameter a value, be it empty."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """A text; numbers are taken as their digits, as the real server does."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        raise bad_request(f'field "{name}" must be of type String')

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number; without a default it is required."""
        value = self.values.get(name)
        if value is None or value == "":
            if default is None:
                raise bad_request(f'parameter "{name}" is required')
            return default
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise bad_request(f'parameter "{name}" must be an integer')
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            raise bad_request(f'parameter "{name}" must be an integer') from None

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number; without a default it is required."""
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise bad_request(f'parameter "{name}" is required')
            return default
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise bad_request(f'parameter "{name}" must be a number') from None
        if not math.isfinite(number):
            raise bad_request(f'parameter "{name}" must be a finite number')
        return number

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean, also as the words that forms carry."""
        value = self.values.get(name)
        if value is None:
            return default
        return value if isinstance(value, bool) else str(value).strip().lower() in _TRUE

    def parsed(self, name: str) -> Any:
        """A JSON value: as it stands in a JSON body, or parsed out of a form field."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f'can\'t parse parameter "{name}" as JSON object') from None

    def mapping(self, name: str) -> Json | None:
        """A JSON object or nothing."""
        value = self.parsed(name)
        if value is None or isinstance(value, dict):
            return value
        raise bad_request(f'parameter "{name}" must be a JSON object')

    def sequence(self, name: str) -> list[Any] | None:
        """A JSON array or nothing."""
        value = self.parsed(name)
        if value is None or isinstance(value, list):
            return value
        raise bad_request(f'parameter "{name}" must be a JSON array')

"""Results of steps and errors as JSON values, and back."""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from crm.kit.errors import DomainError
from crm.kit.text import clean_text


@cache
def _adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    hints = get_type_hints(function)
    if "return" not in hints:
        message = f"{step_name(function)} needs a return annotation, so that its result can be journaled"
        raise TypeError(message)
    return TypeAdapter(hints["return"])


def encode(function: Callable[..., Any], result: Any) -> Any:
    """`result` of `function` as JSON values."""
    return _adapter(function).dump_python(result, mode="json")


def decode(function: Callable[..., Any], value: Any) -> Any:
    """JSON values as what `function` answers, by its return annotation."""
    return _adapter(function).validate_python(value)


def step_name(function: Callable[..., Any]) -> str:
    """`points.balance` for a function `balance` of any module of the package `crm.points`."""
    parts = function.__module__.split(".")
    owner = parts[1] if parts[0] == "crm" and len(parts) > 1 else parts[-1]
    return f"{owner}.{function.__name__}"


def encode_error(error: DomainError) -> dict[str, Any]:
    """A domain error as JSON values; its facts as text where JSON has no such type."""
    kind = type(error)
    facts = {name: _plain(value) for name, value in error.facts.items()}
    return {"error": f"{kind.__module__}:{kind.__qualname__}", "detail": clean_text(error.detail), "facts": facts}


def decode_error(value: dict[str, Any]) -> DomainError:
    """The error that `encode_error` wrote; a plain DomainError if its class is no longer there."""
    kind = _error_class(str(value["error"]))
    error = kind.__new__(kind)
    DomainError.__init__(error, value["detail"], **value["facts"])
    return error


def _error_class(name: str) -> type[DomainError]:
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return DomainError
    return found if isinstance(found, type) and issubclass(found, DomainError) else DomainError


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)

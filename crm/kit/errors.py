"""The one error family of the domain: five kinds, each mapped once to HTTP and once to a message."""

from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What went wrong, in the five ways that a caller can act on."""

    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """Something in the request cannot be done."""

    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        self.detail = detail or self._default_detail()
        self.facts = facts
        super().__init__(self.detail)

    @classmethod
    def _default_detail(cls) -> str:
        return (cls.__doc__ or DomainError.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def code(cls) -> str:
        """Stable machine name in snake case, e.g. `InsufficientPoints` -> `insufficient_points`."""
        name = cls.__name__.removesuffix("Error")
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class NotFoundError(DomainError):
    """There is no such thing."""

    kind = Kind.NOT_FOUND


class ConflictError(DomainError):
    """The thing is not in a state that allows this."""

    kind = Kind.CONFLICT


class ForbiddenError(DomainError):
    """You may not do this."""

    kind = Kind.FORBIDDEN


class InvalidError(DomainError):
    """The input is not valid."""

    kind = Kind.INVALID


class UnavailableError(DomainError):
    """A part that is needed cannot be reached now; try again."""

    kind = Kind.UNAVAILABLE

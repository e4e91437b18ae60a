"""Public values of media."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Media:
    """A stored picture; `id` is random, so that addresses cannot be guessed."""

    id: UUID
    sha256: str
    content_type: str
    width: int
    height: int
    size: int
    """Bytes."""

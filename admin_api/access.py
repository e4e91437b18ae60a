"""Who may use a route: every route says so once, and one that does not say cannot be made."""

from dataclasses import dataclass
from enum import StrEnum

from fastapi import params

from crm.operators.permissions import Permission


class AccessKind(StrEnum):
    """The three ways in."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    PERMISSION = "permission"


@dataclass(frozen=True)
class Access:
    """A route's demand; declared as a dependency so that FastAPI carries it with the route."""

    kind: AccessKind
    permission: Permission | None = None
    is_sensitive: bool = False
    """Whether an operator must have typed the password within the last quarter of an hour."""

    async def __call__(self) -> None:
        """Nothing: the demand is met at the edge, before the body is read."""


def allow(permission: Permission, *, sensitive: bool = False) -> params.Depends:
    """Operators whose role has `permission`, and API keys with that scope."""
    return params.Depends(Access(AccessKind.PERMISSION, permission, sensitive))


def signed_in() -> params.Depends:
    """Any operator, for what concerns only themselves; no API key."""
    return params.Depends(Access(AccessKind.SIGNED_IN))


def public() -> params.Depends:
    """Anybody: sign-in and one-time links."""
    return params.Depends(Access(AccessKind.PUBLIC))


def declared(dependencies: list[params.Depends], path: str) -> Access:
    """The one demand among a route's dependencies. Raises RuntimeError when there is none or more than one."""
    found = [item.dependency for item in dependencies if isinstance(item.dependency, Access)]
    if len(found) != 1:
        message = f"the route {path} must declare its access exactly once: allow(...), signed_in() or public()"
        raise RuntimeError(message)
    return found[0]

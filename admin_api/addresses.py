"""Addresses under which people outside reach this deployment."""

from fastapi import Request

from admin_api.deps import deps_of

ROOT = "/console"
"""Below it stand the console's pages."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def public_url(request: Request) -> str:
    """The configured public address, else the one that this request came by; without a slash at the end."""
    configured = deps_of(request).settings.public.url
    return str(configured or request.base_url).rstrip("/")


def is_local(request: Request) -> bool:
    """Whether this browser runs on this machine: no public address is configured, and it came by a loopback one."""
    peer = request.client.host if request.client else ""
    came_by = request.url.hostname or ""
    return deps_of(request).settings.public.url is None and came_by in _LOOPBACK and peer in _LOOPBACK


def console_url(request: Request, path: str) -> str:
    """An address of the console in full."""
    return f"{public_url(request)}{ROOT}{path}"

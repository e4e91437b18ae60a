"""Addresses under which people outside reach this deployment."""

from fastapi import Request

from admin_api.deps import deps_of

ROOT = "/console"
"""Below it stand the console's pages."""


def public_url(request: Request) -> str:
    """The configured public address, else the one that this request came by; without a slash at the end."""
    configured = deps_of(request).settings.public.url
    return str(configured or request.base_url).rstrip("/")


def console_url(request: Request, path: str) -> str:
    """An address of the console in full."""
    return f"{public_url(request)}{ROOT}{path}"

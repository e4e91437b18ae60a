"""Who may open the chat, connect to it and frame it, and in which language it greets. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from crm.brand.types import Brand

_CONTENT = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self' {socket}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def origin_of(address: str | None) -> str | None:
    """`scheme://host:port` of an address in its shortest form; None when it is no web address."""
    try:
        parts = urlsplit(address or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def is_own(origin: str | None, host: str | None, public_url: str | None) -> bool:
    """Whether `origin` is this deployment: the host that was asked, or the public address.

    The scheme is left aside, because a proxy may have ended TLS before us.
    """
    found = origin_of(origin)
    if found is None:
        return False
    schemes = ("http", "https")
    own = {origin_of(f"{scheme}://{host}") for scheme in schemes} if host and _HOST.fullmatch(host) else set()
    return found in own or found == origin_of(public_url)


def may_embed(brand: Brand, origin: str | None) -> bool:
    """Whether the brand lets this origin carry the chat."""
    return origin is not None and origin_of(origin) in {origin_of(one) for one in brand.embed_origins}


def headers(host: str | None, frames: Sequence[str]) -> dict[str, str]:
    """Headers of the page; `frames` are the origins that may frame it, none when it stands by itself."""
    socket = f"ws://{host} wss://{host}" if host and _HOST.fullmatch(host) else ""
    policy = _CONTENT.format(socket=socket, frames=" ".join(frames) or "'none'").replace(" ;", ";")
    return {"content-security-policy": policy, "permissions-policy": "camera=(), geolocation=(self), microphone=()"}


def page_locale(brand: Brand, wanted: str | None, accepted: str | None) -> str:
    """The language that was asked for, else the first of the browser's that the brand speaks, else the brand's."""
    for tag in (wanted or "", *re.split(r"[,;]", accepted or "")):
        found = spoken(brand, tag.strip())
        if found is not None:
            return found
    return brand.default_locale


def spoken(brand: Brand, tag: str) -> str | None:
    """The brand's language that this tag means."""
    language = tag.lower().split("-")[0]
    if not language:
        return None
    exact = next((one for one in brand.locales if one.lower() == tag.lower()), None)
    return exact or next((one for one in brand.locales if one.lower().split("-")[0] == language), None)

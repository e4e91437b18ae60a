"""How Siyu calls addresses that people typed in: the port, the rules for such an address, and what can go wrong.

There is one implementation, in runtime. Whoever calls out otherwise than to a channel's provider goes through it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Protocol
from urllib.parse import quote, urlsplit

from crm.kit.errors import InvalidError
from crm.kit.networks import Address, Network, is_outside, parse_address

PORT = "egress"
MAX_ADDRESS = 2000
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}
_KEPT = "%/:=&?~+!$,;'@()*-._"
_LOOPBACK = ("127.0.0.1", "::1")


class AddressRefused(InvalidError):
    """Siyu does not call this address."""


class EgressFailed(Exception):
    """The call brought no answer; its text says why, without addresses or secrets."""


@dataclass(frozen=True)
class EgressRules:
    """What a deployment allows."""

    allow_http: bool = False
    allowed: tuple[Network, ...] = ()
    """Networks that may be called although they are not on the open internet."""


@dataclass(frozen=True)
class Target:
    """An address taken apart; what is called is put together from these parts, never from the text."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query, percent-encoded."""
    literal: Address | None
    """The host, when it is no name."""


@dataclass(frozen=True)
class EgressAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    is_cut: bool
    """Whether more came than is read."""


class Egress(Protocol):
    """Calls out: to open addresses only, never twice, never elsewhere than told."""

    def check(self, address: str) -> None:
        """Nothing, when `address` may be kept. Raises AddressRefused."""
        ...

    async def post(self, address: str, *, headers: Mapping[str, str], body: bytes) -> EgressAnswer:
        """POST `body` once; redirects are answers. Raises AddressRefused, before anything is sent, and EgressFailed."""
        ...


def parse_target(address: str, rules: EgressRules) -> Target:
    """The parts of a well-formed address that names no closed network. Raises AddressRefused."""
    if len(address) > MAX_ADDRESS:
        raise AddressRefused("The address is too long.")
    if not address.isprintable() or any(sign.isspace() or sign == "\\" for sign in address):
        raise AddressRefused("The address holds blanks or signs that no address has.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as wrong:
        raise AddressRefused("This is not an address such as https://shop.example/hooks.") from wrong
    scheme = _scheme(parts.scheme, rules)
    if "@" in parts.netloc:
        raise AddressRefused("The address must not hold a user name or password.")
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressRefused("The port must be a number from 1 to 65535.")
    host, literal = _host(parts.hostname or "", is_bracketed="[" in parts.netloc)
    _check_literal(host, literal, rules.allowed)
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return Target(scheme, host, port or _PORTS[scheme], (quote(parts.path, safe=_KEPT) or "/") + query, literal)


def open_addresses(found: Sequence[str], rules: EgressRules) -> list[str]:
    """Those of a name's addresses that may be called. Raises AddressRefused when none may."""
    parsed = [(text, parse_address(text)) for text in found]
    kept = [text for text, one in parsed if one is not None and is_outside(one, rules.allowed)]
    if not kept:
        raise AddressRefused("The address leads into a private network.")
    return kept


def _scheme(scheme: str, rules: EgressRules) -> str:
    if scheme == "https" or (scheme == "http" and rules.allow_http):
        return scheme
    raise AddressRefused("The address must begin with https://.")


def _host(host: str, *, is_bracketed: bool) -> tuple[str, Address | None]:
    """The host in ASCII, and the address when it is one in its plain spelling."""
    if is_bracketed:
        literal = parse_address(host)
        if not isinstance(literal, IPv6Address) or literal.scope_id:
            raise AddressRefused("The network address is not spelled in its usual form.")
        return literal.compressed, literal
    try:
        plain = host.encode("idna").decode("ascii").lower() if host else ""
    except UnicodeError as wrong:
        raise AddressRefused("The address has no valid host name.") from wrong
    if not _HOST.fullmatch(plain):
        raise AddressRefused("The address has no valid host name.")
    literal = parse_address(plain)
    if literal is None and _NUMBER.fullmatch(plain.rpartition(".")[2]):
        raise AddressRefused("The network address is not spelled in its usual form.")
    return plain, literal


def _check_literal(host: str, literal: Address | None, allowed: Sequence[Network]) -> None:
    is_local = host == "localhost" or host.endswith(".localhost")
    named = [one for text in _LOOPBACK if (one := parse_address(text))] if is_local else [literal] if literal else []
    if named and not any(is_outside(one, allowed) for one in named):
        raise AddressRefused("The address leads into a private network.")

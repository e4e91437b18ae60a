"""Decisions about passwords, names, scopes, addresses and waiting times, without any I/O."""

import ipaddress
import re
from datetime import timedelta

from crm.kit.text import clean_name
from crm.operators.common_passwords import MINIMUM_LENGTH, is_common
from crm.operators.errors import (
    InvalidAddressError,
    InvalidEmailError,
    InvalidOperatorNameError,
    UnknownScopeError,
    WeakPasswordError,
)
from crm.operators.permissions import EVERY_SCOPE, Permission

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
CONFIRMED_FOR = timedelta(minutes=15)
"""How long a typed password counts as confirmed for roles, keys and exports."""
SETUP_VALID = timedelta(hours=24)
INVITATION_VALID = timedelta(days=7)
RESET_VALID = timedelta(hours=1)
CHAT_CODE_VALID = timedelta(minutes=10)
IDEMPOTENCY_KEPT = timedelta(days=8)
MAXIMUM_PASSWORD = 256
LONGEST_SIGN_IN_DELAY = 900
"""Seconds."""
_FEWEST_CHARACTERS = 5
_LEAST_OWN_PART = 8
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^\s@<>\"'(),:;\\]{1,64}@[^\s@.<>\"'(),:;\\]+(\.[^\s@.<>\"'(),:;\\]+)*\.[^\s@.<>\d]{2,63}")


def normal_email(text: str) -> str:
    """The address in lower case. Raises InvalidEmailError."""
    email = text.strip().lower()
    if len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise InvalidEmailError
    return email


def masked_email(email: str) -> str:
    """`l***@shop.example`: enough to recognise, too little to write to."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain}"


def operator_name(text: str) -> str:
    """The cleaned name. Raises InvalidOperatorNameError."""
    name = clean_name(text)
    if not name:
        raise InvalidOperatorNameError
    return name


def check_password(password: str, *, email: str, name: str) -> None:
    """Raises WeakPasswordError, saying why, unless `password` may be used by this person."""
    if len(password) < MINIMUM_LENGTH:
        raise WeakPasswordError(f"A password needs at least {MINIMUM_LENGTH} characters; 15 or more are better.")
    if len(password) > MAXIMUM_PASSWORD:
        raise WeakPasswordError(f"A password may have {MAXIMUM_PASSWORD} characters at most.")
    if len(set(password)) < _FEWEST_CHARACTERS or is_common(password):
        raise WeakPasswordError
    own = password.lower()
    known = {email, email.partition("@")[0], *name.lower().split(), "siyu"}
    for word in sorted(known, key=len, reverse=True):
        own = own.replace(word, "") if len(word) > 2 else own  # noqa: PLR2004 - shorter pieces are chance
    if len(own) < min(_LEAST_OWN_PART, len(password)):
        raise WeakPasswordError("This password is little more than your name or email address; take another.")


def checked_scopes(scopes: list[str]) -> list[str]:
    """The scopes without doubles, in order; `*` stands alone. Raises UnknownScopeError."""
    known = {permission.value for permission in Permission} | {EVERY_SCOPE}
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise UnknownScopeError(
            f"{unknown[0]!r} is no scope; scopes are permissions such as members:read, or * for all."
        )
    return [EVERY_SCOPE] if EVERY_SCOPE in scopes else sorted(set(scopes))


def checked_networks(addresses: list[str]) -> list[str]:
    """IP addresses and networks in their normal form. Raises InvalidAddressError."""
    try:
        return [str(ipaddress.ip_network(address.strip(), strict=False)) for address in addresses]
    except ValueError as wrong:
        raise InvalidAddressError from wrong


def is_address_allowed(address: str, networks: list[str]) -> bool:
    """Whether a request from `address` may use a key that is limited to `networks` (none: from anywhere)."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ipaddress.ip_network(network) for network in networks)


def sign_in_delay(failures: int, *, free: int) -> int:
    """Seconds to wait after so many failures in a row: none while `free`, then doubling up to 15 minutes."""
    return 0 if failures < free else min(2 ** min(failures - free, 20), LONGEST_SIGN_IN_DELAY)

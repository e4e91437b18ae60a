"""Visitor tokens: signed, bound to one bot, void after a year of absence or when the bot's tokens are revoked."""

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.bots.types import Bot
from crm.kit.crypto import Vault
from crm.webchat.types import Visitor

VERSION_SETTING = "webchat_token_version"
"""Setting of a bot; another number voids all tokens that were given before."""
VALID_FOR = timedelta(days=400)
RENEWED_AFTER = timedelta(days=30)
_PURPOSE = "webchat visitor"
_ADDRESS_BYTES = 16
_BASE64_GROUP = 4
_MAX_LENGTH = 200


class TokenInvalidError(Exception):
    """The token was not made here, for another bot, or was revoked."""


class TokenExpiredError(Exception):
    """The visitor was away for too long."""


@dataclass(frozen=True)
class ReadToken:
    """Whose token it is; `is_old` when a new one should be given: for its age, or because the secret changed."""

    visitor: Visitor
    is_old: bool


def new_visitor(bot: Bot) -> Visitor:
    """Someone whose browser was never here: an address of 128 random bits."""
    return Visitor(bot.id, secrets.token_urlsafe(_ADDRESS_BYTES))


def issue(vault: Vault, bot: Bot, visitor: Visitor, now: datetime) -> str:
    """`address.version.issued.signature`; knowing it is all that makes the visitor."""
    signed = f"{visitor.address}.{_version(bot)}.{int(now.timestamp())}"
    return f"{signed}.{_signature(vault, bot, signed)}"


def read(vault: Vault, bot: Bot, token: str, now: datetime) -> ReadToken:
    """The visitor behind a token. Raises TokenInvalidError, TokenExpiredError."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        raise TokenInvalidError
    signed, _, signature = token.rpartition(".")
    proof = (_data(bot, signed), _PURPOSE, _decoded(signature))
    if not vault.is_signed(*proof):
        raise TokenInvalidError
    address, version, issued_at = signed.split(".")
    if version != str(_version(bot)):
        raise TokenInvalidError
    age = now.timestamp() - int(issued_at)
    if age > VALID_FOR.total_seconds():
        raise TokenExpiredError
    is_old = age > RENEWED_AFTER.total_seconds() or not vault.is_newly_signed(*proof)
    return ReadToken(Visitor(bot.id, address), is_old=is_old)


def _version(bot: Bot) -> int:
    found = bot.settings.get(VERSION_SETTING, 1)
    return found if isinstance(found, int) else 1


def _data(bot: Bot, signed: str) -> bytes:
    return f"{bot.id}:{signed}".encode()


def _signature(vault: Vault, bot: Bot, signed: str) -> str:
    return base64.urlsafe_b64encode(vault.sign(_data(bot, signed), _PURPOSE)).decode().rstrip("=")


def _decoded(signature: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % _BASE64_GROUP))
    except (binascii.Error, ValueError):
        return b""

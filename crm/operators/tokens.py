"""Secrets that are handed out once and stored as digests only."""

import hashlib
import secrets

from crm.kit.ids import token

API_KEY_PREFIX = "siyu_"
CHAT_CODE_PREFIX = "OP-"
_CHAT_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_HINT_LENGTH = 10


def new_token() -> str:
    """256 random bits for a cookie or a one-time link."""
    return token()


def new_api_key() -> str:
    """256 random bits behind the prefix by which leak scanners recognise a key."""
    return token(API_KEY_PREFIX)


def new_chat_code() -> str:
    """40 random bits as `OP-ABCD-2345`: easy to type, out of reach of guesses within its ten minutes."""
    letters = "".join(secrets.choice(_CHAT_ALPHABET) for _ in range(8))
    return f"{CHAT_CODE_PREFIX}{letters[:4]}-{letters[4:]}"


def normal_chat_code(text: str) -> str:
    """What was typed, as the code was made: case, blanks and dashes do not matter."""
    bare = "".join(text.upper().replace("-", "").split()).removeprefix("OP")
    return f"{CHAT_CODE_PREFIX}{bare[:4]}-{bare[4:]}"


def is_chat_code(text: str) -> bool:
    """Whether `text` is meant as a chat code, right or wrong."""
    return text.strip().upper().startswith(CHAT_CODE_PREFIX)


def digest(secret: str) -> bytes:
    """SHA-256; enough for secrets of full entropy."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def hint(secret: str) -> str:
    """The first characters of an API key, to tell it from others."""
    return secret[:_HINT_LENGTH]

"""Bot tokens in the real shape: a numeric id, a colon and 35 characters."""

import re
import secrets
import string

_SHAPE = re.compile(r"\A[1-9][0-9]{4,14}:[A-Za-z0-9_-]{20,64}\Z")
_ALPHABET = string.ascii_letters + string.digits + "_-"


def new_bot_token() -> str:
    """Make a fresh, unguessable token that no other server knows."""
    secret = "AA" + "".join(secrets.choice(_ALPHABET) for _ in range(33))
    return f"{7_000_000_000 + secrets.randbelow(900_000_000)}:{secret}"


def is_token_shaped(token: str) -> bool:
    """Whether the text could be a bot token at all."""
    return _SHAPE.match(token) is not None

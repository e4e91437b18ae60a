"""Signatures after the Standard Webhooks specification (version 1.0.0), symmetric scheme `v1`.

Signed is `id.timestamp.body` with HMAC-SHA256; the key is the base64 part of a secret that begins with `whsec_`.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the digest."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(used: Sequence[str], event_id: UUID, at: datetime, body: bytes) -> dict[str, str]:
    """What goes with `body`: a signature by each of the secrets that are in use, the newest first."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": str(event_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(one, str(event_id), timestamp, body) for one in used),
    }

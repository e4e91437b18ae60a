"""The hash chain of a member account, recomputed apart from the database function that wrote it. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

GENESIS = b""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Link:
    """Everything that one entry's hash covers."""

    member_id: int
    sequence: int
    amount: int
    balance_after: int
    transaction_id: UUID
    occurred_at: datetime
    kind: str
    key: str
    reason: str
    actor: str
    rule_id: int | None
    event_id: UUID | None
    reverses_id: UUID | None


def link_hash(previous: bytes, link: Link) -> bytes:
    """SHA-256 over the previous hash and the entry with its transaction, 32 bytes."""
    parts = (
        link.member_id,
        link.sequence,
        link.amount,
        link.balance_after,
        link.transaction_id,
        (link.occurred_at - _EPOCH) // timedelta(microseconds=1),
        link.kind,
        _or_dash(link.rule_id),
        _or_dash(link.event_id),
        _or_dash(link.reverses_id),
        len(link.key),
        link.key,
        len(link.reason),
        link.reason,
        link.actor,
    )
    return hashlib.sha256(previous + "|".join(map(str, parts)).encode()).digest()


def _or_dash(value: object) -> object:
    return "-" if value is None else value

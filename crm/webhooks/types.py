"""Public values of webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

EVERY_KIND = "*"
"""Stands for all kinds of events, also those to come."""
TEST_KIND = "webhook_test"
"""The type of a test message; no event of the log has it."""


class EndpointStatus(StrEnum):
    """Whether an endpoint is called."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why an endpoint is not called."""

    OPERATOR = "operator"
    FAILING = "failing"
    """Nothing but failures for a day."""
    GONE = "gone"
    """It answered 410."""


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    """Not tried yet, or to be tried again."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up after the last try; it can be replayed."""


@dataclass(frozen=True)
class Endpoint:
    """Somebody who is told of events; the secrets are not shown again."""

    id: int
    name: str
    address: str = field(repr=False)
    kinds: list[str]
    """Kinds of events, or `*` alone for all."""
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    failing_since: datetime | None
    """The first failure since the last success."""
    older_secret_until: datetime | None
    """Until then messages are signed with the secret before the present one too."""
    created_by: int | None
    created_at: datetime


@dataclass(frozen=True)
class IssuedEndpoint:
    """An endpoint with its new secret, shown once."""

    endpoint: Endpoint
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One event for one endpoint."""

    endpoint_id: int
    event_id: UUID
    """Also the `webhook-id`: the same at every try and replay."""
    kind: str
    occurred_at: datetime
    sequence: int
    """Counts the endpoint's messages, without gaps."""
    state: MessageState
    attempts: int
    """How often it was sent in all."""
    due_at: datetime | None
    """When it is tried (again), while it waits."""
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime


@dataclass(frozen=True)
class Attempt:
    """One call and what came of it."""

    number: int
    at: datetime
    is_success: bool
    status: int | None
    milliseconds: int
    error: str | None
    excerpt: str | None
    """How the answer began, at most 200 characters."""


@dataclass(frozen=True)
class Claimed:
    """A message that this worker sends now."""

    endpoint_id: int
    event_id: UUID
    occurred_at: datetime
    fence: int
    tries: int
    attempts: int
    address: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    problem: str | None = None
    """Why it cannot be sent at all."""


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    is_success: bool
    milliseconds: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    retry_after: float | None = None
    """Seconds that the endpoint asked to be left alone."""

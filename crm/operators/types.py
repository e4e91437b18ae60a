"""Public values of operators, their sessions and API keys."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm.operators.permissions import Permission, Role


class OperatorStatus(StrEnum):
    """Whether an operator may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Operator:
    """One of the staff."""

    id: int
    email: str
    name: str
    role: Role
    locale: str
    status: OperatorStatus
    created_at: datetime
    last_signed_in_at: datetime | None


class PrincipalKind(StrEnum):
    """Who can act through HTTP."""

    OPERATOR = "operator"
    API_KEY = "api_key"


@dataclass(frozen=True)
class Principal:
    """Who a request acts for, and what it may do."""

    kind: PrincipalKind
    id: int
    name: str
    permissions: frozenset[Permission]
    role: Role | None = None
    locale: str = "zh-CN"
    session_id: int | None = None
    confirmed_at: datetime | None = None
    """When the password was last typed, for operators."""

    @property
    def actor(self) -> str:
        """As the audit log names it: `operator:3`, `api_key:2`."""
        return f"{self.kind}:{self.id}"

    @property
    def operator_id(self) -> int | None:
        """The operator behind this, if there is one."""
        return self.id if self.kind is PrincipalKind.OPERATOR else None


@dataclass(frozen=True)
class SessionView:
    """An operator's session as that operator sees it."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str


class LinkPurpose(StrEnum):
    """What a one-time link is good for."""

    SETUP = "setup"
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose, not a password


@dataclass(frozen=True)
class Link:
    """A one-time link as the page behind it needs it; the token itself is known to its holder only."""

    id: int
    purpose: LinkPurpose
    email: str | None
    role: Role | None
    operator_id: int | None
    expires_at: datetime


@dataclass(frozen=True)
class IssuedLink:
    """A new one-time link; `token` is shown once."""

    link: Link
    token: str = field(repr=False)


@dataclass(frozen=True)
class ApiKey:
    """An API key without its secret."""

    id: int
    name: str
    hint: str
    """The first characters, by which people tell keys apart."""
    scopes: list[str]
    allowed_ips: list[str]
    created_by: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class IssuedApiKey:
    """A new API key; `secret` is shown once."""

    api_key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True)
class ChatCode:
    """What an operator types in a chat to receive test sends there."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class LinkedIdentity:
    """A chat that an operator proved to be theirs."""

    identity_id: int
    member_id: int
    bot_id: int
    channel: str
    display_name: str
    linked_at: datetime


@dataclass(frozen=True)
class ChatLinked:
    """Answer to a typed chat code."""

    operator_name: str


@dataclass(frozen=True)
class StoredResponse:
    """What an earlier request with the same Idempotency-Key was answered."""

    status: int
    content_type: str
    body: bytes

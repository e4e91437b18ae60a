"""One request: its transaction, who acts, and what the audit log will say of it."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit.types import AuditEntry
from crm.operators.permissions import Permission
from crm.operators.types import Principal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Edge:
    """State of one request; lives from admission to commit."""

    request: Request
    session: AsyncSession
    principal: Principal | None = None
    binding: str | None = None
    """Secret of the browser (session or visitor cookie) that its CSRF token is made from."""
    action: str = ""
    subject: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    actor: str | None = None
    is_question: bool = False
    """Whether the request asks only, though its method could change something: the audit log does not hold it."""
    cookies: dict[str, str | None] = field(default_factory=dict)
    """Cookies to set with the answer; None removes."""
    delivery_ids: list[UUID] = field(default_factory=list)
    """Interactive deliveries to hand over once the transaction is committed."""

    @property
    def acting(self) -> Principal:
        """Who acts; only for routes that admit nobody unknown."""
        assert self.principal is not None
        return self.principal

    @property
    def ip(self) -> str:
        """The client's address; behind a trusted proxy, the one that it forwards."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def request_id(self) -> str:
        """The id that ties answer, log line and audit entry together."""
        return str(getattr(self.request.state, "request_id", ""))

    @property
    def is_https(self) -> bool:
        """Whether the browser came by https."""
        return self.request.url.scheme == "https"

    @property
    def is_unsafe(self) -> bool:
        """Whether the method may change something."""
        return self.request.method not in SAFE_METHODS

    @property
    def csrf_token(self) -> str:
        """What forms of this browser must bring along."""
        if self.binding is None:
            return ""
        return hmac.new(self.binding.encode(), b"siyu csrf", hashlib.sha256).hexdigest()

    def may(self, permission: Permission) -> bool:
        """Whether the one who acts has this permission."""
        return self.principal is not None and permission in self.principal.permissions

    def note(
        self,
        action: str,
        subject: str = "",
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        actor: str | None = None,
    ) -> None:
        """Say what the audit log shall hold for this request: no personal data. Unsaid: the route and its path."""
        self.action, self.subject, self.before, self.after = action, subject, before, after
        self.actor = actor or self.actor

    def entry(self, *, action: str, subject: str) -> AuditEntry:
        """The audit entry, with these words where the handler noted none."""
        actor = self.actor or (self.principal.actor if self.principal else "anonymous")
        return AuditEntry(
            actor=actor,
            action=self.action or action,
            subject=self.subject or subject,
            before=self.before,
            after=self.after,
            ip=self.ip,
            request_id=self.request_id,
        )

"""Problems of HTTP itself, beside the domain's errors."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PROBLEM_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field."""

    path: str = Field(description="Where, e.g. `rule.all.0.condition`; empty for the whole body.", examples=["name"])
    message: str
    code: str


class Problem(BaseModel):
    """Every error answer (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable name of the problem as a URN.", examples=["urn:siyu:problem:missing_scope"])
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] = []


class ProblemError(Exception):
    """A request that HTTP's side refuses."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[FieldError] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.errors = dict(headers or {}), errors or []
        self.facts: dict[str, Any] = {}
        """Further members of the answer."""


class DeniedError(ProblemError):
    """Somebody known wants what they may not do; goes to the audit log."""

    def __init__(self, code: str, detail: str, *, actor: str) -> None:
        super().__init__(403, code, detail)
        self.actor = actor


class SignInNeededError(ProblemError):
    """A page wants a signed-in operator: the browser is led to the sign-in page."""

    def __init__(self) -> None:
        super().__init__(401, "authentication_required", "Sign in first.")


class ConfirmationNeededError(ProblemError):
    """The act wants the password typed again."""

    def __init__(self) -> None:
        super().__init__(403, "confirmation_required", "Type your password again to do this.")


def problem_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a domain error that may stand beside the standard members."""
    taken = set(Problem.model_fields)
    return {key: value for key, value in facts.items() if key not in taken}

"""Who a request comes from, and whether the route lets them in."""

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import cookies
from admin_api.access import Access, AccessKind
from admin_api.problems import ConfirmationNeededError, DeniedError, ProblemError, SignInNeededError
from crm.db import clock
from crm.operators import api_keys, sessions
from crm.operators.policy import CONFIRMED_FOR, is_address_allowed
from crm.operators.types import Principal, PrincipalKind

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="siyu"'}


async def by_key(request: Request, session: AsyncSession) -> Principal | None:
    """The API key of the Authorization header; None without the header. Raises ProblemError with the reason."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _refused("authorization_malformed", "The Authorization header must be: Bearer KEY.")
    key = await api_keys.find(session, secret.strip())
    if key is None:
        raise _refused("api_key_unknown", "There is no such API key; check that it was copied whole.")
    if key.revoked_at is not None:
        raise _refused("api_key_revoked", "This API key was revoked; make a new one.")
    if key.expires_at is not None and key.expires_at <= await clock.now(session):
        raise _refused("api_key_expired", "This API key has expired; make a new one.")
    ip = request.client.host if request.client else ""
    principal = api_keys.principal(key)
    if not is_address_allowed(ip, key.allowed_ips):
        raise DeniedError("api_key_address", "This API key may not be used from this address.", actor=principal.actor)
    await api_keys.touch(session, key.id, ip=ip)
    return principal


async def by_cookie(request: Request, session: AsyncSession) -> tuple[Principal | None, str | None]:
    """The operator of the session cookie, and the secret that its CSRF tokens are bound to."""
    token = cookies.read(request, cookies.SESSION)
    principal = await sessions.resolve(session, token) if token else None
    if principal is not None:
        return principal, token
    return None, cookies.read(request, cookies.VISITOR)


async def admit(session: AsyncSession, access: Access, principal: Principal | None, *, is_page: bool) -> None:
    """Raises the problem that keeps `principal` out of a route with this demand."""
    if access.kind is AccessKind.PUBLIC:
        return
    if principal is None:
        if is_page:
            raise SignInNeededError
        raise _refused("authentication_required", "Send an API key in the header Authorization: Bearer KEY.")
    if access.kind is AccessKind.SIGNED_IN and principal.kind is not PrincipalKind.OPERATOR:
        raise DeniedError("operator_required", "Only an operator may do this, no API key.", actor=principal.actor)
    if access.permission is not None and access.permission not in principal.permissions:
        raise _not_permitted(access, principal)
    if access.is_sensitive and principal.kind is PrincipalKind.OPERATOR:
        confirmed = principal.confirmed_at
        if confirmed is None or confirmed + CONFIRMED_FOR < await clock.now(session):
            raise ConfirmationNeededError


def _not_permitted(access: Access, principal: Principal) -> DeniedError:
    if principal.kind is PrincipalKind.API_KEY:
        detail = f"This API key lacks the scope {access.permission}; make one that has it."
        return DeniedError("missing_scope", detail, actor=principal.actor)
    detail = f"Your role {principal.role} does not include {access.permission}; ask an owner or admin."
    return DeniedError("missing_permission", detail, actor=principal.actor)


def _refused(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail, headers=CHALLENGE)

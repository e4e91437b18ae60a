"""From rows to public values, and the sealing of email addresses; private to operators."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.operators.models import ApiKeyRow, LinkRow, OperatorRow, SessionRow
from crm.operators.permissions import Role
from crm.operators.types import ApiKey, Link, LinkPurpose, Operator, OperatorStatus, SessionView

EMAIL = "operators.email"
LINK_EMAIL = "operator_links.email"


def email_indexes(session: AsyncSession, email: str) -> tuple[bytes, ...]:
    """The blind indexes that a normalised address may be found by; the first one is stored."""
    return vault(session).blind_indexes(email, EMAIL)


def seal_email(session: AsyncSession, operator_id: int, email: str) -> bytes:
    """The address as the operator's row keeps it."""
    return vault(session).seal(email, f"{EMAIL}:{operator_id}")


def seal_link_email(session: AsyncSession, link_id: int, email: str) -> bytes:
    """The address as an invitation's row keeps it."""
    return vault(session).seal(email, f"{LINK_EMAIL}:{link_id}")


def operator(session: AsyncSession, row: OperatorRow) -> Operator:
    """The public value of a row."""
    return Operator(
        id=row.id,
        email=vault(session).open(row.email_sealed, f"{EMAIL}:{row.id}"),
        name=row.name,
        role=Role(row.role),
        locale=row.locale,
        status=OperatorStatus(row.status),
        created_at=row.created_at,
        last_signed_in_at=row.last_signed_in_at,
    )


def link(session: AsyncSession, row: LinkRow) -> Link:
    """The public value of a row."""
    sealed = row.email_sealed
    return Link(
        id=row.id,
        purpose=LinkPurpose(row.purpose),
        email=None if sealed is None else vault(session).open(sealed, f"{LINK_EMAIL}:{row.id}"),
        role=None if row.role is None else Role(row.role),
        operator_id=row.operator_id,
        expires_at=row.expires_at,
    )


def session_view(row: SessionRow) -> SessionView:
    """The public value of a row."""
    return SessionView(row.id, row.created_at, row.last_seen_at, row.expires_at, row.ip, row.user_agent)


def api_key(row: ApiKeyRow) -> ApiKey:
    """The public value of a row."""
    return ApiKey(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=list(row.scopes),
        allowed_ips=list(row.allowed_ips),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_ip=row.last_used_ip,
        revoked_at=row.revoked_at,
    )

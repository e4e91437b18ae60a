"""Signed-in browsers: opened, resolved at each request, confirmed, rotated, listed and revoked."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.text import clean_text
from crm.operators import records
from crm.operators.errors import SessionNotFoundError
from crm.operators.models import OperatorRow, SessionRow
from crm.operators.permissions import Role, of_role
from crm.operators.policy import ABSOLUTE, IDLE
from crm.operators.tokens import digest, new_token
from crm.operators.types import OperatorStatus, Principal, PrincipalKind, SessionView

_TOUCH_SECONDS = 60
_LONGEST_AGENT = 300


async def open_session(session: AsyncSession, operator_id: int, *, ip: str, user_agent: str) -> str:
    """A new session for someone who has just proved who they are; answers the cookie's token."""
    token, now = new_token(), await clock.now(session)
    session.add(
        SessionRow(
            token_hash=digest(token),
            operator_id=operator_id,
            created_at=now,
            last_seen_at=now,
            confirmed_at=now,
            expires_at=now + ABSOLUTE,
            ip=ip,
            user_agent=clean_text(user_agent)[:_LONGEST_AGENT],
        )
    )
    await session.flush()
    return token


async def resolve(session: AsyncSession, token: str) -> Principal | None:
    """Who the cookie's token stands for: an active operator whose session is neither idle nor too old."""
    now = await clock.now(session)
    query = (
        select(SessionRow, OperatorRow)
        .join(OperatorRow, OperatorRow.id == SessionRow.operator_id)
        .where(
            SessionRow.token_hash == digest(token),
            SessionRow.expires_at > now,
            SessionRow.last_seen_at > now - IDLE,
            OperatorRow.status == OperatorStatus.ACTIVE,
        )
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    row, operator = found
    if (now - row.last_seen_at).total_seconds() >= _TOUCH_SECONDS:
        row.last_seen_at = now
        await session.flush()
    role = Role(operator.role)
    return Principal(
        kind=PrincipalKind.OPERATOR,
        id=operator.id,
        name=operator.name,
        permissions=of_role(role),
        role=role,
        locale=operator.locale,
        session_id=row.id,
        confirmed_at=row.confirmed_at,
    )


async def confirm(session: AsyncSession, session_id: int) -> str:
    """Remember that the password was typed again just now; answers the rotated token."""
    token = new_token()
    values = {"confirmed_at": await clock.now(session), "token_hash": digest(token)}
    await session.execute(update(SessionRow).where(SessionRow.id == session_id).values(values))
    return token


async def listing(session: AsyncSession, operator_id: int) -> list[SessionView]:
    """The operator's sessions that still count, the last seen first."""
    now = await clock.now(session)
    query = (
        select(SessionRow)
        .where(SessionRow.operator_id == operator_id, SessionRow.expires_at > now, SessionRow.last_seen_at > now - IDLE)
        .order_by(SessionRow.last_seen_at.desc(), SessionRow.id.desc())
    )
    return [records.session_view(row) for row in await session.scalars(query)]


async def revoke(session: AsyncSession, operator_id: int, session_id: int) -> None:
    """End one of the operator's sessions. Raises SessionNotFoundError."""
    statement = delete(SessionRow).where(SessionRow.id == session_id, SessionRow.operator_id == operator_id)
    gone = await session.execute(statement.returning(SessionRow.id))
    if gone.scalar_one_or_none() is None:
        raise SessionNotFoundError


async def revoke_others(session: AsyncSession, operator_id: int, *, keep_id: int | None) -> int:
    """End the operator's sessions except `keep_id`; answers how many."""
    statement = delete(SessionRow).where(SessionRow.operator_id == operator_id)
    if keep_id is not None:
        statement = statement.where(SessionRow.id != keep_id)
    gone = await session.execute(statement.returning(SessionRow.id))
    return len(gone.all())

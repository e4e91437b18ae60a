"""Operators' accounts: making, signing in, changing, disabling; and the chats that are theirs."""

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.localized import LOCALES
from crm.operators import chats, passwords, records
from crm.operators.errors import (
    EmailTakenError,
    LastOwnerError,
    OperatorNotFoundError,
    RoleNotAllowedError,
    WrongPasswordError,
)
from crm.operators.models import OperatorRow, SessionRow
from crm.operators.permissions import Role, may_manage
from crm.operators.policy import check_password, normal_email, operator_name
from crm.operators.types import LinkedIdentity, Operator, OperatorStatus

_OWNERS_LOCK = 0x5159_0008


async def create(
    session: AsyncSession, *, email: str, name: str, role: Role, password: str, locale: str = "zh-CN"
) -> Operator:
    """A new active operator. Raises InvalidEmailError, InvalidOperatorNameError, WeakPasswordError, EmailTakenError."""
    email, name = normal_email(email), operator_name(name)
    check_password(password, email=email, name=name)
    indexes = records.email_indexes(session, email)
    await _refuse_taken(session, indexes)
    operator_id = await session.scalar(select(func.nextval("operators_id_seq")))
    assert operator_id is not None
    row = OperatorRow(
        id=operator_id,
        email_sealed=records.seal_email(session, operator_id, email),
        email_index=indexes[0],
        name=name,
        role=role,
        password_hash=await passwords.hashed(password),
        locale=locale if locale in LOCALES else LOCALES[0],
        status=OperatorStatus.ACTIVE,
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as taken:
        raise EmailTakenError from taken
    await session.refresh(row)
    return records.operator(session, row)


async def get(session: AsyncSession, operator_id: int) -> Operator:
    """One operator. Raises OperatorNotFoundError."""
    return records.operator(session, await _row(session, operator_id))


async def find_by_email(session: AsyncSession, email: str) -> Operator | None:
    """The operator with this address, active or not. Raises InvalidEmailError."""
    row = await _by_email(session, normal_email(email))
    return None if row is None else records.operator(session, row)


async def listing(session: AsyncSession, *, after_id: int = 0, limit: int = 200) -> list[Operator]:
    """Operators by id, disabled ones too."""
    query = select(OperatorRow).where(OperatorRow.id > after_id).order_by(OperatorRow.id).limit(limit)
    return [records.operator(session, row) for row in await session.scalars(query)]


async def exists_any(session: AsyncSession) -> bool:
    """Whether the first operator has been made."""
    return await session.scalar(select(OperatorRow.id).limit(1)) is not None


async def authenticate(session: AsyncSession, *, email: str, password: str) -> Operator:
    """The active operator with this address and password; takes as long for an unknown address.

    A hash made with weaker figures is made anew. Raises WrongPasswordError for every reason to refuse.
    """
    row = await _by_email(session, email.strip().lower())
    is_right = await passwords.is_right(password, row.password_hash if row else None)
    if row is None or not is_right or row.status != OperatorStatus.ACTIVE:
        raise WrongPasswordError
    if passwords.is_outdated(row.password_hash):
        row.password_hash = await passwords.hashed(password)
    row.last_signed_in_at = await clock.now(session)
    await session.flush()
    return records.operator(session, row)


async def confirm_password(session: AsyncSession, operator_id: int, password: str) -> None:
    """Raises WrongPasswordError unless this is the operator's password."""
    row = await _row(session, operator_id)
    if not await passwords.is_right(password, row.password_hash):
        raise WrongPasswordError("This is not your password.")


async def change_profile(
    session: AsyncSession, operator_id: int, *, name: str | None = None, locale: str | None = None
) -> Operator:
    """Change one's own name or the console's language (an unknown one is left)."""
    row = await _row(session, operator_id)
    row.name = operator_name(name) if name is not None else row.name
    row.locale = locale if locale in LOCALES else row.locale
    await session.flush()
    return records.operator(session, row)


async def set_password(session: AsyncSession, operator_id: int, password: str) -> Operator:
    """A new password; every session of the operator ends. Raises WeakPasswordError."""
    row = await _row(session, operator_id)
    operator = records.operator(session, row)
    check_password(password, email=operator.email, name=operator.name)
    row.password_hash = await passwords.hashed(password)
    await _end_sessions(session, operator_id)
    return operator


async def set_role(session: AsyncSession, operator_id: int, role: Role, *, acting: Role | None) -> Operator:
    """Another role; the operator's sessions end. Raises RoleNotAllowedError, LastOwnerError."""
    row = await _managed(session, operator_id, acting, becoming=role)
    if row.role == Role.OWNER and role is not Role.OWNER:
        await _keep_an_owner(session, operator_id)
    if row.role != role:
        row.role = role
        await _end_sessions(session, operator_id)
    return records.operator(session, row)


async def disable(session: AsyncSession, operator_id: int, *, acting: Role | None) -> Operator:
    """Let an operator in no longer; their sessions end at once. Raises RoleNotAllowedError, LastOwnerError."""
    row = await _managed(session, operator_id, acting)
    if row.role == Role.OWNER:
        await _keep_an_owner(session, operator_id)
    row.status = OperatorStatus.DISABLED
    await _end_sessions(session, operator_id)
    return records.operator(session, row)


async def enable(session: AsyncSession, operator_id: int, *, acting: Role | None) -> Operator:
    """Let a disabled operator in again. Raises RoleNotAllowedError."""
    row = await _managed(session, operator_id, acting)
    row.status = OperatorStatus.ACTIVE
    await session.flush()
    return records.operator(session, row)


async def linked_identities(session: AsyncSession, operator_id: int) -> list[LinkedIdentity]:
    """The chats to which this operator's test sends go, the one linked last first."""
    return await chats.linked(session, operator_id)


async def _row(session: AsyncSession, operator_id: int, *, lock: bool = False) -> OperatorRow:
    row = await session.get(OperatorRow, operator_id, populate_existing=True, with_for_update=lock or None)
    if row is None:
        raise OperatorNotFoundError
    return row


async def _by_email(session: AsyncSession, email: str) -> OperatorRow | None:
    indexes = records.email_indexes(session, email)
    found: OperatorRow | None = await session.scalar(select(OperatorRow).where(OperatorRow.email_index.in_(indexes)))
    return found


async def _refuse_taken(session: AsyncSession, indexes: tuple[bytes, ...]) -> None:
    if await session.scalar(select(OperatorRow.id).where(OperatorRow.email_index.in_(indexes))) is not None:
        raise EmailTakenError


async def _managed(
    session: AsyncSession, operator_id: int, acting: Role | None, *, becoming: Role | None = None
) -> OperatorRow:
    row = await _row(session, operator_id, lock=True)
    if not all(may_manage(acting, role) for role in (Role(row.role), becoming) if role):
        raise RoleNotAllowedError
    return row


async def _keep_an_owner(session: AsyncSession, leaving_id: int) -> None:
    await session.execute(select(func.pg_advisory_xact_lock(_OWNERS_LOCK)))
    others = select(func.count()).where(
        OperatorRow.role == Role.OWNER, OperatorRow.status == OperatorStatus.ACTIVE, OperatorRow.id != leaving_id
    )
    if not await session.scalar(others):
        raise LastOwnerError


async def _end_sessions(session: AsyncSession, operator_id: int) -> None:
    await session.flush()
    await session.execute(delete(SessionRow).where(SessionRow.operator_id == operator_id))

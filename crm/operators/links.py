"""One-time links: the first operator, invitations, password resets. Tokens are stored as digests."""

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.operators import records, service
from crm.operators.errors import EmailTakenError, LinkNotFoundError, RoleNotAllowedError, SetupDoneError
from crm.operators.models import LinkRow
from crm.operators.permissions import Role, may_manage
from crm.operators.policy import INVITATION_VALID, RESET_VALID, SETUP_VALID, normal_email
from crm.operators.tokens import digest, new_token
from crm.operators.types import IssuedLink, Link, LinkPurpose, Operator

_SETUP_LOCK = 0x5159_0009


async def issue_setup(session: AsyncSession) -> IssuedLink:
    """The link that makes the first operator; earlier ones end. Raises SetupDoneError when there is an operator."""
    await _one_setup_at_a_time(session)
    return await _issue(session, LinkPurpose.SETUP, SETUP_VALID)


async def invite(session: AsyncSession, *, email: str, role: Role, acting: Role | None) -> IssuedLink:
    """A link by which the owner of `email` becomes an operator; an earlier one for the address ends.

    Raises InvalidEmailError, EmailTakenError, RoleNotAllowedError.
    """
    if not may_manage(acting, role):
        raise RoleNotAllowedError
    address = normal_email(email)
    if await service.find_by_email(session, address) is not None:
        raise EmailTakenError
    for link in await pending(session):
        if link.email == address:
            await withdraw(session, link.id)
    return await _issue(session, LinkPurpose.INVITATION, INVITATION_VALID, email=address, role=role)


async def issue_password_reset(session: AsyncSession, operator_id: int) -> IssuedLink:
    """A link by which an operator sets a new password; earlier ones end. Raises OperatorNotFoundError."""
    operator = await service.get(session, operator_id)
    return await _issue(session, LinkPurpose.PASSWORD_RESET, RESET_VALID, operator_id=operator.id)


async def pending(session: AsyncSession) -> list[Link]:
    """Invitations that wait for an answer, newest first."""
    now = await clock.now(session)
    query = select(LinkRow).where(
        LinkRow.purpose == LinkPurpose.INVITATION, LinkRow.used_at.is_(None), LinkRow.expires_at > now
    )
    rows = await session.scalars(query.order_by(LinkRow.id.desc()))
    return [records.link(session, row) for row in rows]


async def withdraw(session: AsyncSession, link_id: int) -> None:
    """End an invitation that waits. Raises LinkNotFoundError."""
    now = await clock.now(session)
    statement = update(LinkRow).where(
        LinkRow.id == link_id, LinkRow.purpose == LinkPurpose.INVITATION, LinkRow.used_at.is_(None)
    )
    ended = await session.execute(statement.values(used_at=now).returning(LinkRow.id))
    if ended.scalar_one_or_none() is None:
        raise LinkNotFoundError


async def look(session: AsyncSession, token: str, purpose: LinkPurpose) -> Link:
    """The link behind a token, to show its page. Raises LinkNotFoundError."""
    return records.link(session, await _usable(session, token, purpose))


async def complete_setup(
    session: AsyncSession, token: str, *, email: str, name: str, password: str, locale: str = "zh-CN"
) -> Operator:
    """Make the first operator, an owner, and use up the link. Raises LinkNotFoundError, SetupDoneError and more."""
    await _one_setup_at_a_time(session)
    row = await _usable(session, token, LinkPurpose.SETUP, lock=True)
    operator = await service.create(session, email=email, name=name, role=Role.OWNER, password=password, locale=locale)
    await _use(session, row)
    return operator


async def accept_invitation(
    session: AsyncSession, token: str, *, name: str, password: str, locale: str = "zh-CN"
) -> Operator:
    """Become an operator by invitation. Raises LinkNotFoundError, WeakPasswordError, EmailTakenError."""
    row = await _usable(session, token, LinkPurpose.INVITATION, lock=True)
    link = records.link(session, row)
    assert link.email is not None
    assert link.role is not None
    operator = await service.create(
        session, email=link.email, name=name, role=link.role, password=password, locale=locale
    )
    await _use(session, row)
    return operator


async def reset_password(session: AsyncSession, token: str, *, password: str) -> Operator:
    """Set a new password by link; all sessions end. Raises LinkNotFoundError, WeakPasswordError."""
    row = await _usable(session, token, LinkPurpose.PASSWORD_RESET, lock=True)
    assert row.operator_id is not None
    operator = await service.set_password(session, row.operator_id, password)
    await _use(session, row)
    return operator


async def _issue(
    session: AsyncSession,
    purpose: LinkPurpose,
    valid: timedelta,
    *,
    email: str | None = None,
    role: Role | None = None,
    operator_id: int | None = None,
) -> IssuedLink:
    now, token = await clock.now(session), new_token()
    if purpose is not LinkPurpose.INVITATION:
        await session.execute(
            update(LinkRow)
            .where(
                LinkRow.purpose == purpose,
                LinkRow.operator_id.is_not_distinct_from(operator_id),
                LinkRow.used_at.is_(None),
            )
            .values(used_at=now)
        )
    link_id = await session.scalar(select(func.nextval("operator_links_id_seq")))
    assert link_id is not None
    row = LinkRow(
        id=link_id,
        purpose=purpose,
        token_hash=digest(token),
        email_sealed=None if email is None else records.seal_link_email(session, link_id, email),
        role=role,
        operator_id=operator_id,
        created_at=now,
        expires_at=now + valid,
    )
    session.add(row)
    await session.flush()
    return IssuedLink(records.link(session, row), token)


async def _one_setup_at_a_time(session: AsyncSession) -> None:
    await session.execute(select(func.pg_advisory_xact_lock(_SETUP_LOCK)))
    if await service.exists_any(session):
        raise SetupDoneError


async def _usable(session: AsyncSession, token: str, purpose: LinkPurpose, *, lock: bool = False) -> LinkRow:
    now = await clock.now(session)
    query = select(LinkRow).where(
        LinkRow.token_hash == digest(token),
        LinkRow.purpose == purpose,
        LinkRow.used_at.is_(None),
        LinkRow.expires_at > now,
    )
    row: LinkRow | None = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise LinkNotFoundError
    return row


async def _use(session: AsyncSession, row: LinkRow) -> None:
    row.used_at = await clock.now(session)
    await session.flush()

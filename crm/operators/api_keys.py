"""Keys for programs: made, resolved at each request, listed and revoked."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.text import clean_name
from crm.operators import records
from crm.operators.errors import ApiKeyNotFoundError, InvalidApiKeyError, ScopeNotAllowedError
from crm.operators.models import ApiKeyRow
from crm.operators.permissions import Permission, of_scopes
from crm.operators.policy import checked_networks, checked_scopes
from crm.operators.tokens import digest, hint, new_api_key
from crm.operators.types import ApiKey, IssuedApiKey, Principal, PrincipalKind

_TOUCH_EVERY = timedelta(minutes=1)


async def create(
    session: AsyncSession,
    *,
    name: str,
    scopes: list[str],
    granting: frozenset[Permission],
    expires_at: datetime | None = None,
    allowed_ips: list[str] | None = None,
    created_by: int | None = None,
) -> IssuedApiKey:
    """A new key; its secret is answered once. `granting` is what the maker may do: a key never gets more.

    Raises InvalidApiKeyError, UnknownScopeError, ScopeNotAllowedError, InvalidAddressError.
    """
    now, cleaned, wanted = await clock.now(session), clean_name(name), checked_scopes(scopes)
    if not cleaned or not wanted or (expires_at is not None and expires_at <= now):
        raise InvalidApiKeyError
    if not of_scopes(wanted) <= granting:
        raise ScopeNotAllowedError
    secret = new_api_key()
    row = ApiKeyRow(
        name=cleaned,
        hint=hint(secret),
        token_hash=digest(secret),
        scopes=wanted,
        allowed_ips=checked_networks(allowed_ips or []),
        created_by=created_by,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    return IssuedApiKey(records.api_key(row), secret)


async def find(session: AsyncSession, secret: str) -> ApiKey | None:
    """The key with this secret, even when it is revoked or has expired."""
    row = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.token_hash == digest(secret)))
    return None if row is None else records.api_key(row)


def principal(key: ApiKey) -> Principal:
    """Who a request with this key acts for."""
    return Principal(PrincipalKind.API_KEY, key.id, key.name, of_scopes(key.scopes))


async def touch(session: AsyncSession, key_id: int, *, ip: str) -> None:
    """Remember that the key was used, at most once a minute."""
    now = await clock.now(session)
    is_due = or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < now - _TOUCH_EVERY)
    statement = update(ApiKeyRow).where(ApiKeyRow.id == key_id, is_due)
    await session.execute(statement.values(last_used_at=now, last_used_ip=ip))


async def get(session: AsyncSession, key_id: int) -> ApiKey:
    """One key. Raises ApiKeyNotFoundError."""
    row = await session.get(ApiKeyRow, key_id)
    if row is None:
        raise ApiKeyNotFoundError
    return records.api_key(row)


async def listing(session: AsyncSession, *, before_id: int | None = None, limit: int = 200) -> list[ApiKey]:
    """Keys, newest first, revoked ones too."""
    query = select(ApiKeyRow).order_by(ApiKeyRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(ApiKeyRow.id < before_id)
    return [records.api_key(row) for row in await session.scalars(query)]


async def revoke(session: AsyncSession, key_id: int) -> ApiKey:
    """End a key at once; a second time changes nothing. Raises ApiKeyNotFoundError."""
    row = await session.get(ApiKeyRow, key_id, with_for_update=True)
    if row is None:
        raise ApiKeyNotFoundError
    if row.revoked_at is None:
        row.revoked_at = await clock.now(session)
        await session.flush()
    return records.api_key(row)

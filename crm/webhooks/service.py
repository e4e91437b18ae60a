"""Endpoints: who is told of what, under which secrets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete as remove
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import surroundings, vault
from crm.events import wishes
from crm.events.catalogue import CATALOGUE
from crm.kit.egress import PORT, Egress
from crm.webhooks import policy, signing
from crm.webhooks.errors import EndpointNotFound, TooManyEndpoints
from crm.webhooks.models import EndpointRow, MessageRow
from crm.webhooks.types import (
    DisabledReason,
    Endpoint,
    EndpointStatus,
    IssuedEndpoint,
    MessageState,
)

SUBSCRIBER = "webhooks.tell"
_LOCK = 0x5159_0A01


async def listing(session: AsyncSession) -> list[Endpoint]:
    """All endpoints, the newest first; there are few."""
    rows = await session.scalars(select(EndpointRow).order_by(EndpointRow.id.desc()))
    return [_endpoint(session, row) for row in rows]


async def get(session: AsyncSession, endpoint_id: int) -> Endpoint:
    """One endpoint. Raises EndpointNotFound."""
    return _endpoint(session, await _row(session, endpoint_id))


async def create(
    session: AsyncSession, *, name: str, address: str, kinds: Iterable[str], created_by: int | None = None
) -> IssuedEndpoint:
    """An endpoint that is told of events from now on.

    Raises InvalidEndpoint, AddressRefused, TooManyEndpoints.
    """
    egress_of(session).check(address)
    await _lock(session)
    if (await session.execute(select(func.count()).select_from(EndpointRow))).scalar_one() >= policy.MAX_ENDPOINTS:
        raise TooManyEndpoints
    row = EndpointRow(
        name=policy.valid_name(name),
        kinds=policy.valid_kinds(kinds, CATALOGUE),
        address_sealed=b"",
        secret_sealed=b"",
        created_by=created_by,
    )
    session.add(row)
    await session.flush()
    secret = signing.new_secret()
    row.address_sealed = vault(session).seal(address, f"{policy.ADDRESS}:{row.id}")
    row.secret_sealed = vault(session).seal(secret, f"{policy.SECRET}:{row.id}")
    await _wish(session)
    return IssuedEndpoint(_endpoint(session, row), secret)


async def change(
    session: AsyncSession,
    endpoint_id: int,
    *,
    name: str | None = None,
    address: str | None = None,
    kinds: Iterable[str] | None = None,
) -> Endpoint:
    """Change what is given; another address starts with a clean record.

    Raises EndpointNotFound, InvalidEndpoint, AddressRefused.
    """
    await _lock(session)
    row = await _row(session, endpoint_id)
    if name is not None:
        row.name = policy.valid_name(name)
    if kinds is not None:
        row.kinds = policy.valid_kinds(kinds, CATALOGUE)
    if address is not None and address != _address(session, row):
        egress_of(session).check(address)
        row.address_sealed = vault(session).seal(address, f"{policy.ADDRESS}:{row.id}")
        row.failing_since = None
    await _wish(session)
    return _endpoint(session, row)


async def enable(session: AsyncSession, endpoint_id: int) -> Endpoint:
    """Call it again; what waits is due at once, with all its tries. Raises EndpointNotFound."""
    await _lock(session)
    row = await _row(session, endpoint_id)
    if row.status == EndpointStatus.DISABLED:
        row.status, row.disabled_reason, row.disabled_at, row.failing_since = EndpointStatus.ACTIVE, None, None, None
        waiting = update(MessageRow).where(MessageRow.endpoint_id == row.id, MessageRow.state == MessageState.WAITING)
        await session.execute(waiting.values(tries=0, due_at=await clock.now(session)))
        await _wish(session)
    return _endpoint(session, row)


async def disable(
    session: AsyncSession, endpoint_id: int, reason: DisabledReason = DisabledReason.OPERATOR
) -> Endpoint:
    """Call it no more: what waits goes on waiting, later events are not kept for it. Raises EndpointNotFound."""
    await _lock(session)
    row = await _row(session, endpoint_id)
    if row.status == EndpointStatus.ACTIVE:
        row.status, row.disabled_reason = EndpointStatus.DISABLED, reason
        row.disabled_at = await clock.now(session)
        await _wish(session)
    return _endpoint(session, row)


async def delete(session: AsyncSession, endpoint_id: int) -> None:
    """Forget the endpoint, its secrets and what waits for it. Raises EndpointNotFound."""
    await _lock(session)
    row = await _row(session, endpoint_id)
    await session.execute(remove(MessageRow).where(MessageRow.endpoint_id == row.id))
    await session.delete(row)
    await _wish(session)


async def rotate_secret(session: AsyncSession, endpoint_id: int, *, overlap_hours: int = 24) -> IssuedEndpoint:
    """A new secret; the present one signs along for `overlap_hours`, one before it ends at once.

    Raises EndpointNotFound, InvalidEndpoint.
    """
    overlap = policy.valid_overlap(overlap_hours)
    row = await _row(session, endpoint_id)
    safe, secret = vault(session), signing.new_secret()
    present = safe.open(row.secret_sealed, f"{policy.SECRET}:{row.id}")
    row.older_secret_sealed = safe.seal(present, f"{policy.OLDER_SECRET}:{row.id}") if overlap else None
    row.older_secret_until = await clock.now(session) + overlap if overlap else None
    row.secret_sealed = safe.seal(secret, f"{policy.SECRET}:{row.id}")
    await session.flush()
    return IssuedEndpoint(_endpoint(session, row), secret)


async def given_up(session: AsyncSession) -> list[Endpoint]:
    """Endpoints that were disabled because of what they answered."""
    by_itself = (DisabledReason.FAILING, DisabledReason.GONE)
    query = select(EndpointRow).where(
        EndpointRow.status == EndpointStatus.DISABLED, EndpointRow.disabled_reason.in_(by_itself)
    )
    return [_endpoint(session, row) for row in await session.scalars(query.order_by(EndpointRow.id))]


def egress_of(session: AsyncSession) -> Egress:
    """The client that runtime handed to this session."""
    found: Egress = surroundings(session).ports[PORT]
    return found


def used_secrets(session: AsyncSession, row: EndpointRow, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    safe = vault(session)
    used = [safe.open(row.secret_sealed, f"{policy.SECRET}:{row.id}")]
    if row.older_secret_sealed is not None and row.older_secret_until is not None and row.older_secret_until > now:
        used.append(safe.open(row.older_secret_sealed, f"{policy.OLDER_SECRET}:{row.id}"))
    return used


async def _lock(session: AsyncSession) -> None:
    """One change of endpoints at a time, so that what is wished for is made from all of them."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def _wish(session: AsyncSession) -> None:
    await session.flush()
    wanted = select(func.unnest(EndpointRow.kinds)).where(EndpointRow.status == EndpointStatus.ACTIVE).distinct()
    await wishes.wish(session, SUBSCRIBER, await session.scalars(wanted))


async def _row(session: AsyncSession, endpoint_id: int) -> EndpointRow:
    """Locked, because others count its messages and failures."""
    row = await session.get(EndpointRow, endpoint_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise EndpointNotFound(endpoint_id=endpoint_id)
    return row


def _address(session: AsyncSession, row: EndpointRow) -> str:
    return vault(session).open(row.address_sealed, f"{policy.ADDRESS}:{row.id}")


def _endpoint(session: AsyncSession, row: EndpointRow) -> Endpoint:
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ("id", "name", "kinds", "disabled_at", "failing_since")
    }
    return Endpoint(
        **values,
        address=_address(session, row),
        status=EndpointStatus(row.status),
        disabled_reason=DisabledReason(row.disabled_reason) if row.disabled_reason else None,
        older_secret_until=row.older_secret_until,
        created_by=row.created_by,
        created_at=row.created_at,
    )

"""What was answered to a request with an Idempotency-Key, so that a repeated one has no second effect.

A request holds its key by an advisory lock of its transaction: while it is in flight a second one is refused,
and a crash frees the key by itself. The answer is stored in the transaction of the effect.
"""

import hashlib

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.operators.errors import IdempotencyInFlightError, IdempotencyMismatchError
from crm.operators.models import IdempotencyRow
from crm.operators.policy import IDEMPOTENCY_KEPT
from crm.operators.types import StoredResponse

RESPONSE = "idempotency_keys.response"


async def claim(
    session: AsyncSession, *, principal: str, key: str, operation: str, body: bytes
) -> StoredResponse | None:
    """Hold the key until the transaction ends; answers what is to be replayed, if anything.

    Raises IdempotencyInFlightError, IdempotencyMismatchError (the key came with another operation or body).
    """
    number = int.from_bytes(hashlib.sha256(f"{principal} {key}".encode()).digest()[:8], "big", signed=True)
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(number))):
        raise IdempotencyInFlightError
    row = await session.get(IdempotencyRow, (principal, key))
    if row is None:
        return None
    if row.operation != operation or row.body_hash != hashlib.sha256(body).digest():
        raise IdempotencyMismatchError
    plain = vault(session).open_bytes(row.response_sealed, _place(principal, key))
    return StoredResponse(row.response_status, row.response_type, plain)


async def keep(
    session: AsyncSession, *, principal: str, key: str, operation: str, body: bytes, response: StoredResponse
) -> None:
    """Store the answer of a request that was done."""
    session.add(
        IdempotencyRow(
            principal=principal,
            key=key,
            operation=operation,
            body_hash=hashlib.sha256(body).digest(),
            response_status=response.status,
            response_type=response.content_type,
            response_sealed=vault(session).seal(response.body, _place(principal, key)),
            created_at=await clock.now(session),
        )
    )
    await session.flush()


async def forget_old(session: AsyncSession) -> int:
    """Remove answers that were kept for 8 days; answers how many."""
    before = await clock.now(session) - IDEMPOTENCY_KEPT
    gone = await session.execute(
        delete(IdempotencyRow).where(IdempotencyRow.created_at < before).returning(IdempotencyRow.key)
    )
    return len(gone.all())


def _place(principal: str, key: str) -> str:
    return f"{RESPONSE}:{principal}:{key}"

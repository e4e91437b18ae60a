"""Sending messages: claimed by lease, called outside of any transaction, settled with a fence.

Any number of workers may do so. What a killed one held is due again when its lease ends: messages arrive at least
once, under the same id.
"""

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions, vault
from crm.events.service import find
from crm.kit.clock import monotonic, process_now
from crm.kit.crypto import SealBrokenError
from crm.kit.egress import AddressRefused, Egress, EgressAnswer, EgressFailed
from crm.recovery import service as recovery
from crm.webhooks import bodies, policy, service, signing
from crm.webhooks.models import ATTEMPTS, EndpointRow, MessageRow
from crm.webhooks.types import TEST_KIND, Claimed, EndpointStatus, MessageState, Outcome

LEASE_SECONDS = 30
"""Longer than a call can take; after a crash the message is free again so soon."""
_SUCCESS = range(200, 300)
# One message of each endpoint at a time, so that none is served before all others.
_CLAIM = text("""
WITH due AS (
    SELECT found.* FROM webhook_endpoints e CROSS JOIN LATERAL (
        SELECT m.endpoint_id, m.event_id, m.occurred_at FROM webhook_messages m
        WHERE m.endpoint_id = e.id AND m.state = 'waiting' AND m.due_at <= siyu_now()
            AND (m.lease_until IS NULL OR m.lease_until < clock_timestamp())
        ORDER BY m.due_at, m.sequence LIMIT 1 FOR UPDATE SKIP LOCKED
    ) found
    WHERE e.status = 'active' AND e.id <> ALL (CAST(:busy AS bigint[]))
)
UPDATE webhook_messages m
SET fence = fence + 1, lease_until = clock_timestamp() + make_interval(secs => :seconds)
FROM due
WHERE (m.endpoint_id, m.event_id, m.occurred_at) = (due.endpoint_id, due.event_id, due.occurred_at)
RETURNING m.endpoint_id, m.event_id, m.occurred_at, m.fence
""")


async def claim(sessions: Sessions, busy: Collection[int] = ()) -> list[Claimed]:
    """What is due, at most one message of each endpoint that is not `busy`; each is to be called and settled.

    Nothing after a restore, until an operator confirms.
    """
    async with sessions.begin() as session:
        if await recovery.is_on(session):
            return []
        found = await session.execute(_CLAIM, {"busy": list(busy), "seconds": LEASE_SECONDS})
        return [await _load(session, *row) for row in found.all()]


async def _load(session: AsyncSession, endpoint_id: int, event_id: UUID, occurred_at: datetime, fence: int) -> Claimed:
    endpoint = await session.get_one(EndpointRow, endpoint_id, populate_existing=True)
    message = await session.get_one(MessageRow, (endpoint_id, event_id, occurred_at), populate_existing=True)
    bare = Claimed(endpoint_id, event_id, message.occurred_at, fence, message.tries, message.attempts)
    body = await body_of(session, message)
    if body is None:
        return replace(bare, problem="the event is not in the log any more")
    now = await clock.now(session)
    try:
        address = vault(session).open(endpoint.address_sealed, f"{policy.ADDRESS}:{endpoint_id}")
        used = service.used_secrets(session, endpoint, now)
    except SealBrokenError:
        return replace(bare, problem="address or secret do not open with the keys in use")
    return replace(bare, address=address, body=body, headers=signing.headers(used, event_id, now, body))


async def body_of(session: AsyncSession, message: MessageRow) -> bytes | None:
    """What is sent, made from the event; None when that is not in the log any more."""
    if message.kind == TEST_KIND:
        return bodies.test_body(message.event_id, message.occurred_at, message.sequence, message.endpoint_id)
    event = await find(session, message.event_id, message.occurred_at)
    return None if event is None else bodies.event_body(event, message.sequence)


async def call(egress: Egress, claimed: Claimed) -> Outcome:
    """The call alone: only 2xx is a success."""
    if claimed.problem is not None:
        return Outcome(is_success=False, milliseconds=0, error=claimed.problem)
    started = monotonic()
    try:
        answer = await egress.post(claimed.address, headers=claimed.headers, body=claimed.body)
    except AddressRefused as refused:
        return Outcome(is_success=False, milliseconds=_since(started), error=refused.detail)
    except EgressFailed as failed:
        return Outcome(is_success=False, milliseconds=_since(started), error=str(failed))
    return _judge(answer, _since(started))


def _judge(answer: EgressAnswer, milliseconds: int) -> Outcome:
    is_success = answer.status in _SUCCESS
    return Outcome(
        is_success=is_success,
        milliseconds=milliseconds,
        status=answer.status,
        error=None if is_success else f"answered {answer.status}",
        excerpt=policy.excerpt(answer.body),
        retry_after=policy.parse_retry_after(answer.headers.get("retry-after"), process_now()),
    )


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)


async def settle(session: AsyncSession, claimed: Claimed, outcome: Outcome) -> None:
    """Log the attempt; unless the lease was lost, note how the message stands and how the endpoint does."""
    await _log(session, claimed, outcome)
    now = await clock.now(session)
    values: dict[str, Any] = {
        "attempts": MessageRow.attempts + 1,
        "last_status": outcome.status,
        "last_error": outcome.error,
    }
    if outcome.is_success:
        values |= {"state": MessageState.DELIVERED, "finished_at": now}
    else:
        tries = claimed.tries + 1
        chance = secrets.randbelow(1001) / 1000
        delay = policy.next_delay(tries, chance, outcome.retry_after) if claimed.problem is None else None
        dead: dict[str, Any] = {"state": MessageState.DEAD, "finished_at": now}
        values |= {"tries": tries, **(dead if delay is None else {"due_at": now + delay})}
    change = update(MessageRow).where(
        MessageRow.endpoint_id == claimed.endpoint_id,
        MessageRow.event_id == claimed.event_id,
        MessageRow.occurred_at == claimed.occurred_at,
        MessageRow.fence == claimed.fence,
    )
    if claimed.problem is None:  # the endpoint before its messages, as whoever deletes both
        await _note_endpoint(session, claimed.endpoint_id, outcome)
    await session.execute(change.values(**values, lease_until=None))


async def _log(session: AsyncSession, claimed: Claimed, outcome: Outcome) -> None:
    values = {
        "endpoint_id": claimed.endpoint_id,
        "event_id": claimed.event_id,
        "at": await clock.now(session),
        "number": claimed.attempts + 1,
        "is_success": outcome.is_success,
        "status": outcome.status,
        "milliseconds": outcome.milliseconds,
        "error": outcome.error,
        "excerpt": outcome.excerpt,
    }
    await session.execute(insert(ATTEMPTS).values(values))


async def _note_endpoint(session: AsyncSession, endpoint_id: int, outcome: Outcome) -> None:
    """A success clears the record; a failure may be the last."""
    row = EndpointRow
    if outcome.is_success:
        well = update(row).where(row.id == endpoint_id, row.failing_since.is_not(None)).values(failing_since=None)
        await session.execute(well)
        return
    now = await clock.now(session)
    known = (await session.execute(select(row.failing_since, row.status).where(row.id == endpoint_id))).one_or_none()
    if known is None or known.status == EndpointStatus.DISABLED:
        return
    if known.failing_since is None:
        first = update(row).where(row.id == endpoint_id, row.failing_since.is_(None)).values(failing_since=now)
        await session.execute(first)
    reason = policy.verdict(outcome.status, known.failing_since or now, now)
    if reason is not None:
        await service.disable(session, endpoint_id, reason)

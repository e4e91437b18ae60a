"""Lists of deliveries: of one source for operators, of one member for "why did this member (not) get this?"."""

from typing import Any

from sqlalchemy import Select, Text, cast, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.derived import STATES
from crm.deliveries.models import BulkDeliveryRow, ChunkRow, SourceRow
from crm.deliveries.types import Delivery, DeliveryState, MemberDelivery
from crm.kit.paging import Page, check_limit, decode_cursor, page_of

_S = STATES.c


async def of_source(
    session: AsyncSession, source: SourceRow, *, state: DeliveryState | None, cursor: str | None, limit: int
) -> Page[Delivery]:
    """One page in the order of sending: by chunk, member id and step.

    Chunks are read one by one, so that the results of no other chunk are touched; those whose figures say that they
    have nothing in `state` are passed over.
    """
    limit = check_limit(limit)
    chunk, member_id, step = decode_cursor(cursor, int, int, int) if cursor else (0, 0, -1)
    rows: list[Any] = []
    for chunk_id in (await session.scalars(_chunks(source, chunk, state))).all():
        query = _of_chunk(source, chunk_id).order_by(_S.member_id, _S.step).limit(limit + 1 - len(rows))
        if chunk_id == chunk:
            query = query.where((_S.member_id > member_id) | ((_S.member_id == member_id) & (_S.step > step)))
        if state is not None:
            query = query.where(_S.state == state)
        rows += (await session.execute(query)).all()
        if len(rows) > limit:
            break
    return page_of(rows, limit, _delivery, lambda row: (row.chunk_id, row.member_id, row.step))


def _chunks(source: SourceRow, start: int, state: DeliveryState | None) -> Select[Any]:
    query = select(ChunkRow.id).where(ChunkRow.broadcast_id == source.id, ChunkRow.id >= start).order_by(ChunkRow.id)
    if state is None:
        return query
    key = DeliveryState.QUEUED if state is DeliveryState.CANCELLED else state
    name = '"suppressed:' if state is DeliveryState.SUPPRESSED else f'"{key.value}"'
    may_have = or_(ChunkRow.tally.is_(None), cast(ChunkRow.tally, Text).contains(name))
    is_fresh = or_(ChunkRow.fence > 0, literal(key is DeliveryState.QUEUED))
    return query.where(may_have, is_fresh)


def _of_chunk(source: SourceRow, chunk_id: int) -> Select[Any]:
    return select(STATES).where(
        _S.source_kind == source.source_kind,
        _S.source_id == source.source_id,
        _S.source_month == source.source_month,
        _S.chunk_id == chunk_id,
    )


async def of_member(session: AsyncSession, member_id: int, limit: int) -> list[MemberDelivery]:
    """The member's deliveries from bulk sources, the latest source first."""
    held = (
        select(SourceRow.source_kind, SourceRow.source_id, SourceRow.source_month, BulkDeliveryRow.chunk_id)
        .join(
            BulkDeliveryRow,
            (BulkDeliveryRow.broadcast_id == SourceRow.id) & (BulkDeliveryRow.source_month == SourceRow.source_month),
        )
        .where(BulkDeliveryRow.member_id == member_id)
        .order_by(SourceRow.id.desc())
        .limit(check_limit(limit))
    )
    found = []
    for kind, source_id, month, chunk_id in (await session.execute(held)).all():
        query = select(STATES).where(
            _S.source_kind == kind,
            _S.source_id == source_id,
            _S.source_month == month,
            _S.chunk_id == chunk_id,
            _S.member_id == member_id,
        )
        found += [_member_delivery(row) for row in (await session.execute(query)).all()]
    return found[:limit]


def _fields(row: Any) -> dict[str, Any]:
    return {
        "delivery_id": row.delivery_id,
        "member_id": row.member_id,
        "step": row.step,
        "state": DeliveryState(row.state),
        "reason": row.reason,
        "detail": row.detail,
        "not_before": row.not_before,
        "identity_id": row.identity_id,
        "provider_ref": row.provider_ref,
        "at": row.at,
        "attempts": row.attempts,
    }


def _delivery(row: Any) -> Delivery:
    return Delivery(**_fields(row))


def _member_delivery(row: Any) -> MemberDelivery:
    return MemberDelivery(**_fields(row), source_kind=row.source_kind, source_id=row.source_id)

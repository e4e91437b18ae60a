"""Lists of deliveries: of one source for operators, of one member for "why did this member (not) get this?"."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.derived import STATES
from crm.deliveries.models import ChunkRow, DeliveryRow, SourceRow
from crm.deliveries.types import Delivery, DeliveryState, MemberDelivery
from crm.kit.paging import Page, check_limit, decode_cursor, page_of

_S = STATES.c


async def of_source(
    session: AsyncSession, source: SourceRow, *, state: DeliveryState | None, cursor: str | None, limit: int
) -> Page[Delivery]:
    """One page by member id and step."""
    limit = check_limit(limit)
    after = decode_cursor(cursor, int, int) if cursor else (0, -1)
    query = _of(source).order_by(_S.member_id, _S.step).limit(limit + 1)
    query = query.where((_S.member_id > after[0]) | ((_S.member_id == after[0]) & (_S.step > after[1])))
    if state is None:
        query = query.where(_S.chunk_id.in_(await _chunks_of_page(session, source, after, limit + 1)))
    else:
        query = query.where(_S.state == state)
    rows = (await session.execute(query)).all()
    return page_of(rows, limit, _delivery, lambda row: (row.member_id, row.step))


def _of(source: SourceRow) -> Select[Any]:
    first = select(ChunkRow.id).where(ChunkRow.broadcast_id == source.id).order_by(ChunkRow.id).limit(1)
    return select(STATES).where(
        _S.source_kind == source.source_kind,
        _S.source_id == source.source_id,
        _S.source_month == source.source_month,
        _S.chunk_id >= first.scalar_subquery(),
    )


async def _chunks_of_page(session: AsyncSession, source: SourceRow, after: Any, limit: int) -> list[int]:
    """The few chunks that a page touches, so that only their results are read."""
    page = (
        select(DeliveryRow.chunk_id)
        .where(
            DeliveryRow.source_kind == source.source_kind,
            DeliveryRow.source_id == source.source_id,
            DeliveryRow.source_month == source.source_month,
            (DeliveryRow.member_id > after[0]) | ((DeliveryRow.member_id == after[0]) & (DeliveryRow.step > after[1])),
        )
        .order_by(DeliveryRow.member_id, DeliveryRow.step)
        .limit(limit)
        .subquery()
    )
    return list((await session.scalars(select(page.c.chunk_id).distinct())).all())


async def of_member(session: AsyncSession, member_id: int, limit: int) -> list[MemberDelivery]:
    """The member's deliveries from bulk sources, the latest source first."""
    held = (
        select(DeliveryRow.source_kind, DeliveryRow.source_id, DeliveryRow.source_month, DeliveryRow.chunk_id)
        .join(
            SourceRow,
            (SourceRow.source_kind == DeliveryRow.source_kind)
            & (SourceRow.source_id == DeliveryRow.source_id)
            & (SourceRow.source_month == DeliveryRow.source_month),
        )
        .where(DeliveryRow.member_id == member_id)
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

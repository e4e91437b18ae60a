"""Fulfilment: redemptions as operators work on them, and as members look back on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.events import service as events
from crm.events.loyalty import RedemptionAdvanced
from crm.kit.paging import InvalidCursor, Page, check_limit, decode_cursor, page_of
from crm.kit.text import clean_name
from crm.rewards import policy, repository
from crm.rewards.errors import RedemptionSettled
from crm.rewards.models import RedemptionRow
from crm.rewards.types import Redemption, RedemptionStatus


async def advance(
    session: AsyncSession, redemption_id: UUID, to: RedemptionStatus, *, by: str, tracking: str | None = None
) -> Redemption:
    """The goods are prepared, shipped (with the carrier's number) or handed over.

    Raises RedemptionNotFound, RedemptionSettled when it is not a step forward.
    """
    redemption = await repository.redemption(session, redemption_id)
    if not policy.can_step(redemption.status, to):
        raise RedemptionSettled(f"from {redemption.status} it cannot go to {to}", status=redemption.status.value)
    values = {"status": to, "changed_by": by, "changed_at": await clock.now(session)}
    if tracking:
        values["tracking"] = clean_name(tracking)[: policy.MAX_TRACKING]
    same = (RedemptionRow.id == redemption_id, RedemptionRow.status == redemption.status)
    if await session.scalar(update(RedemptionRow).where(*same).values(values).returning(RedemptionRow.id)) is None:
        raise RedemptionSettled("somebody else changed it in the same moment; look again")
    fact = RedemptionAdvanced(
        member_id=redemption.member_id, redemption_id=redemption_id, reward_id=redemption.reward_id, status=to.value
    )
    await events.publish(session, fact)
    return await repository.redemption(session, redemption_id)


async def get(session: AsyncSession, redemption_id: UUID) -> Redemption:
    """One redemption. Raises RedemptionNotFound."""
    return await repository.redemption(session, redemption_id)


async def address(session: AsyncSession, redemption_id: UUID) -> str | None:
    """Where the goods go, in plain text: for those who send them; note that it was revealed."""
    sealed = await session.scalar(select(RedemptionRow.address).where(RedemptionRow.id == redemption_id))
    return None if sealed is None else vault(session).open(sealed, f"redemptions.address:{redemption_id}")


async def listing(
    session: AsyncSession,
    *,
    member_id: int | None = None,
    reward_id: int | None = None,
    status: RedemptionStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Redemption]:
    """Redemptions, newest first. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    query = repository.REDEMPTIONS.order_by(RedemptionRow.at.desc(), RedemptionRow.id.desc()).limit(limit + 1)
    for column, wanted in (
        (RedemptionRow.member_id, member_id),
        (RedemptionRow.reward_id, reward_id),
        (RedemptionRow.status, status),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if cursor is not None:
        query = query.where(tuple_(RedemptionRow.at, RedemptionRow.id) < _position(cursor))
    rows = (await session.execute(query)).all()
    return page_of(rows, limit, repository.as_redemption, lambda row: (row.at.isoformat(), str(row.id)))


async def recent(session: AsyncSession, member_id: int) -> list[Redemption]:
    """The member's last ten redemptions, newest first."""
    return (await listing(session, member_id=member_id, limit=10)).items


def _position(cursor: str) -> tuple[datetime, UUID]:
    at, redemption_id = decode_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(at), UUID(redemption_id)
    except ValueError as error:
        raise InvalidCursor from error

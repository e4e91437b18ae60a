"""From lines to postings: what the ledger's answer means, and what is announced of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.catalogue import PointsAdjusted, PointsEarned, PointsRedeemed
from crm.points import repository
from crm.points.errors import AlreadyReversed, InsufficientPoints, PostingKeyReused
from crm.points.repository import Line, Posted
from crm.points.types import Posting


async def post(session: AsyncSession, line: Line) -> Posting:
    """Post one line. Raises InsufficientPoints (with `balance`), AlreadyReversed, PostingKeyReused."""
    row = (await repository.post(session, [line]))[0]
    match row.outcome:
        case "insufficient":
            raise InsufficientPoints(balance=row.balance, points=-line.points)
        case "reversed":
            raise AlreadyReversed(transaction_id=str(line.reverses_id))
        case _:
            return checked(line, row)


def checked(line: Line, row: Posted) -> Posting:
    """The posting that `line` made, now or before. Raises PostingKeyReused when its key posted something else."""
    if row.outcome == "replayed" and row.points != line.points:
        raise PostingKeyReused(key=line.key)
    return Posting(row.transaction_id, row.outcome == "posted", row.points, row.balance, row.debt, row.member_id)


async def announce_earning(session: AsyncSession, posting: Posting, rule: str) -> None:
    """Points were credited under the name of `rule`."""
    fact = PointsEarned(
        member_id=posting.member_id,
        points=posting.points,
        rule=rule,
        transaction_id=posting.transaction_id,
        balance=posting.balance,
    )
    await events.publish(session, fact)


async def announce_spending(session: AsyncSession, posting: Posting, points: int, reason: str) -> None:
    """`points` were spent."""
    fact = PointsRedeemed(
        member_id=posting.member_id,
        points=points,
        reason=reason,
        transaction_id=posting.transaction_id,
        balance=posting.balance,
    )
    await events.publish(session, fact)


async def announce_adjustment(session: AsyncSession, posting: Posting, reason: str) -> None:
    """The balance was corrected by the posting's signed points."""
    fact = PointsAdjusted(
        member_id=posting.member_id,
        points=posting.points,
        reason=reason,
        transaction_id=posting.transaction_id,
        balance=posting.balance,
    )
    await events.publish(session, fact)


async def replayed(session: AsyncSession, found: tuple[UUID, datetime, int]) -> Posting:
    """The posting that was made before, with what its member has now."""
    transaction_id, _, points = found
    known = await repository.transaction(session, transaction_id)
    member_id = await repository.lock(session, known.member_id) if known is not None else 0
    balance, debt = await repository.account(session, member_id)
    return Posting(transaction_id, False, points, balance, debt, member_id)

"""Taking back everything that hangs below a member: rewards, levels, and the referrals themselves, in one action."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.types import VoucherStatus
from crm.coupons.views import vouchers
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ReferralRejected
from crm.members import service as members
from crm.members.views import members as everybody
from crm.referrals import policy, repository
from crm.referrals.errors import SubtreeTooLarge
from crm.referrals.models import GivenRow, ReferralRow
from crm.referrals.service import rewarding
from crm.referrals.types import Part, Referral, Status, Subtree

MOST = 5000
"""Referrals in one action, which is one transaction."""
_SHOWN = 10
_OVER = (Status.VOID, Status.REJECTED)


async def preview(session: AsyncSession, member_id: int) -> Subtree:
    """What `claw_back` would take. Raises MemberNotFound, SubtreeTooLarge."""
    root = await members.current_id(session, member_id)
    return await _sum(session, root, await _open_below(session, root))


async def claw_back(session: AsyncSession, member_id: int, *, reason: str, by: str) -> Subtree:
    """Void every referral below the member and take back what was given for it; again there is nothing left to take.

    Points are reversed, and owed when they were spent; unused vouchers are cancelled. Answers what was taken.
    Raises MemberNotFound, SubtreeTooLarge, ReasonMissing.
    """
    checked = policy.check_reason(reason)
    root = await members.current_id(session, member_id)
    await rewarding.enter(session, await _open_below(session, root))
    found = await _open_below(session, root, is_locked=True)
    taken = await _sum(session, root, found)
    if not found:
        return taken
    ids = [referral.id for referral in found]
    values = {
        "status": Status.VOID,
        "decided_at": await clock.now(session),
        "decided_by": by,
        "reason": checked,
    }
    voiding = update(ReferralRow).where(ReferralRow.id.in_(ids)).values(values)
    await session.execute(voiding.execution_options(synchronize_session=False))
    given = await rewarding.of_referrals(session, ids)
    given += await rewarding.lost_levels(session, _referrers(found))
    await rewarding.take_back(session, given, reason=checked, by=by)
    await events.publish_many(session, [_fact(referral, checked) for referral in found])
    return taken


def _fact(referral: Referral, reason: str) -> ReferralRejected:
    return ReferralRejected(
        member_id=referral.referrer_id,
        referral_id=referral.id,
        programme_id=referral.programme_id,
        friend_id=referral.friend_id,
        reason=reason,
    )


async def _open_below(session: AsyncSession, root: int, *, is_locked: bool = False) -> list[Referral]:
    """Every referral below the member that is not over; rings are followed once."""
    start = select(ReferralRow.id, ReferralRow.friend_id).where(ReferralRow.referrer_id == root)
    below = start.cte("below", recursive=True)
    further = select(ReferralRow.id, ReferralRow.friend_id).join(below, ReferralRow.referrer_id == below.c.friend_id)
    tree = below.union(further)
    query = select(ReferralRow).where(ReferralRow.id.in_(select(tree.c.id)), ReferralRow.status.not_in(_OVER))
    query = query.order_by(ReferralRow.id).limit(MOST + 1)
    found = await repository.referrals(session, query.with_for_update() if is_locked else query)
    if len(found) > MOST:
        raise SubtreeTooLarge(most=MOST)
    return found


async def _sum(session: AsyncSession, root: int, found: Sequence[Referral]) -> Subtree:
    rows = await _would_take(session, found)
    held = [row.voucher_id for row in rows if row.voucher_id is not None]
    is_unused = (vouchers.c.id.in_(held), vouchers.c.status == VoucherStatus.ISSUED)
    unused = await session.scalar(select(func.count()).select_from(vouchers).where(*is_unused)) or 0
    friends = [referral.friend_id for referral in found[:_SHOWN]]
    names = select(everybody.c.display_name).where(everybody.c.id.in_(friends)).order_by(everybody.c.id)
    return Subtree(
        member_id=root,
        referrals=len(found),
        members=len({row.member_id for row in rows}),
        points=sum(row.points for row in rows),
        vouchers=unused,
        used_vouchers=len(held) - unused,
        names=list(await session.scalars(names)),
    )


async def _would_take(session: AsyncSession, found: Sequence[Referral]) -> list[GivenRow]:
    """What was given for the referrals, and the levels that could not be kept without them."""
    open_ones = GivenRow.taken_back_at.is_(None)
    ids: list[UUID] = [referral.id for referral in found]
    rows = list(await session.scalars(select(GivenRow).where(open_ones, GivenRow.referral_id.in_(ids))))
    levels = select(GivenRow).where(open_ones, GivenRow.part == Part.LEVEL, GivenRow.member_id.in_(_referrers(found)))
    for row in await session.scalars(levels):
        lost = [item for item in found if _counts_for(item, row)]
        left = await repository.qualified_count(session, row.member_id, row.programme_id) - len(lost)
        if left < (row.friends or 0):
            rows.append(row)
    return rows


def _counts_for(referral: Referral, row: GivenRow) -> bool:
    is_same = (referral.referrer_id, referral.programme_id) == (row.member_id, row.programme_id)
    return is_same and referral.status is Status.QUALIFIED


def _referrers(found: Sequence[Referral]) -> list[int]:
    return sorted({referral.referrer_id for referral in found})

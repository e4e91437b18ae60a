"""From a friend's act to the rewards: deadlines, guards, the review queue, and decisions."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ReferralQualified, ReferralRejected
from crm.events.types import RecordedEvent
from crm.members import service as members
from crm.referrals import policy, repository
from crm.referrals.errors import NotInReview
from crm.referrals.models import ReferralRow
from crm.referrals.service import guards, rewarding
from crm.referrals.service.programmes import EVENTS
from crm.referrals.types import Act, Doubt, Flag, Programme, Referral, Status

TOO_LATE = "too_late"
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('referrals', :referrer_id))")


async def qualify(session: AsyncSession, event: RecordedEvent) -> Referral | None:
    """The friend may just have done what is asked for: the referral qualifies, waits for an operator, or is refused.

    None when the event is no such act, or its member is nobody's pending friend. Repeating it is harmless.
    """
    if event.member_id is None:
        return None
    referral = await _pending(session, event.member_id)
    if referral is None:
        return None
    await rewarding.enter(session, [referral])
    referral = await _pending(session, event.member_id, is_locked=True)
    if referral is None:
        return None
    programme = await repository.programme(session, referral.programme_id)
    if not await _is_act(session, programme, event):
        return None
    return await _judge(session, referral, programme, event)


async def _pending(session: AsyncSession, member_id: int, *, is_locked: bool = False) -> Referral | None:
    """The referral of a friend whose act is still to be done."""
    friend_id = await members.current_id(session, member_id)
    own = select(ReferralRow).where(ReferralRow.friend_id == friend_id, ReferralRow.status == Status.PENDING)
    found = await repository.referrals(session, own.with_for_update() if is_locked else own)
    return found[0] if found else None


async def _judge(session: AsyncSession, referral: Referral, programme: Programme, event: RecordedEvent) -> Referral:
    if referral.deadline_at is not None and event.occurred_at > referral.deadline_at:
        return await _refuse(session, referral, TOO_LATE, by="system")
    doubts = await guards.doubts(session, referral)
    await _change(session, referral.id, acted_at=event.occurred_at, doubts=[asdict(doubt) for doubt in doubts])
    if any(doubt.flag is Flag.SELF for doubt in doubts):
        return await _refuse(session, referral, "self_referral", by="system")
    if doubts:
        await _change(session, referral.id, status=Status.REVIEW)
        return await repository.referral(session, referral.id)
    return await _settle(session, referral, programme, by="system")


async def approve(session: AsyncSession, referral_id: UUID, *, reason: str, by: str) -> Referral:
    """An operator finds nothing wrong: it counts, and held rewards are given.

    Raises ReferralNotFound, NotInReview, ReasonMissing.
    """
    checked = policy.check_reason(reason)
    referral = await _in_review(session, referral_id)
    programme = await repository.programme(session, referral.programme_id)
    return await _settle(session, referral, programme, by=by, reason=checked)


async def reject(session: AsyncSession, referral_id: UUID, *, reason: str, by: str) -> Referral:
    """An operator refuses it; what was given for it before a merge showed its fault is taken back.

    Raises ReferralNotFound, NotInReview, ReasonMissing.
    """
    checked = policy.check_reason(reason)
    referral = await _in_review(session, referral_id)
    refused = await _refuse(session, referral, checked, by=by)
    given = await rewarding.of_referrals(session, [referral_id])
    given += await rewarding.lost_levels(session, [referral.referrer_id])
    await rewarding.take_back(session, given, reason=checked, by=by)
    return refused


async def doubt(session: AsyncSession, referral: Referral, found: Doubt) -> None:
    """Something came to light later: a referral that had counted waits for an operator again."""
    known = [asdict(item) for item in (*referral.doubts, found)]
    await _change(session, referral.id, status=Status.REVIEW, doubts=known, decided_at=None, decided_by=None)


async def _is_act(session: AsyncSession, programme: Programme, event: RecordedEvent) -> bool:
    act, minimum = programme.terms.act, programme.terms.minimum_order
    if event.kind != EVENTS[act].kind:
        return False
    if act is Act.ORDER and minimum is not None:
        return Decimal(event.data["amount"]) >= minimum
    if act is Act.PHONE:
        assert event.member_id is not None
        is_about = "phone" in event.data["changed"]
        return is_about and (await members.get(session, event.member_id)).is_phone_verified
    return True


async def _in_review(session: AsyncSession, referral_id: UUID) -> Referral:
    await rewarding.enter(session, [await repository.referral(session, referral_id)])
    referral = await repository.referral(session, referral_id, is_locked=True)
    if referral.status is not Status.REVIEW:
        raise NotInReview(referral_id=str(referral_id), status=referral.status)
    return referral


async def _settle(
    session: AsyncSession, referral: Referral, programme: Programme, *, by: str, reason: str | None = None
) -> Referral:
    await session.execute(_ONE_BY_ONE, {"referrer_id": referral.referrer_id})
    await _decide(session, referral.id, Status.QUALIFIED, by=by, reason=reason)
    count = await repository.qualified_count(session, referral.referrer_id, programme.id)
    await rewarding.reward(session, referral, programme, count)
    fact = ReferralQualified(
        member_id=referral.referrer_id,
        referral_id=referral.id,
        programme_id=programme.id,
        friend_id=referral.friend_id,
        act=programme.terms.act,
        count=count,
    )
    await events.publish(session, fact)
    return await repository.referral(session, referral.id)


async def _refuse(session: AsyncSession, referral: Referral, reason: str, *, by: str) -> Referral:
    await _decide(session, referral.id, Status.REJECTED, by=by, reason=reason)
    fact = ReferralRejected(
        member_id=referral.referrer_id,
        referral_id=referral.id,
        programme_id=referral.programme_id,
        friend_id=referral.friend_id,
        reason=reason,
    )
    await events.publish(session, fact)
    return await repository.referral(session, referral.id)


async def _decide(session: AsyncSession, referral_id: UUID, status: Status, *, by: str, reason: str | None) -> None:
    now = await clock.now(session)
    await _change(session, referral_id, status=status, decided_at=now, decided_by=by, reason=reason)


async def _change(session: AsyncSession, referral_id: UUID, **values: Any) -> None:
    changing = update(ReferralRow).where(ReferralRow.id == referral_id).values(values)
    await session.execute(changing.execution_options(synchronize_session=False))

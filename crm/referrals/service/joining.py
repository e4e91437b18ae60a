"""A friend comes through a personal link: every visit is noted, and a stranger is bound to the referrer, once."""

from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ReferralJoined
from crm.kit.errors import DomainError
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.members.types import Member, MemberStatus
from crm.referrals import policy, repository
from crm.referrals.errors import FriendKnown, NoReferralProgramme, OwnReferralCode, ReferralCodeNotFound
from crm.referrals.models import ReferralRow, TouchRow
from crm.referrals.service import links, programmes
from crm.referrals.types import Flag, Outcome, Programme, Referral, Status, Touch

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_REFUSALS: dict[Outcome, type[DomainError]] = {
    Outcome.SELF: OwnReferralCode,
    Outcome.KNOWN: FriendKnown,
    Outcome.NO_PROGRAMME: NoReferralProgramme,
}


async def touch(session: AsyncSession, member_id: int, code: str, *, identity_id: int) -> Touch | None:
    """The member came through `code`: noted, and bound to its owner at their first contact.

    None when it is nobody's code. Nobody is their own friend, and who was here before is nobody's.
    """
    owner = await links.owner_of(session, code)
    if owner is None:
        return None
    referrer = await members.get(session, await members.current_id(session, owner))
    friend = await members.get(session, await members.current_id(session, member_id))
    programme = await programmes.running(session)
    done = await _outcome(session, referrer, friend, programme)
    now = await clock.now(session)
    note = insert(TouchRow).values(
        id=uuid7(now),
        at=now,
        referrer_id=referrer.id,
        member_id=friend.id,
        identity_id=identity_id,
        outcome=done.outcome,
    )
    await session.execute(note)
    return done


async def bind(session: AsyncSession, member_id: int, code: str) -> Referral:
    """Another system says who brought a member that it has just made; no visit through the link is noted.

    Raises ReferralCodeNotFound, MemberNotFound, OwnReferralCode, FriendKnown, NoReferralProgramme.
    """
    owner = await links.owner_of(session, code)
    if owner is None:
        raise ReferralCodeNotFound
    referrer = await members.get(session, await members.current_id(session, owner))
    friend = await members.get(session, await members.current_id(session, member_id))
    done = await _outcome(session, referrer, friend, await programmes.running(session))
    if done.referral_id is None:
        raise _REFUSALS[done.outcome](member_id=member_id)
    return await repository.referral(session, done.referral_id)


async def _outcome(session: AsyncSession, referrer: Member, friend: Member, programme: Programme | None) -> Touch:
    if referrer.id == friend.id:
        return Touch(Outcome.SELF)
    now = await clock.now(session)
    is_new = policy.is_first_contact(
        friend.created_at, now, is_signed_up=friend.is_signed_up, has_source=friend.first_source_id is not None
    )
    if not is_new:
        return Touch(Outcome.KNOWN)
    if programme is None or referrer.status is not MemberStatus.ACTIVE:
        return Touch(Outcome.NO_PROGRAMME)
    return await _bind(session, referrer, friend, programme, now)


async def _bind(session: AsyncSession, referrer: Member, friend: Member, programme: Programme, now: datetime) -> Touch:
    days = programme.terms.qualify_days
    doubt = await _velocity(session, referrer.id, programme, now)
    row = {
        "id": uuid7(now),
        "friend_id": friend.id,
        "referrer_id": referrer.id,
        "programme_id": programme.id,
        "status": Status.PENDING,
        "doubts": [] if doubt is None else [{"flag": Flag.VELOCITY, "detail": doubt}],
        "joined_at": now,
        "deadline_at": None if days is None else now + timedelta(days=days),
    }
    once = upsert(ReferralRow).values(row).on_conflict_do_nothing().returning(ReferralRow.id)
    made = (await session.execute(once)).scalar_one_or_none()
    if made is None:
        return Touch(Outcome.KNOWN)
    fact = ReferralJoined(member_id=referrer.id, referral_id=made, programme_id=programme.id, friend_id=friend.id)
    await events.publish(session, fact)
    terms = programme.terms
    return Touch(Outcome.BOUND, made, referrer.display_name, terms.friend, terms.act, terms.minimum_order)


async def _velocity(session: AsyncSession, referrer_id: int, programme: Programme, now: datetime) -> str | None:
    """How many friends came within the hour or day, this one counted, when that is more than the programme expects."""
    own = ReferralRow.referrer_id == referrer_id
    within_hour = func.count().filter(ReferralRow.joined_at > now - _HOUR)
    query = select(within_hour, func.count()).where(own, ReferralRow.joined_at > now - _DAY)
    hour, day = (await session.execute(query)).one()
    limits = programme.terms.limits
    if hour >= limits.per_hour:
        return f"{hour + 1} in an hour"
    return f"{day + 1} in a day" if day >= limits.per_day else None

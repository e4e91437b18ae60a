"""Programmes as operators keep them; at most one runs at a time, so that a friend's coming has one meaning."""

from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import CouponNotFound
from crm.coupons.service import definitions as coupons
from crm.db import clock
from crm.events import wishes
from crm.events.catalogue import CheckedIn, MemberSignedUp, MemberUpdated, OrderPlaced
from crm.events.types import Event
from crm.referrals import policy, repository
from crm.referrals.errors import InvalidReferralProgramme, ReferralProgrammesOverlap
from crm.referrals.models import ProgrammeRow, ReferralRow
from crm.referrals.types import Act, Programme, Status, Terms

SUBSCRIBER = "referrals.qualify"
EVENTS: dict[Act, type[Event]] = {
    Act.SIGN_UP: MemberSignedUp,
    Act.CHECK_IN: CheckedIn,
    Act.ORDER: OrderPlaced,
    Act.PHONE: MemberUpdated,
}
"""Which kind of event tells of an act."""
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('referral_programmes', 0))")


async def create(
    session: AsyncSession,
    name: str,
    terms: Terms,
    *,
    headline: dict[str, str] | None = None,
    is_active: bool = True,
    is_demo: bool = False,
) -> Programme:
    """A new programme, which runs from now on or from its start.

    Raises InvalidReferralProgramme, ReferralProgrammesOverlap.
    """
    await session.execute(_ONE_BY_ONE)
    checked = policy.check_terms(terms)
    await _require_coupons(session, checked)
    if is_active:
        await _require_room(session, checked)
    values = {
        **repository.columns_of(checked),
        "name": policy.check_name(name),
        "headline": policy.check_headline(headline or {}),
        "is_active": is_active,
        "is_demo": is_demo,
    }
    made = await session.execute(insert(ProgrammeRow).values(values).returning(ProgrammeRow.id))
    found = made.scalar_one()
    await renew_wishes(session)
    return await repository.programme(session, found)


async def change(
    session: AsyncSession,
    programme_id: int,
    *,
    name: str | None = None,
    headline: dict[str, str] | None = None,
    terms: Terms | None = None,
    is_active: bool | None = None,
) -> Programme:
    """Change what is given. Friends who are pending are judged and rewarded by the new terms; their deadline stays.

    Raises ReferralProgrammeNotFound, InvalidReferralProgramme, ReferralProgrammesOverlap.
    """
    await session.execute(_ONE_BY_ONE)
    found = await repository.programme(session, programme_id)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = policy.check_name(name)
    if headline is not None:
        values["headline"] = policy.check_headline(headline)
    if terms is not None:
        values |= repository.columns_of(policy.check_terms(terms))
        await _require_coupons(session, terms)
    if is_active is not None:
        values["is_active"] = is_active
    if found.is_active if is_active is None else is_active:
        await _require_room(session, terms or found.terms, but=programme_id)
    if values:
        await session.execute(update(ProgrammeRow).where(ProgrammeRow.id == programme_id).values(values))
    await renew_wishes(session)
    return await repository.programme(session, programme_id)


async def get(session: AsyncSession, programme_id: int) -> Programme:
    """One programme. Raises ReferralProgrammeNotFound."""
    return await repository.programme(session, programme_id)


async def listing(session: AsyncSession) -> list[Programme]:
    """All programmes, newest first."""
    query = select(ProgrammeRow).order_by(ProgrammeRow.id.desc()).execution_options(populate_existing=True)
    return [repository.as_programme(row) for row in await session.scalars(query)]


async def running(session: AsyncSession) -> Programme | None:
    """The programme that friends who come now belong to."""
    now = await clock.now(session)
    query = select(ProgrammeRow).where(ProgrammeRow.is_active).execution_options(populate_existing=True)
    return next(
        (
            repository.as_programme(row)
            for row in await session.scalars(query.order_by(ProgrammeRow.id))
            if policy.is_running(row.is_active, row.starts_at, row.ends_at, now)
        ),
        None,
    )


async def counts(session: AsyncSession, programme_id: int) -> dict[Status, int]:
    """How many referrals of the programme stand where."""
    own = ReferralRow.programme_id == programme_id
    rows = await session.execute(select(ReferralRow.status, func.count()).where(own).group_by(ReferralRow.status))
    return {Status(status): many for status, many in rows}


async def _require_coupons(session: AsyncSession, terms: Terms) -> None:
    gifts = [("referrer", terms.referrer), ("friend", terms.friend), *(("levels", item.gift) for item in terms.levels)]
    for path, gift in gifts:
        if gift.coupon_id is None:
            continue
        try:
            await coupons.get(session, gift.coupon_id)
        except CouponNotFound as error:
            raise InvalidReferralProgramme(f"there is no coupon {gift.coupon_id}", path=path) from error


async def _require_room(session: AsyncSession, terms: Terms, *, but: int = 0) -> None:
    others = select(ProgrammeRow).where(ProgrammeRow.is_active, ProgrammeRow.id != but)
    for row in await session.scalars(others.execution_options(populate_existing=True)):
        if policy.overlap(terms, repository.terms_of(row)):
            raise ReferralProgrammesOverlap(
                f"programme {row.id} ({row.name}) runs at the same time; end it first, or choose other dates",
                programme_id=row.id,
            )


async def renew_wishes(session: AsyncSession) -> None:
    """Be told of the acts that any programme asks for: pending friends of one that has ended still qualify."""
    acts = await session.scalars(select(ProgrammeRow.act).distinct())
    await wishes.wish(session, SUBSCRIBER, {EVENTS[Act(act)].kind for act in acts})

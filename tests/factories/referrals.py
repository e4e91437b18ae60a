"""Referral programmes and friends for tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.service import timeline
from crm.members import service as members
from crm.referrals.service import joining, links, programmes, qualifying
from crm.referrals.types import Act, Gift, Limits, Programme, Referral, Terms, Touch
from crm.sign_ups import service as sign_ups
from tests.factories.members import make_contact, make_member


async def make_programme(session: AsyncSession, *, limits: Limits | None = None, **terms: Any) -> Programme:
    """100 points for the referrer and 50 for the friend after sign-up, unless said otherwise."""
    usual = Terms(Act.SIGN_UP, referrer=Gift(100), friend=Gift(50))
    wanted = replace(usual, **terms, limits=limits or Limits())
    return await programmes.create(
        session, "Bring a friend", wanted, headline={"en": "Tea for two", "zh-CN": "好茶成双"}
    )


async def invite(session: AsyncSession, referrer_id: int, name: str = "Wang Wei") -> tuple[int, Touch]:
    """A stranger who comes through the member's link: their id, and what it did."""
    contact = await make_contact(session, display_name=name)
    code = await links.code_of(session, referrer_id)
    touch = await joining.touch(session, contact.member.id, code, identity_id=contact.identity.id)
    assert touch is not None
    return contact.member.id, touch


async def sign_up(session: AsyncSession, member_id: int) -> Referral | None:
    """The member signs up, and the referral hears of it, as the relay would tell it."""
    await sign_ups.complete(session, member_id, channel="telegram")
    (event, *_) = await timeline(session, member_id, kinds=["member_signed_up"])
    return await qualifying.qualify(session, event)


async def befriend(session: AsyncSession, referrer_id: int, name: str = "Wang Wei") -> Referral:
    """A friend who came and signed up."""
    friend_id, _ = await invite(session, referrer_id, name)
    referral = await sign_up(session, friend_id)
    assert referral is not None
    return referral


async def make_referrer(session: AsyncSession, name: str = "Li Hua") -> int:
    """A member of some days ago, signed up."""
    member = await make_member(session, display_name=name)
    await sign_ups.complete(session, member.id, channel="telegram")
    return member.id


async def give_phone(session: AsyncSession, member_id: int, phone: str, *, is_verified: bool = True) -> None:
    """The member told their phone."""
    await members.set_phone(session, member_id, phone, is_verified=is_verified)


async def later(session: AsyncSession, time: timedelta) -> None:
    """Time passes."""
    moment = await clock.now(session) + time
    await session.execute(text("SELECT set_config('siyu.now', :now, true)"), {"now": moment.isoformat()})
    clock.remember(session, moment)

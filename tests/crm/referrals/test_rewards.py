"""From a personal link to rewards: first contact, acts, both sides, levels, limits, budgets, coupons."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import holding
from crm.db import clock
from crm.db.base import Base
from crm.events import service as events
from crm.events.catalogue import OrderPlaced
from crm.events.service import timeline
from crm.events.types import RecordedEvent
from crm.points import service as points
from crm.referrals.errors import InvalidReferralProgramme, ReferralProgrammesOverlap
from crm.referrals.service import joining, links, programmes, qualifying, standing
from crm.referrals.types import Act, Gift, Level, Limits, Outcome, Part, Status
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_contact
from tests.factories.referrals import (
    befriend,
    give_phone,
    invite,
    later,
    make_programme,
    make_referrer,
    sign_up,
)


async def test_both_are_rewarded_once_and_only_after_the_act(session: AsyncSession) -> None:
    programme = await make_programme(session)
    referrer = await make_referrer(session)
    friend, touch = await invite(session, referrer)
    assert (touch.outcome, touch.referrer_name, touch.gift) == (Outcome.BOUND, "Li Hua", Gift(50))
    assert await points.balance(session, referrer) == await points.balance(session, friend) == 0
    assert (await standing.of_member(session, referrer)).pending == 1
    referral = await sign_up(session, friend)
    assert referral is not None
    assert referral.status is Status.QUALIFIED
    assert await points.balance(session, referrer) == 100
    assert await points.balance(session, friend) == 50
    (event, *_) = await timeline(session, friend, kinds=["member_signed_up"])
    assert await qualifying.qualify(session, event) is None
    assert await points.balance(session, referrer) == 100
    kinds = [entry.kind for entry in await timeline(session, referrer)]
    assert kinds.count("referral_joined") == kinds.count("referral_qualified") == 1
    assert (await programmes.get(session, programme.id)).spent_points == 150


async def test_only_strangers_are_friends(session: AsyncSession) -> None:
    await make_programme(session)
    referrer, other = await make_referrer(session), await make_referrer(session)
    code = await links.code_of(session, referrer)
    contact = await make_contact(session)
    for member_id, wanted in ((referrer, Outcome.SELF), (other, Outcome.KNOWN)):
        touch = await joining.touch(session, member_id, code, identity_id=contact.identity.id)
        assert touch is not None
        assert touch.outcome is wanted
    friend, _ = await invite(session, referrer)
    again = await joining.touch(session, friend, await links.code_of(session, other), identity_id=contact.identity.id)
    assert again is not None
    assert again.outcome is Outcome.KNOWN
    found = await standing.invited_by(session, friend)
    assert found is not None
    assert found.referrer_id == referrer
    await later(session, timedelta(minutes=5))
    late = await joining.touch(session, contact.member.id, code, identity_id=contact.identity.id)
    assert late is not None
    assert late.outcome is Outcome.KNOWN
    touches = Base.metadata.tables["referral_touches"]
    assert await session.scalar(select(func.count()).select_from(touches)) == 5


@pytest.mark.parametrize("code", ["", "i-", "i-short", "i-" + "x" * 16, "' OR 1=1 --", "i-\x00" + "x" * 15])
async def test_a_strange_code_is_no_link(session: AsyncSession, code: str) -> None:
    await make_programme(session)
    contact = await make_contact(session)
    assert await joining.touch(session, contact.member.id, code, identity_id=contact.identity.id) is None


async def test_codes_are_opaque_and_stay(session: AsyncSession) -> None:
    referrer = await make_referrer(session)
    code = await links.code_of(session, referrer)
    assert code == await links.code_of(session, referrer)
    assert str(referrer) != code[2:]
    assert len(code) == 18


async def test_without_a_programme_nobody_is_bound(session: AsyncSession) -> None:
    _, touch = await invite(session, await make_referrer(session))
    assert touch.outcome is Outcome.NO_PROGRAMME


async def test_levels_limits_and_the_second_level(session: AsyncSession) -> None:
    levels = (Level(1, Gift(10)), Level(3, Gift(1000)))
    await make_programme(session, levels=levels, second_percent=20, limits=Limits(per_referrer=2))
    top = await make_referrer(session)
    middle = (await befriend(session, top)).friend_id
    assert await points.balance(session, top) == 110
    for number in range(3):
        await befriend(session, middle, f"Friend {number}")
    assert await points.balance(session, middle) == 50 + 2 * 100 + 10 + 1000
    assert await points.balance(session, top) == 110 + 2 * 20
    status = await standing.of_member(session, middle)
    assert (status.joined, status.qualified, status.pending, status.next_level) == (3, 3, 0, None)
    assert (await standing.of_member(session, top)).next_level == levels[1]
    third = (await standing.page(session, referrer_id=middle)).items[0]
    given = {item.part: item for item in await standing.given(session, third.id)}
    assert given[Part.REFERRER].problem == "limit"
    assert given[Part.FRIEND].points == 50


async def test_the_budget_is_never_overspent(session: AsyncSession) -> None:
    programme = await make_programme(session, limits=Limits(budget_points=200))
    referrer = await make_referrer(session)
    await befriend(session, referrer)
    last = await befriend(session, referrer)
    given = {item.part: item for item in await standing.given(session, last.id)}
    assert given[Part.FRIEND].points == 50
    assert (given[Part.REFERRER].points, given[Part.REFERRER].problem) == (0, "budget")
    assert (await programmes.get(session, programme.id)).spent_points == 200


async def test_coupons_and_why_there_is_none(session: AsyncSession) -> None:
    coupon = await make_coupon(session, limit_total=1)
    await make_programme(session, referrer=Gift(0, coupon.id), friend=Gift(5, coupon.id))
    referrer = await make_referrer(session)
    referral = await befriend(session, referrer)
    assert len(await holding.usable(session, referral.friend_id)) == 1
    assert await holding.usable(session, referrer) == []
    given = {item.part: item for item in await standing.given(session, referral.id)}
    assert given[Part.REFERRER].problem == "coupon_gone"
    assert given[Part.FRIEND].voucher_id is not None


async def test_the_first_order_must_be_large_enough(session: AsyncSession) -> None:
    await make_programme(session, act=Act.ORDER, minimum_order=Decimal(50))
    referrer = await make_referrer(session)
    friend, _ = await invite(session, referrer)
    assert await sign_up(session, friend) is None
    for amount, wanted in ((Decimal("49.99"), None), (Decimal(50), Status.QUALIFIED)):
        referral = await qualifying.qualify(session, await _order(session, friend, amount))
        assert (referral and referral.status) == wanted


async def _order(session: AsyncSession, member_id: int, amount: Decimal) -> RecordedEvent:
    placed = await clock.now(session)
    fact = OrderPlaced(member_id=member_id, order_id=1, amount=amount, currency="CNY", placed_at=placed)
    return await events.publish(session, fact)


async def test_a_phone_counts_when_it_is_verified(session: AsyncSession) -> None:
    await make_programme(session, act=Act.PHONE)
    friend, _ = await invite(session, await make_referrer(session))
    for is_verified, wanted in ((False, None), (True, Status.QUALIFIED)):
        await give_phone(session, friend, "+8613800138000", is_verified=is_verified)
        (event, *_) = await timeline(session, friend, kinds=["member_updated"])
        referral = await qualifying.qualify(session, event)
        assert (referral and referral.status) == wanted


async def test_who_is_too_late_is_refused(session: AsyncSession) -> None:
    await make_programme(session, qualify_days=7)
    referrer = await make_referrer(session)
    friend, _ = await invite(session, referrer)
    await later(session, timedelta(days=8))
    assert (await standing.of_member(session, referrer)).pending == 0
    referral = await sign_up(session, friend)
    assert referral is not None
    assert (referral.status, referral.reason) == (Status.REJECTED, "too_late")
    assert await points.balance(session, referrer) == 0


async def test_one_programme_at_a_time(session: AsyncSession) -> None:
    first = await make_programme(session)
    with pytest.raises(ReferralProgrammesOverlap, match="end it first"):
        await make_programme(session)
    await programmes.change(session, first.id, is_active=False)
    second = await make_programme(session)
    with pytest.raises(ReferralProgrammesOverlap):
        await programmes.change(session, first.id, is_active=True)
    assert await programmes.running(session) == second


@pytest.mark.parametrize(
    "terms",
    [
        {"referrer": Gift(), "friend": Gift()},
        {"referrer": Gift(-1)},
        {"friend": Gift(0, 404)},
        {"levels": (Level(3, Gift(5)), Level(3, Gift(6)))},
        {"levels": (Level(0, Gift(5)),)},
        {"levels": (Level(1, Gift()),)},
        {"minimum_order": Decimal(5)},
        {"act": Act.ORDER, "minimum_order": Decimal(-5)},
        {"second_percent": 101},
        {"qualify_days": 0},
        {"limits": Limits(per_hour=0)},
        {"limits": Limits(budget_points=-1)},
    ],
)
async def test_senseless_programmes_are_refused(session: AsyncSession, terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidReferralProgramme):
        await make_programme(session, **terms)
    assert await programmes.listing(session) == []

"""Members hear of their goods without having asked: once, in their language, where they can be reached."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.db import clock
from crm.events import subscriptions
from crm.events.loyalty import RedemptionAdvanced, RedemptionCancelled
from crm.events.types import Event, RecordedEvent
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.members.types import Identity, MemberChanges
from crm.messages import wording
from crm.notices import subscribers
from crm.rewards.service import fulfilment, redeeming
from crm.rewards.types import Redemption, RedemptionStatus
from tests.factories.loyalty import make_reward
from tests.factories.members import make_contact
from tests.factories.points import give

_OPEN = """
SELECT i.source_kind, i.source_id, r.message_class, r.identity_id
FROM interactive_deliveries i JOIN delivery_replies r ON r.delivery_id = i.id
"""


async def _redeemed(session: AsyncSession, locale: str = "en") -> tuple[Identity, Redemption]:
    contact = await make_contact(session)
    await members.change(session, contact.member.id, MemberChanges(locale=locale), by="test")
    await give(session, contact.member.id, 100)
    goods = await make_reward(session, points=60)
    return contact.identity, await redeeming.redeem(session, contact.member.id, goods.id, key="one")


async def _hear(session: AsyncSession, redemption: Redemption, fact: Event, event_id: UUID | None = None) -> None:
    event_id = event_id or uuid7(await clock.now(session))
    data = {"redemption_id": str(redemption.id), "reward_id": redemption.reward_id}
    if isinstance(fact, RedemptionAdvanced):
        data["status"] = fact.status
    recorded = RecordedEvent(event_id, await clock.now(session), fact.kind, redemption.member_id, "test", data)
    handler = subscribers.on_advanced if isinstance(fact, RedemptionAdvanced) else subscribers.on_cancelled
    await handler.handle(session, recorded)


def _advanced(redemption: Redemption, status: RedemptionStatus) -> RedemptionAdvanced:
    return RedemptionAdvanced(
        member_id=redemption.member_id,
        redemption_id=redemption.id,
        reward_id=redemption.reward_id,
        status=status.value,
    )


async def _said(session: AsyncSession, identity: Identity) -> list[str]:
    return [line.text for line in await conversations.transcript(session, identity.member_id)]


@pytest.mark.parametrize(("locale", "words"), [("en", "on its way to you"), ("zh-CN", "已发出")])
async def test_a_shipment_is_told_once_with_its_tracking_number(session: AsyncSession, locale: str, words: str) -> None:
    identity, redemption = await _redeemed(session, locale)
    await fulfilment.advance(session, redemption.id, RedemptionStatus.SHIPPED, by="operator:1", tracking="SF<1>")
    event_id = uuid7(await clock.now(session))
    await _hear(session, redemption, _advanced(redemption, RedemptionStatus.SHIPPED), event_id)
    (said,) = await _said(session, identity)
    assert words in said
    assert "SF&lt;1&gt;" in said
    assert redemption.id.hex[-8:].upper() in said
    await _hear(session, redemption, _advanced(redemption, RedemptionStatus.SHIPPED), event_id)
    rows = await session.execute(text(_OPEN))
    assert [tuple(row) for row in rows] == [("notice", str(event_id), "receipt", identity.id)]


@pytest.mark.parametrize(("locale", "words"), [("en", "points are back in your account"), ("zh-CN", "积分已退回")])
async def test_a_redemption_that_is_taken_back_is_told(session: AsyncSession, locale: str, words: str) -> None:
    identity, redemption = await _redeemed(session, locale)
    await redeeming.cancel(session, redemption.id, reason="broken", by="operator:1")
    fact = RedemptionCancelled(
        member_id=redemption.member_id, redemption_id=redemption.id, reward_id=redemption.reward_id
    )
    await _hear(session, redemption, fact)
    (said,) = await _said(session, identity)
    assert words in said


def test_the_events_of_redemptions_reach_the_notices() -> None:
    told = subscriptions.discover()
    assert "notices.redemption_advanced" in told.names_for(RedemptionAdvanced.kind)
    assert "notices.redemption_cancelled" in told.names_for(RedemptionCancelled.kind)


async def test_packing_is_not_told_and_nobody_is_told_who_left(session: AsyncSession) -> None:
    identity, redemption = await _redeemed(session)
    await _hear(session, redemption, _advanced(redemption, RedemptionStatus.PREPARED))
    await members.set_reachable(session, identity.id, False, "blocked")
    await _hear(session, redemption, _advanced(redemption, RedemptionStatus.DELIVERED))
    assert await _said(session, identity) == []


async def test_an_operators_wording_is_said(session: AsyncSession) -> None:
    await wording.change(session, "notices/redemption_delivered", "en", "Here is {{ reward|localized }} for you")
    identity, redemption = await _redeemed(session)
    await _hear(session, redemption, _advanced(redemption, RedemptionStatus.DELIVERED))
    assert await _said(session, identity) == ["Here is Tin of tea for you"]

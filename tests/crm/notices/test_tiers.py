"""Members hear that their tier changed: once, in their language, and not when a new programme moves everybody."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.events import service as events
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.notices import subscribers
from crm.orders import service as orders
from crm.tiers.service import standings
from tests.conftest import At
from tests.factories.members import make_contact
from tests.factories.orders import new_order
from tests.factories.tiers import evaluate_all, make_programme, rules, tier


async def _hear(session: AsyncSession, member_id: int) -> list[str]:
    for event in reversed(await events.timeline(session, member_id, kinds=["tier_changed"])):
        await subscribers.on_tier_changed.handle(session, event)
    return [line.text for line in await conversations.transcript(session, member_id)]


@pytest.mark.parametrize(
    ("locale", "rose", "fell"),
    [
        ("en", ("you are <b>Gold</b> now!", "earn 1.5 times the points"), "Your time as <b>Gold</b> has ended."),
        ("zh-CN", ("你升级为 <b>金卡</b> 会员", "消费积分 1.5 倍"), "你的 <b>金卡</b> 会员已到期"),
    ],
)
async def test_rising_and_falling_is_told(
    session: AsyncSession, at: At, locale: str, rose: tuple[str, str], fell: str
) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    member_id = (await make_contact(session)).member.id
    await members.change(session, member_id, MemberChanges(locale=locale), by="test")
    await make_programme(session, rules(tier("gold", "500", multiplier=Decimal("1.5"))))
    given = {"until": now + timedelta(days=2), "reason": "A good guest", "by": "operator:1"}
    await standings.grant(session, member_id, "gold", **given)  # type: ignore[arg-type]  # values of several kinds
    (said,) = await _hear(session, member_id)
    assert all(words in said for words in rose)
    await at(session, "2026-03-02T08:00+00:00")
    await standings.end_grant(session, member_id, by="operator:1")
    assert any(fell in line for line in await _hear(session, member_id))


async def test_a_new_programme_is_not_told(session: AsyncSession) -> None:
    member_id = (await make_contact(session)).member.id
    await orders.record(session, new_order(member_id, "700"))
    await make_programme(session, rules(tier("gold", "500"), months=60))
    await evaluate_all(session)
    assert (await standings.standing(session, member_id)).tier == "gold"
    assert await _hear(session, member_id) == []

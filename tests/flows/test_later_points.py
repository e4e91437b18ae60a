"""Points that can be spent later are told where they are earned, and where they are looked up."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.points import earning_rules
from crm.points import service as points
from tests.conftest import At
from tests.flows.talking import stranger, words

LATER = {"sign_up": {"points": 100, "active_on": "order"}, "check_in": {"points": 5, "active_after_days": 14}}


async def _later(session: AsyncSession) -> None:
    for rule in await earning_rules.listing(session):
        if rule.kind in LATER:
            await earning_rules.change(session, rule.id, parameters=LATER[rule.kind])


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_a_welcome_gift_that_waits_for_an_order(session: AsyncSession, at: At, locale: str) -> None:
    now = await at(session, "2026-03-10T10:00+08:00")
    async with stranger(session, locale) as chat:
        await _later(session)
        await at(session, (now + timedelta(minutes=1)).isoformat())
        await chat.open()
        await chat.tap(words(locale, "Agree, and keep me posted", "同意，并接收消息"))
        await chat.send("Lin")
        chat.expects(words(locale, "100 points more to spend later", "还有 100 积分稍后可用"))
        chat.expects_not(words(locale, "welcome gift", "见面礼已到账"))
        for _ in range(3):
            await chat.tap(words(locale, "Skip", "跳过"))
        await chat.send("/checkin")
        chat.expects(words(locale, "+5 points to spend later", "+5 积分稍后可用"))
        await chat.send("/points")
        chat.expects(words(locale, "You have 0 points", "你有 0 积分"))
        chat.expects(words(locale, "5 pending, yours to spend from Mar 24", "5 积分待生效，3月24日可用"))
        chat.expects(words(locale, "100 pending, after your next order", "100 积分待生效，下次下单后可用"))
        chat.expects(words(locale, "(to spend after your next order)", "（下次下单后可用）"))
        assert await points.balance(session, chat.member_id) == 0
        assert (await clock.now(session)) > now

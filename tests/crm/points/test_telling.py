"""What members are told of rules, with what terms add, and to whom."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import earning_rules, service
from tests.factories.members import make_member

DAY: dict[str, Any] = {"kind": "check_in", "name": "Daily", "parameters": {"points": 5}}
WINDOWS = {"windows": [{"weekdays": [6], "multiplier": "1.50"}, {"weekdays": [7]}], "caps": {"member_day": 20}}


@pytest.mark.parametrize(
    ("terms", "english", "chinese"),
    [
        ({}, "Check in every day: 5 points", "每日签到，得 5 积分"),
        (
            WINDOWS,
            "Check in every day: 5 points (times 2 at certain times, at most 20 points a day)",
            "每日签到，得 5 积分（指定时段 2 倍，每天最多 20 积分）",
        ),
        (
            {"is_once": True, "birthday_multiplier": "1.5"},
            "Check in every day: 5 points (once, times 1.5 around your birthday)",
            "每日签到，得 5 积分（仅一次，生日 1.5 倍）",
        ),
        ({"formula": "points * 2"}, None, None),
        ({"when": "now.hour < 12"}, None, None),
        ({"formula": "points * 2", "told": {"en": "Come early", "zh-CN": "早起签到"}}, "Come early", "早起签到"),
        ({"formula": "points * 2", "told": {"en": "Come early"}}, "Come early", None),
    ],
)
async def test_a_rule_in_words(
    session: AsyncSession, terms: dict[str, Any], english: str | None, chinese: str | None
) -> None:
    await earning_rules.create(session, **DAY, terms=terms)
    for locale, expected in (("en", english), ("zh-CN", chinese), ("fr", english)):
        told = [way.text for way in await service.how_to_earn(session, locale)]
        assert told == ([] if expected is None else [expected]), locale


async def test_a_promotion_is_told_to_those_for_whom_it_is(session: AsyncSession) -> None:
    inside, outside = await make_member(session), await make_member(session)
    await session.execute(text("UPDATE profiles SET tier = 'gold' WHERE member_id = :id"), {"id": inside.id})
    await earning_rules.create(session, **DAY, terms={"audience": {"tiers": ["gold"]}})
    assert await service.how_to_earn(session, "en") == []
    assert await service.how_to_earn(session, "en", outside.id) == []
    assert len(await service.how_to_earn(session, "en", inside.id)) == 1

"""Members hear at once that they completed a mission and that a friend counts, with what it brought."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.events import service as events
from crm.events.loyalty import MissionCompleted
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.missions.types import Rewards
from crm.notices import subscribers
from tests.factories.draws import make_badge, make_draw, make_mission
from tests.factories.members import make_contact
from tests.factories.referrals import befriend, make_programme


async def _transcript(session: AsyncSession, member_id: int) -> list[str]:
    return [line.text for line in await conversations.transcript(session, member_id)]


@pytest.mark.parametrize(
    ("locale", "wanted"),
    [
        ("en", ("<b>Tea month</b>!", "+ 1 point\n", "badge <b>Tea friend</b>", "2 chances in a draw")),
        ("zh-CN", ("<b>茶月任务</b>！", "＋1 积分", "徽章 <b>茶友</b>", "2 次抽奖机会")),
    ],
)
async def test_a_completed_mission_is_told(session: AsyncSession, locale: str, wanted: tuple[str, ...]) -> None:
    member_id = (await make_contact(session)).member.id
    await members.change(session, member_id, MemberChanges(locale=locale), by="test")
    draw, badge = await make_draw(session), await make_badge(session)
    rewards = Rewards(points=1, badge_id=badge.id, draw_id=draw.id, draw_chances=2)
    mission = await make_mission(session, rewards=rewards)
    done = MissionCompleted(
        member_id=member_id,
        mission_id=mission.id,
        window="2026-03",
        points=1,
        coupon_id=None,
        badge_id=badge.id,
        draw_id=draw.id,
        draw_chances=2,
    )
    await events.publish(session, done)
    (event,) = await events.timeline(session, member_id, kinds=["mission_completed"])
    await subscribers.on_mission_completed.handle(session, event)
    (said,) = await _transcript(session, member_id)
    assert all(words in said for words in wanted), said


@pytest.mark.parametrize(("locale", "wanted"), [("en", "1 friend counts for you"), ("zh-CN", "有效邀请 1 人")])
async def test_a_friend_who_counts_is_told(session: AsyncSession, locale: str, wanted: str) -> None:
    await make_programme(session)
    member_id = (await make_contact(session)).member.id
    await members.change(session, member_id, MemberChanges(locale=locale), by="test")
    await befriend(session, member_id)
    (event,) = await events.timeline(session, member_id, kinds=["referral_qualified"])
    await subscribers.on_referral_qualified.handle(session, event)
    (said,) = await _transcript(session, member_id)
    assert wanted in said

"""Activities in the chat: registering, waiting, cancelling, the door, and what one is asked and told."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import definitions, promoting, registering, reporting
from crm.activities.types import Activity, Registration, RegistrationStatus
from crm.points import service as points
from tests.factories.activities import door_code, make_activity, make_feedback_survey
from tests.factories.members import make_member
from tests.factories.points import give
from tests.flows.talking import member, stranger, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])


@LOCALES
async def test_from_the_list_to_the_door_and_the_feedback(session: AsyncSession, locale: str) -> None:
    survey = await make_feedback_survey(session)
    activity = await make_activity(session, points=30, capacity=5, survey_id=survey.id)
    async with member(session, locale) as chat:
        await give(session, chat.member_id, 50)
        before = await points.balance(session, chat.member_id)
        await chat.send(words(locale, "events", "活动"))
        chat.expects(words(locale, "5 places left", "仅剩 5 个名额"))
        await chat.tap(words(locale, "Tea evening", "茶会"))
        chat.expects(
            words(locale, "Tea house", "茶馆"), words(locale, "Take a place for 30 points?", "用 30 积分报名吗")
        )
        await chat.tap(words(locale, "Yes, please", "报名"))
        chat.expects(words(locale, "You're in: Tea evening", "报名成功：茶会"))
        (made,) = await _registrations(session, activity)
        chat.expects(made.code)
        assert any(message.photo_media_id for message in chat.said)
        assert await points.balance(session, chat.member_id) == before - 30
        await chat.send("/attend 12345678")
        chat.expects(words(locale, "No event that is on now", "没有正在进行的活动"))
        await chat.wait(timedelta(days=7))
        await chat.open(f"attend-{await door_code(session, activity)}")
        chat.expects(words(locale, "Welcome to Tea evening", "欢迎来到 茶会"))
        await chat.send("/attend")
        await chat.send(await door_code(session, activity))
        chat.expects(words(locale, "checked in at Tea evening already", "签到了"))
        await chat.send(f"/activities {activity.id}")
        await chat.tap(words(locale, "Tell us how it was", "说说感受"))
        chat.expects(words(locale, "How was it?", "How was it?（中文）"))


@LOCALES
async def test_waiting_and_cancelling(session: AsyncSession, locale: str) -> None:
    activity = await make_activity(session, points=10, capacity=1)
    other = await make_member(session)
    await give(session, other.id, 10)
    await registering.register(session, other.id, activity.id)
    async with member(session, locale) as chat:
        before = await points.balance(session, chat.member_id)
        await chat.open(f"activity-{activity.id}")
        chat.expects(words(locale, "All places are taken", "名额已满"), words(locale, "wait for a place", "要候补吗"))
        await chat.tap(words(locale, "Yes, please", "报名"))
        chat.expects(words(locale, "waiting list for Tea evening, number 1", "排在第 1 位"))
        await give(session, chat.member_id, 10)
        await registering.cancel(session, other.id, activity.id)
        await promoting.promote(session, activity.id)
        assert await points.balance(session, chat.member_id) == before
        await chat.send("/activities")
        chat.expects(words(locale, "you're coming", "已报名"))
        await chat.tap(words(locale, "Tea evening", "茶会"))
        await chat.tap(words(locale, "Cancel", "取消报名"))
        chat.expects(words(locale, "your 10 points back", "10 积分会退给你"))
        await chat.tap(words(locale, "Keep it", "再想想"))
        chat.expects(words(locale, "stays as it is", "保持不变"))
        await chat.send(f"/activities {activity.id}")
        await chat.tap(words(locale, "Cancel", "取消报名"))
        await chat.tap(words(locale, "Cancel it", "确定取消"))
        chat.expects(words(locale, "10 points are back in your account", "10 积分已退回"))
        assert await points.balance(session, chat.member_id) == before + 10


@LOCALES
async def test_what_is_not_possible_is_said(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send("/activities")
        chat.expects(words(locale, "Nothing is on", "还没有活动"))
        draft = await make_activity(session, is_published=False)
        for unknown in (draft.id, "9" * 40):
            await chat.send(f"/activities {unknown}")
            chat.expects(words(locale, "no such event", "已经不在了"))
        full = await make_activity(session, capacity=1, has_waiting_list=False)
        other = await make_member(session)
        dear = await make_activity(session, points=10**6)
        await chat.send(f"/activities {full.id}")
        await registering.register(session, other.id, full.id)
        await chat.tap(words(locale, "Yes, please", "报名"))
        chat.expects(words(locale, "last place is taken", "最后一个名额"))
        await chat.send(f"/activities {dear.id}")
        await chat.tap(words(locale, "Yes, please", "报名"))
        chat.expects(words(locale, "not quite enough", "还不够"))
        await chat.send(f"/activities {dear.id}")
        await chat.tap(words(locale, "Not now", "先不了"))
        chat.expects(words(locale, "Maybe another time", "下次再来"))
        await definitions.call_off(session, dear.id)
        await chat.send(f"/activities {dear.id}")
        chat.expects(words(locale, "called off", "活动已取消"))
        closed = await make_activity(session, segment_ids=[1])
        await chat.send(f"/activities {closed.id}")
        chat.expects(words(locale, "for invited members", "仅限受邀会员"))
        await chat.send("/feedback")
        chat.expects(words(locale, "nothing to tell us", "没有要填的反馈"))
        await make_activity(session, survey_id=(await make_feedback_survey(session)).id)
        for asked in ("/survey", "/survey tea-evening"):
            await chat.send(asked)
            chat.expects_not("How was it?")


@LOCALES
async def test_a_stranger_comes_through_a_link(session: AsyncSession, locale: str) -> None:
    activity = await make_activity(session)
    async with stranger(session, locale) as chat:
        await chat.open(f"activity-{activity.id}")
        chat.expects_not("Tea evening", "茶会")
        assert await _registrations(session, activity) == []


async def test_points_that_are_lost_are_told_before(session: AsyncSession) -> None:
    activity = await make_activity(session, days=0.5, points=10)
    async with member(session, "en") as chat:
        await give(session, chat.member_id, 10)
        before = await points.balance(session, chat.member_id)
        made = await registering.register(session, chat.member_id, activity.id)
        assert made.status is RegistrationStatus.REGISTERED
        await chat.send(f"/activities {activity.id}")
        await chat.tap("Cancel")
        chat.expects("too late to get your 10 points back")
        await chat.tap("Cancel it")
        chat.expects("It's cancelled.")
        chat.expects_not("on your account")
        assert await points.balance(session, chat.member_id) == before - 10


async def _registrations(session: AsyncSession, activity: Activity) -> list[Registration]:
    return (await reporting.participants(session, activity.id)).items

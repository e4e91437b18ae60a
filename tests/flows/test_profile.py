from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import service as members
from crm.tags import service as tags
from flows.engine.inputs import Input, InputKind
from flows.steps import zones
from tests.flows.talking import member, words


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_everything_can_be_changed_one_by_one(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send(words(locale, "my profile", "资料"))
        chat.expects("Li Hua", words(locale, "Time zone: Shanghai", "时区：上海"))
        await chat.tap(words(locale, "Name", "称呼"))
        await chat.send("Lin <i>")
        chat.expects(words(locale, "Saved", "已保存"), "Lin <i>")
        await chat.tap(words(locale, "Phone", "手机"))
        await chat.send("13800138000")
        chat.expects("138****8000")
        await chat.tap(words(locale, "Phone", "手机"))
        await chat.share_contact("+8613800138000")
        chat.expects("138****8000 ✓")
        await chat.tap(words(locale, "Birthday", "生日"))
        await chat.send("1995年8月23日")
        chat.expects(words(locale, "August 23, 1995", "1995年8月23日"))
        await chat.tap(words(locale, "Interests", "兴趣"))
        await chat.tap(words(locale, "Offers", "优惠"))
        await chat.tap(words(locale, "Done", "选好了"))
        chat.expects(words(locale, "Interests: Offers", "兴趣：优惠"))
        await chat.tap(words(locale, "Time zone", "时区"))
        await chat.tap(words(locale, "London", "伦敦"))
        chat.expects(words(locale, "from tomorrow: London", "明天起：伦敦"))
        await chat.tap(words(locale, "All good", "不改了"))
        chat.expects(words(locale, "everything is saved", "都保存好了"))
        known = await members.get(session, chat.member_id)
        assert (known.display_name, known.birthday, known.next_time_zone) == (
            "Lin <i>",
            date(1995, 8, 23),
            "Europe/London",
        )
        assert known.is_phone_verified


async def test_present_interests_are_chosen_already_and_can_be_taken_off(session: AsyncSession) -> None:
    async with member(session) as chat:
        await tags.add(session, chat.member_id, "interest:offers", source="test")
        await tags.add(session, chat.member_id, "likes:green", source="test")
        await chat.send("/profile")
        await chat.tap("Interests")
        chat.expects_buttons("✅ Offers", "New arrivals")
        await chat.tap("Offers")
        await chat.tap("Events")
        await chat.tap("Done")
        assert [tag.tag for tag in await tags.of_member(session, chat.member_id)] == ["interest:events", "likes:green"]


async def test_mistakes_change_nothing(session: AsyncSession) -> None:
    async with member(session) as chat:
        await chat.send("/profile")
        await chat.tap("Phone")
        for wrong in ("x", "123", "+999999999999999", "1" * 10_000):
            await chat.send(wrong)
            chat.expects("doesn't look like a phone number")
        await chat.give(Input(InputKind.LOCATION, latitude=1.0, longitude=2.0))
        await chat.send("/cancel")
        chat.expects("stopped here")
        await chat.send("/profile")
        await chat.tap("Birthday")
        for wrong in ("1895-01-01", "2999-01-01", "1995-02-30", "soon", "٢٠٠٠-٠١-٠١x"):
            await chat.send(wrong)
            chat.expects("1995-08-23")
        known = await members.get(session, chat.member_id)
        assert (known.phone_masked, known.birthday, known.display_name) == (None, None, "Li Hua")


async def test_a_time_zone_is_found_by_city(session: AsyncSession) -> None:
    async with member(session) as chat:
        await chat.send("/profile")
        await chat.tap("Time zone")
        await chat.send("Atlantis <b>")
        chat.expects("I don't know “Atlantis <b>”", "Where are you?")
        await chat.send("indiana")
        chat.expects("Which of these")
        assert len({button.label for button in chat.buttons}) == len(chat.buttons)
        await chat.tap("Knox")
        chat.expects("from tomorrow on")
        known = await members.get(session, chat.member_id)
        assert known.next_time_zone == "America/Indiana/Knox"


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("chengdu", "Asia/Shanghai"),
        ("成都市", "Asia/Shanghai"),
        ("new york", "America/New_York"),
        ("纽约", "America/New_York"),
        ("Europe/Lisbon", "Europe/Lisbon"),
        ("  TOKYO ", "Asia/Tokyo"),
    ],
)
async def test_cities_are_known_in_both_languages(session: AsyncSession, typed: str, zone: str) -> None:
    assert await zones.search(session, 0, typed) == [zone]


async def test_nonsense_is_no_city(session: AsyncSession) -> None:
    assert await zones.search(session, 0, "   ") == []
    assert await zones.search(session, 0, "zzzz") == []
    assert len(await zones.search(session, 0, "a")) == 8


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_the_language_changes_at_once_with_the_menu(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send(words(locale, "language", "语言"))
        await chat.send("klingon")
        chat.expects(words(locale, "tap one of the buttons", "点下面的按钮"))
        await chat.tap(words(locale, "中文", "English"))
        chat.expects(words(locale, "我们用中文聊", "English it is"))
        assert chat.said[-1].menu is not None
        assert chat.said[-1].menu[0][0] == words(locale, "📅 签到", "📅 Check in")
        await chat.send("/profile")
        await chat.tap(words(locale, "语言", "Language"))
        await chat.tap(words(locale, "English", "中文"))
        chat.expects(words(locale, "Your profile", "我的资料"))


async def test_who_turns_to_something_else_is_not_led_back_to_settings(session: AsyncSession) -> None:
    async with member(session) as chat:
        await chat.send("/profile")
        await chat.tap("Time zone")
        await chat.send("/points")
        chat.expects("You have")
        chat.expects_not("Back to where we were", "Where are you?")
        await chat.send("/profile")
        await chat.tap("Name")
        await chat.send("/profile")
        chat.expects("Your profile", "Li Hua")

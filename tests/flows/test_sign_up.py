from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.members import service as members
from crm.points import service as points
from crm.sign_ups import service as sign_ups
from crm.sources import service as sources
from crm.tags import service as tags
from flows.engine.inputs import Input, InputKind
from tests.flows.talking import is_signed_up, stranger, words


async def test_a_stranger_joins_in_english(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        chat.expects("Welcome to Tea & Co", "We keep your profile")
        chat.expects_buttons("Agree, and keep me posted", "Agree, without news", "Not now", "中文")
        await chat.tap("Agree, and keep me posted")
        chat.expects("What may I call you?")
        chat.expects_buttons("Li Hua")
        await chat.send("Lin")
        chat.expects("Welcome, Lin", "points", "phone number")
        chat.expects_buttons("Skip")
        await chat.send("+44 20 7946 0958")
        chat.expects("birthday")
        await chat.send("1995-08-23")
        chat.expects("What are you into?")
        await chat.tap("New arrivals")
        chat.expects_buttons("✅ New arrivals", "Offers", "Done")
        await chat.tap("Events")
        await chat.tap("Done")
        chat.expects("All set!")
        chat.expects_not("/profile")
        assert chat.said[-1].menu == (("📅 Check in", "⭐ Points"), ("🎁 Rewards", "📝 Surveys"), ("💬 Help",))
        known = await members.get(session, chat.member_id)
        assert (known.display_name, known.birthday, known.is_signed_up) == ("Lin", date(1995, 8, 23), True)
        assert await members.phone(session, chat.member_id) == "+442079460958"
        assert known.is_phone_verified is False
        labels = [tag.tag for tag in await tags.of_member(session, chat.member_id)]
        assert labels == ["interest:events", "interest:new"]
        assert await points.balance(session, chat.member_id) > 0
        assert await sign_ups.missing(session, chat.member_id) == []
        (status,) = await consent.status(session, chat.member_id)
        assert (status.channel, status.topic, status.is_given) == ("telegram", "news", True)
        assert status.text_version


async def test_a_stranger_joins_in_chinese_and_skips_what_can_wait(session: AsyncSession) -> None:
    async with stranger(session, "zh-CN", display_name="李华") as chat:
        await chat.open()
        chat.expects("欢迎来到 Tea & Co")
        await chat.tap("同意，暂不接收消息")
        await chat.tap("李华")
        chat.expects("李华，欢迎加入", "积分见面礼", "手机号")
        await chat.tap("跳过")
        await chat.send("跳过")
        await chat.tap("跳过")
        chat.expects("都好啦", "资料")
        assert await sign_ups.missing(session, chat.member_id) == ["phone", "birthday", "interests"]
        assert [status for status in await consent.status(session, chat.member_id) if status.is_given] == []


async def test_the_own_card_is_a_verified_phone_and_anyone_elses_is_refused(session: AsyncSession) -> None:
    async with stranger(session, "zh-CN") as chat:
        await chat.open()
        await chat.tap("同意，并接收消息")
        await chat.send("小林")
        await chat.share_contact("+8613800138000", is_own=False)
        chat.expects("别人的名片", "手机号")
        await chat.share_contact("8613800138000")
        chat.expects("生日")
        assert (await members.get(session, chat.member_id)).is_phone_verified is True


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_who_says_not_now_stays_a_stranger_and_may_come_back(session: AsyncSession, locale: str) -> None:
    async with stranger(session, locale) as chat:
        await chat.open()
        await chat.tap(words(locale, "Not now", "以后再说"))
        chat.expects(words(locale, "Send /join", "发送“注册”"))
        assert not await is_signed_up(chat)
        assert await consent.status(session, chat.member_id) == []
        await chat.send(words(locale, "join", "注册"))
        chat.expects("Tea & Co")


async def test_the_language_can_be_changed_before_agreeing(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("中文")
        chat.expects("欢迎来到", "我们会保存您的资料")
        await chat.tap("English")
        chat.expects("Welcome to")
        await chat.send("/language")
        await chat.tap("中文")
        chat.expects("好的，我们用中文聊", "欢迎来到")
        chat.expects_buttons("同意，并接收消息", "English")


async def test_mistakes_get_a_hint_and_the_question_again(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.send("hm?")
        chat.expects("tap one of the buttons")
        await chat.tap("Agree, and keep me posted")
        await chat.send("x" * 10_000)
        chat.expects("64 characters at most", "What may I call you?")
        await chat.send("\u200b\u202e")
        chat.expects("couldn't find a name")
        await chat.give(Input(InputKind.STICKER))
        chat.expects("only read words", "/human")
        await chat.send("Lin")
        await chat.send("call me maybe")
        chat.expects("doesn't look like a phone number", "phone number?")
        await chat.send("12")
        chat.expects("doesn't look like a phone number")
        await chat.give(Input(InputKind.PHOTO, photo="x"))
        chat.expects("phone number?")
        await chat.tap("Skip")
        await chat.send("yesterday")
        chat.expects("1995-08-23")
        await chat.send("3024-01-01")
        chat.expects("check the year")
        await chat.send("2001年2月29日")
        chat.expects("couldn't read that date")
        await chat.send("19950823")
        await chat.send("gardening")
        chat.expects("tap one of the buttons")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("<b>Bob</b>", "<b>Bob</b>"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ("=1+1", "=1+1"),
        ("👨‍👩‍👧 Family", "👨‍👩‍👧 Family"),
        ("\u202eabc\u200e", "abc"),
        ("a\x00b", "ab"),
        ("محمد", "محمد"),
        ("two\nlines", "two lines"),
        ("Mei Menu", "Mei Menu"),
    ],
)
async def test_any_name_is_shown_as_it_is_written(session: AsyncSession, typed: str, stored: str) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.send(typed)
        chat.expects(f"Welcome, {stored} 🎉")
        assert (await members.get(session, chat.member_id)).display_name == stored


async def test_leaving_before_the_end_keeps_what_was_done_and_nothing_more(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.send("/cancel")
        chat.expects("stopped here")
        assert not await is_signed_up(chat)
        assert await points.balance(session, chat.member_id) == 0
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.tap("Li Hua")
        bonus = await points.balance(session, chat.member_id)
        await chat.send("cancel")
        assert await is_signed_up(chat)
        await chat.send("/join")
        chat.expects("already with us, Li Hua")
        assert await points.balance(session, chat.member_id) == bonus > 0


async def test_opening_the_chat_again_in_the_middle_goes_on_there(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.open()
        chat.expects("What may I call you?")
        await chat.open("a-code-that-no-one-made")
        chat.expects("Welcome to Tea & Co")
        await chat.tap("Agree, without news")
        await chat.tap("Li Hua")
        for _ in range(3):
            await chat.tap("Skip")
        chat.expects("All set!")
        chat.expects_not("Back to where we were", "What may I call you?")
        await chat.send("what now")
        chat.expects("didn't quite catch")


async def test_an_old_button_changes_nothing(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        old = next(button.data for button in chat.buttons if "Not now" in button.label)
        await chat.tap("Agree, and keep me posted")
        await chat.wait(timedelta(seconds=3))
        await chat.tap_data(old)
        chat.expects("earlier message", "What may I call you?")


async def test_the_source_is_recorded_and_tags_and_greets(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        source = await sources.create(
            session, "Shop window", tags=["source:window"], welcome={"en": "From the window!"}
        )
        await chat.open(source.code)
        chat.expects("From the window!", "Welcome to Tea & Co")
        known = await members.get(session, chat.member_id)
        assert (known.first_source_id, known.last_source_id) == (source.id, source.id)
        assert [tag.tag for tag in await tags.of_member(session, chat.member_id)] == ["source:window"]


@pytest.mark.parametrize("payload", ["nobody-made-this", "' OR 1=1 --", "x" * 64, "\u202e", "survey-"])
async def test_a_forged_source_is_ignored(session: AsyncSession, payload: str) -> None:
    async with stranger(session) as chat:
        await chat.open(payload)
        chat.expects("Welcome to Tea & Co")
        assert (await members.get(session, chat.member_id)).first_source_id is None


async def test_who_falls_silent_is_reminded_once(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.wait(timedelta(hours=4))
        chat.expects("gentle nudge", "What may I call you?")
        await chat.wait(timedelta(hours=4))
        assert chat.said == []
        await chat.send("Lin")
        chat.expects("Welcome, Lin")


async def test_own_interests_of_the_brand_are_offered(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        for name in ("oolong", "matcha"):
            await tags.create(session, f"interest:{name}")
        await chat.open()
        await chat.tap("Agree, without news")
        await chat.tap("Li Hua")
        await chat.tap("Skip")
        await chat.tap("Skip")
        chat.expects_buttons("matcha", "oolong")
        await chat.send("matcha, oolong")
        chat.expects("All set!", "/profile")
        assert [tag.name for tag in await tags.of_member(session, chat.member_id)] == ["matcha", "oolong"]


async def test_a_stranger_who_wanted_to_check_in_is_led_through_and_then_checked_in(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.send("check in")
        chat.expects("Welcome to Tea & Co")
        await chat.tap("Agree, without news")
        await chat.tap("Li Hua")
        for _ in range(3):
            await chat.tap("Skip")
        chat.expects("All set!", "Checked in!")


async def test_who_falls_silent_after_joining_is_shown_the_menu_and_not_asked_on(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.send("check in")
        await chat.tap("Agree, without news")
        await chat.tap("Li Hua")
        await chat.wait(timedelta(hours=4))
        chat.expects("gentle nudge", "phone number?")
        await chat.wait(timedelta(hours=21))
        chat.expects("All set!", "/profile")
        chat.expects_not("Checked in!")
        assert chat.said[-1].menu is not None
        await chat.send("check in")
        chat.expects("Checked in!")


async def test_who_never_agrees_is_left_in_peace(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.wait(timedelta(days=4))
        assert chat.said == []
        await chat.open()
        chat.expects("Welcome to Tea & Co")


async def test_a_word_of_the_menu_is_neither_name_nor_phone_number(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.open()
        await chat.tap("Agree, and keep me posted")
        await chat.send("Menu")
        chat.expects("What would you like to do?", "What may I call you?")
        await chat.send("Lin")
        await chat.send("menu")
        chat.expects("What would you like to do?")
        chat.expects_not("doesn't look like a phone number")

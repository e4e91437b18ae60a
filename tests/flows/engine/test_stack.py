"""Which flow has the word: sub-flows, parking and resuming, cancelling, stop words, keywords, stale taps."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import service as members
from flows.engine.buttons import answer_data, start_data
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Flow, Keyword, Menu, Opening, Opens, StopWords, flow
from flows.engine.questions import Text
from tests.flows.engine.steps import outcomes, paid, pay, talk


@flow("name", starts=[Command("name")])
async def name(chat: Chat) -> str:
    await chat.do(pay, "asked")
    first = await chat.ask("name/first", Text())
    last = await chat.ask("name/last", Text())
    return f"{first} {last}"


@flow("visit", starts=[Command("visit"), Keyword("visit", "拜访"), Button("visit")])
async def visit(chat: Chat, why: str = "") -> None:
    who = await chat.call(name)
    await chat.say("visit/hello", who=who, why=why)
    await chat.ask("visit/tea", Choice("green", "black"))
    await chat.say("visit/bye", who=who)


@flow("hours", starts=[Command("hours"), Keyword("hours"), Menu({"en": "Opening hours", "zh-CN": "营业时间"})])
async def hours(chat: Chat) -> None:
    await chat.say("hours/list", buttons=[[Opens("visit", "shop", label={"en": "Visit us"})]])


@flow("stop", starts=[StopWords(), Command("stop")])
async def stop(chat: Chat) -> None:
    await chat.do(pay, "stopped")
    await chat.say("stop/done")


@flow("start", starts=[Opening()])
async def start(chat: Chat, payload: str = "") -> None:
    await chat.say("start/welcome", payload=payload, menu=[["hours"]])


ALL: list[Flow[object]] = [name, visit, hours, stop, start]  # type: ignore[list-item] # flows are covariant in use


async def test_sub_flow_shrinks_to_its_result(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit just because")
        await chat.send("Li")
        await chat.send("Hua")
        assert chat.text == "[visit/hello] who=Li Hua why=just because\n\n[visit/tea]"
        await chat.tap("green")
        assert chat.text == "[visit/bye] who=Li Hua"
        assert await paid(session, chat.member_id) == ["asked"]


async def test_command_parks_the_running_flow_and_its_question_comes_back(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("Li")
        await chat.send("/hours")
        assert chat.text == "[hours/list]\n\n[engine/resumed]\n\n[name/last]"
        await chat.send("Hua")
        chat.expects("[visit/hello] who=Li Hua")


async def test_menu_entry_parks_but_keyword_is_an_answer_while_text_is_asked(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("hours")
        assert chat.text == "[name/last]"
        await chat.send("营业时间")
        chat.expects("[hours/list]", "[name/last]")
        await chat.send("x")
        chat.expects("who=hours x")
        await chat.send("HOURS ")
        chat.expects("[hours/list]", "[visit/tea]")
        await chat.send("Green")
        chat.expects("[visit/bye]")


async def test_stop_words_work_in_any_state_but_only_as_the_whole_text(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        words = (" STOP ", "退订", "td", "Unsubscribe", "stop")
        for word in words:
            await chat.send("/visit")
            await chat.send("/name")
            await chat.send(word)
            assert chat.text == "[stop/done]"
        ended = await outcomes(session, chat.member_id)
        assert ended.count(("visit", "stopped")) == ended.count(("name", "stopped")) == len(words)
        await chat.send("/visit")
        await chat.send("stop it")
        assert chat.text == "[name/last]"


async def test_cancel_ends_the_top_flow_only(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("/name")
        assert chat.text == "[name/first]"
        await chat.send("取消")
        assert chat.text == "[engine/cancelled]\n\n[engine/resumed]\n\n[name/first]"
        await chat.send("/cancel")
        assert chat.text == "[engine/cancelled]"
        await chat.send("/cancel")
        assert chat.text == "[engine/nothing_to_cancel]"
        assert await outcomes(session, chat.member_id) == [("name", "cancelled"), ("visit", "cancelled")]


async def test_same_flow_again_goes_on_instead(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("Li")
        await chat.send("/visit")
        assert chat.text == "[name/last]"
        assert await paid(session, chat.member_id) == ["asked"]


async def test_at_most_three_are_parked(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        for why in "abcde":
            await chat.send(f"/visit {why}")
        assert await outcomes(session, chat.member_id) == [("visit", "dropped")]


async def test_parked_for_a_day_is_not_resumed(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit a")
        await chat.send("/visit b")
        await chat.wait(timedelta(hours=25))
        await chat.send("/cancel")
        assert chat.text == "[engine/cancelled]"
        assert await outcomes(session, chat.member_id) == [("visit", "expired"), ("visit", "cancelled")]


async def test_stale_tap_is_answered_and_the_current_question_shown(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("Li")
        await chat.send("Hua")
        old = chat.buttons[0].data
        await chat.tap("green")
        await chat.tap_data(old)
        assert chat.said == []  # the second of a double tap
        await chat.wait(timedelta(seconds=3))
        await chat.tap_data(old)
        assert chat.text == "[engine/stale_tap]"
        await chat.send("/name")
        await chat.tap_data(old)
        assert chat.text == "[engine/stale_tap]\n\n[name/first]"


async def test_forged_taps_change_nothing(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/visit")
        await chat.send("Li")
        await chat.send("Hua")
        run, step = chat.buttons[0].data.split(":")[2:4]  # type: ignore[union-attr] # it is an answer's button
        for data in (answer_data(int(run), int(step), 99), answer_data(int(run), int(step), -7)):
            await chat.tap_data(data)
            chat.expects("[hints/choice_expected]", "[visit/tea]")
        for data in ("", "1", "1:a:x:y", "1:a:1:1", "9:a:1:1:1", "1:s:", "1:s:nothing", "\x00", "1:c:7:0.0", "١:a:1"):
            await chat.tap_data(data)
            chat.expects("[visit/tea]")


async def test_button_with_argument_opens_a_flow(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("/hours")
        chat.expects_buttons("Visit us")
        await chat.tap("Visit us")
        await chat.send("Li")
        await chat.send("Hua")
        chat.expects("why=shop")
        assert len(start_data("visit", "shop").encode()) <= 64


async def test_opening_takes_the_payload_and_shows_the_menu(session: AsyncSession) -> None:
    async with talk(session, *ALL, locale="zh-CN") as chat:
        await chat.open("abc")
        assert chat.text == "[start/welcome] payload=abc"
        assert chat.said[0].menu == (("营业时间",),)
        await chat.send("/start xyz")
        assert chat.text == "[start/welcome] payload=xyz"
        await chat.send("/START@tea_bot")
        assert chat.text == "[start/welcome] payload="


async def test_unknown_text_gets_an_answer(session: AsyncSession) -> None:
    async with talk(session, *ALL) as chat:
        await chat.send("what is this?")
        assert chat.text == "[engine/unknown]"
        await chat.send("/nonsense")
        assert chat.text == "[engine/unknown]"
        await chat.send("   ")
        assert chat.text == "[engine/unknown]"


@flow("sign_up", starts=[Command("signup")])
async def sign_up(chat: Chat) -> None:
    if await chat.ask("sign_up/terms", Choice("agree", "decline")) == "agree":
        await chat.do(members.mark_signed_up)
        await chat.ask("sign_up/more", Text())


@flow("points", starts=[Command("points")])
async def points(chat: Chat) -> None:
    member_id = await chat.member()
    await chat.say("points/balance", is_id=member_id > 0)


async def test_stranger_is_led_through_sign_up_and_returns(session: AsyncSession) -> None:
    async with talk(session, sign_up, points) as chat:
        await chat.send("/points")
        assert chat.text == "[sign_up/terms]"
        await chat.tap("agree")
        assert chat.text == "[sign_up/more]"
        await chat.send("tea")
        assert chat.text == "[points/balance] is_id=True"
        await chat.send("/points")
        assert chat.text == "[points/balance] is_id=True"


async def test_stranger_who_declines_goes_no_further(session: AsyncSession) -> None:
    async with talk(session, sign_up, points) as chat:
        await chat.send("/points")
        await chat.tap("decline")
        assert chat.text == ""
        assert await outcomes(session, chat.member_id) == [("points", "not_signed_up")]


async def test_flow_that_waits_for_sign_up_goes_on_when_it_happened_elsewhere(session: AsyncSession) -> None:
    async with talk(session, sign_up, points) as chat:
        await chat.send("/points")
        await chat.send("/signup")
        await chat.tap("agree")
        await chat.send("tea")
        assert chat.text == "[points/balance] is_id=True"

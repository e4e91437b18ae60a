from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import service as points
from crm.surveys import service as surveys
from crm.tags import service as tags
from flows.engine.buttons import start_data
from flows.engine.inputs import Input, InputKind
from flows.testing import Conversation
from tests.flows.talking import member, stranger, words


def both(english: str, chinese: str) -> dict[str, str]:
    return {"en": english, "zh-CN": chinese}


DEFINITION: dict[str, Any] = {
    "intro": both("Four questions about our tea.", "关于茶的四个问题。"),
    "thanks": both("Thank you, really!", "真的谢谢你！"),
    "questions": [
        {
            "key": "recommend",
            "type": "nps",
            "title": both("Would you recommend us?", "会推荐我们吗？"),
            "jump": [{"if": {"at_least": 9}, "to": "taste"}],
        },
        {"key": "why", "type": "text", "title": both("What can we do better?", "哪里可以更好？")},
        {
            "key": "taste",
            "type": "single",
            "title": both("Which tea?", "喜欢哪种茶？"),
            "options": [
                {"key": "green", "label": both("Green <b>tea</b>", "绿茶"), "tag": "likes:green"},
                {"key": "black", "label": both("Black tea", "红茶")},
            ],
        },
        {
            "key": "when",
            "type": "multiple",
            "title": both("When?", "什么时候？"),
            "required": False,
            "options": [
                {"key": "am", "label": both("Morning", "早上")},
                {"key": "pm", "label": both("Afternoon", "下午")},
            ],
        },
        {"key": "stars", "type": "rating", "title": both("How was the service?", "服务如何？"), "scale": 5},
    ],
}


async def publish(chat: Conversation, key: str = "tea", *, is_repeatable: bool = False) -> int:
    made = await surveys.create(
        chat.session, key=key, name=f"About {key}", definition=DEFINITION, is_repeatable=is_repeatable
    )
    await surveys.publish(chat.session, made.id)
    return made.id


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_a_survey_is_answered_with_a_jump_and_rewarded(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        survey_id = await publish(chat)
        before = await points.balance(session, chat.member_id)
        await chat.send(words(locale, "survey", "问卷"))
        chat.expects(words(locale, "Four questions", "四个问题"), words(locale, "recommend us?", "会推荐我们吗"))
        await chat.tap("9")
        chat.expects(words(locale, "Which tea?", "喜欢哪种茶"))
        await chat.tap(words(locale, "Green <b>tea</b>", "绿茶"))
        await chat.tap(words(locale, "Morning", "早上"))
        await chat.tap(words(locale, "Afternoon", "下午"))
        await chat.tap(words(locale, "Done", "选好了"))
        await chat.tap("4")
        chat.expects(words(locale, "Thank you, really!", "真的谢谢你"), "+20")
        assert await points.balance(session, chat.member_id) == before + 20
        assert "likes:green" in [tag.tag for tag in await tags.of_member(session, chat.member_id)]
        found = await surveys.results(session, survey_id)
        assert found.completed == 1
        assert {item.key: item.answered for item in found.questions} == {
            "recommend": 1,
            "why": 0,
            "taste": 1,
            "when": 1,
            "stars": 1,
        }
        await chat.send("/survey tea")
        chat.expects(words(locale, "already answered", "已经填过了"))
        await chat.send("/survey")
        chat.expects(words(locale, "No survey is open", "暂时没有问卷"))


async def test_mistakes_get_a_hint_and_the_question_again(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat)
        await chat.send("/survey")
        for wrong in ("11", "-1", "ten", "３.5"):
            await chat.send(wrong)
            chat.expects("number from 0 to 10", "recommend us?")
        await chat.give(Input(InputKind.STICKER))
        chat.expects("recommend us?")
        await chat.send("3")
        chat.expects("What can we do better?")
        await chat.give(Input(InputKind.PHOTO, photo="x"))
        chat.expects("only read words")
        await chat.send("x" * 2001)
        chat.expects("2000 characters at most")
        await chat.send("more \x00\u202e{{ 7*7 }} <b>👨‍👩‍👧")
        chat.expects("Which tea?")
        await chat.send("coffee")
        chat.expects("tap one of the buttons", "Which tea?")
        await chat.send("BLACK TEA")
        await chat.tap("Done")
        chat.expects("at least 1", "When?")
        await chat.tap("Skip")
        chat.expects("How was the service?", "5 = excellent")


async def test_a_survey_is_continued_where_it_was_left(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat)
        await chat.send("/survey")
        await chat.tap("2")
        await chat.send("/cancel")
        chat.expects("stopped here")
        await chat.send("/survey")
        chat.expects("carry on where you left off", "What can we do better?")
        await chat.send("STOP")
        chat.expects("won't get any more news")
        chat.expects_not("better")
        await chat.send("/survey")
        chat.expects("What can we do better?")
        await chat.send("/points")
        chat.expects("You have", "Back to where we were", "What can we do better?")
        await chat.send("points")
        chat.expects("Which tea?")


async def test_a_survey_opens_by_button_and_by_deep_link(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat)
        await chat.tap_data(start_data("survey", "tea"))
        chat.expects("recommend us?")
        await chat.send("/cancel")
        await chat.open("survey-tea")
        chat.expects("recommend us?")
        chat.expects_not("Good to see you")
        await chat.tap_data(start_data("survey", "gone"))
        chat.expects("isn't open any more")


async def test_a_stranger_joins_first_and_is_then_asked(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await publish(chat)
        await chat.open("survey-tea")
        await chat.tap("Agree, without news")
        await chat.tap("Li Hua")
        for _ in range(3):
            await chat.tap("Skip")
        chat.expects("All set!", "Four questions", "recommend us?")


async def test_with_several_surveys_the_member_picks(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat, "tea")
        await publish(chat, "shop")
        await chat.send("/survey")
        chat.expects("Which one")
        await chat.tap("About tea")
        chat.expects("recommend us?")


async def test_a_repeatable_survey_starts_afresh(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat, is_repeatable=True)
        for _ in range(2):
            await chat.send("/survey")
            chat.expects("Four questions", "recommend us?")
            for answer in ("10", "green", "skip", "5"):
                await chat.send(answer)
            chat.expects("Thank you, really!")


async def test_who_falls_silent_is_reminded_with_the_open_question(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat)
        await chat.send("/survey")
        await chat.wait(timedelta(hours=21))
        chat.expects("gentle nudge", "recommend us?")
        await chat.tap("10")
        chat.expects("Which tea?")


async def test_the_language_can_change_in_the_middle(session: AsyncSession) -> None:
    async with member(session) as chat:
        await publish(chat)
        await chat.send("/survey")
        await chat.send("/language")
        await chat.tap("中文")
        chat.expects("好的，我们用中文聊", "会推荐我们吗？")
        await chat.tap("10")
        chat.expects_buttons("绿茶", "红茶")

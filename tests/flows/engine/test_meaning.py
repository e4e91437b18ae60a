"""What operators attached to words and buttons, open tickets, and how a turn becomes messages."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import keywords
from crm.conversations.keywords import NewKeyword
from crm.messages.types import Button, ButtonSpec, ChannelTraits, Outbound
from crm.tags import service as tags
from crm.tickets import service as tickets
from flows.engine.chat import Chat
from flows.engine.engine import Engine
from flows.engine.flow import Button as StartButton
from flows.engine.flow import Command, flow
from flows.engine.questions import Text
from flows.engine.registry import AmbiguousStart, Flows
from flows.engine.turn import in_messages
from tests.flows.engine.steps import plain, talk


@flow("survey", starts=[StartButton("survey"), Command("survey")])
async def survey(chat: Chat, key: str = "") -> None:
    await chat.ask("survey/why", Text(), which=key)


async def _tags(session: AsyncSession, member_id: int) -> list[tuple[str, str | None]]:
    return [(item.tag, item.source_ref) for item in await tags.of_member(session, member_id)]


async def test_keyword_of_an_operator_answers_tags_and_opens(session: AsyncSession) -> None:
    found = await keywords.create(
        session, NewKeyword("tea", ["tea?"], tag="likes:tea", flow="survey:nps", reply={"en": "Yes, <tea>!"})
    )
    async with talk(session, survey) as chat:
        await chat.send("TEA?")
        assert chat.text == "Yes, <tea>!\n\n[survey/why] which=nps"
        assert chat.said[0].text_html.startswith("Yes, &lt;tea&gt;!")
        assert await _tags(session, chat.member_id) == [("likes:tea", f"keyword:{found.id}")]
        await chat.send("tea?")
        assert chat.text == ""


async def test_button_of_an_operators_message(session: AsyncSession) -> None:
    async def resolve(session: AsyncSession, ref: str, place: str) -> ButtonSpec | None:
        del session
        specs = {"0.0": ButtonSpec({"en": "Rate"}, opens="survey:nps", tag="asked:nps"), "0.1": ButtonSpec({}, tag="x")}
        return specs.get(place) if ref == "12" else None

    async with talk(session, survey) as chat:
        chat.engine = Engine(chat.engine.flows, plain, {"c": resolve})
        await chat.tap_data("1:c:12:0.1")
        assert chat.text == "[engine/noted]"
        await chat.tap_data("1:c:12:0.0")
        assert chat.text == "[survey/why] which=nps"
        await chat.tap_data("1:c:13:0.0")
        assert chat.text == "[engine/old_button]\n\n[survey/why] which=nps"
        assert sorted(await _tags(session, chat.member_id)) == [("asked:nps", "c:12"), ("x", "c:12")]
        tapped = await session.execute(text("SELECT data->>'campaign_id' FROM events WHERE kind = 'button_tapped'"))
        assert tapped.scalars().all() == ["12", "12"]


async def test_tag_that_is_none_keeps_no_one_from_an_answer(session: AsyncSession) -> None:
    await keywords.create(session, NewKeyword("tea", ["tea?"], tag=":" * 300, reply={"en": "Yes"}))
    async with talk(session, survey) as chat:
        await chat.send("tea?")
        assert chat.text == "Yes"
        assert await _tags(session, chat.member_id) == []


async def test_words_go_to_the_person_who_was_asked_for(session: AsyncSession) -> None:
    async with talk(session, survey) as chat:
        await tickets.request_person(session, chat.member_id)
        await chat.send("my tea is cold")
        assert chat.text == "[engine/passed_on]"


def test_two_flows_never_start_by_the_same() -> None:
    @flow("other", starts=[Command("SURVEY")])
    async def other(chat: Chat) -> None:
        chat.end()

    with pytest.raises(AmbiguousStart):
        Flows([survey, other])
    with pytest.raises(AmbiguousStart):
        Flows([survey, survey])


A, B = ((Button("a", "1"),),), ((Button("b", "2"),),)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], []),
        ([Outbound("x"), Outbound("y", A), Outbound("z", B)], [Outbound("x\n\ny\n\nz", A + B)]),
        ([Outbound("x", photo_media_id=UUID(int=1)), Outbound("y")], None),
        ([Outbound("x" * 50), Outbound("y" * 49)], None),
        ([Outbound("x", menu=(("m",),)), Outbound("y")], [Outbound("x\n\ny", menu=(("m",),))]),
    ],
)
def test_one_turn_is_few_messages(said: list[Outbound], expected: list[Outbound] | None) -> None:
    assert in_messages(said, ChannelTraits("x", max_text=100)) == (said if expected is None else expected)

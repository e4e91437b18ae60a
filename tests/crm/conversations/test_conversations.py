"""The conversation row, the transcript and operators' keywords."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import keywords
from crm.conversations import service as conversations
from crm.conversations.keywords import InvalidKeyword, KeywordNotFound, Match, NewKeyword
from crm.conversations.types import Conversation, Direction, NewMessage, StaleConversation
from tests.factories.members import make_contact


async def _load(session: AsyncSession, identity_id: int, bot_id: int) -> Conversation:
    return await conversations.load(session, identity_id, bot_id=bot_id, chat_key="7")


async def test_one_conversation_for_an_identity_with_a_version(session: AsyncSession) -> None:
    identity = (await make_contact(session)).identity
    first = await _load(session, identity.id, identity.bot_id)
    await conversations.save(session, first, runs=[{"number": 1, "flow": "x"}], runs_started=1)
    second = await _load(session, identity.id, identity.bot_id)
    assert (second.id, second.version, second.runs_started, second.runs[0]["flow"]) == (first.id, 1, 1, "x")
    with pytest.raises(StaleConversation):
        await conversations.save(session, first, runs=[], runs_started=1)


async def test_transcript_is_sealed_ordered_and_paged(session: AsyncSession) -> None:
    contact = await make_contact(session)
    said = [NewMessage(Direction.IN, "text", f"secret {number}", buttons=["a"]) for number in range(5)]
    await conversations.record(session, contact.identity.id, said)
    await conversations.record(session, contact.identity.id, [])
    assert not any(
        b"secret" in bytes(row) for row in await session.scalars(text("SELECT body FROM conversation_messages"))
    )
    page = await conversations.transcript(session, contact.member.id, limit=2)
    assert [line.text for line in page] == ["secret 4", "secret 3"]
    rest = await conversations.transcript(session, contact.member.id, before=(page[-1].at, page[-1].id))
    assert [line.text for line in rest] == ["secret 2", "secret 1", "secret 0"]
    assert rest[0].buttons == ["a"]


async def test_long_text_is_cut_with_a_flag(session: AsyncSession) -> None:
    contact = await make_contact(session)
    await conversations.record(session, contact.identity.id, [NewMessage(Direction.IN, "text", "长" * 10_000)])
    (line,) = await conversations.transcript(session, contact.member.id)
    assert line.is_cut
    assert len(line.text.encode()) <= 16 * 1024


MENU = NewKeyword("menu", ["Menu ", "菜单"], reply={"en": "Tea, <b>coffee</b>", "zh-CN": "茶"})


async def test_keywords_match_by_priority_and_kind(session: AsyncSession) -> None:
    await keywords.create(session, MENU)
    vague = NewKeyword("vague", ["menu"], match=Match.CONTAINS, tag="asks:menu", priority=5)
    found = await keywords.create(session, vague)
    assert (await keywords.match(session, " MENU ")) == found
    await keywords.change(session, found.id, replace(vague, is_active=False))
    matched = await keywords.match(session, "菜单")
    assert matched is not None
    assert matched.name == "menu"
    assert await keywords.match(session, "the menu please") is None
    assert [item.name for item in await keywords.listing(session)] == ["vague", "menu"]


@pytest.mark.parametrize(
    "keyword",
    [
        NewKeyword("", ["a"], tag="x"),
        NewKeyword("a", [" "], tag="x"),
        NewKeyword("a", ["b"]),
        NewKeyword("a", ["b" * 101], tag="x"),
        NewKeyword("a", ["b"], reply={"en": "  "}),
    ],
)
async def test_keyword_that_does_nothing_is_refused(session: AsyncSession, keyword: NewKeyword) -> None:
    with pytest.raises(InvalidKeyword):
        await keywords.create(session, keyword)


async def test_unknown_keyword(session: AsyncSession) -> None:
    with pytest.raises(KeywordNotFound):
        await keywords.get(session, 999)
    with pytest.raises(KeywordNotFound):
        await keywords.change(session, 999, MENU)


def test_reply_in_the_language_that_there_is() -> None:
    assert keywords.reply_in(MENU.reply, "zh-CN") == "茶"
    assert keywords.reply_in(MENU.reply, "fr") == "Tea, <b>coffee</b>"
    assert keywords.reply_in({}, "en") is None

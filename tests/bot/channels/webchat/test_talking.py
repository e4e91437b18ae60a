"""What a visitor says reaches the conversation once, and what the bot says reaches the page."""

import asyncio
from uuid import UUID

from sqlalchemy import text

from crm.conversations import service as conversations
from crm.deliveries.types import Lane, Sent
from crm.members import service as members
from crm.messages.types import Button, Outbound
from tests.bot.channels.webchat.house import QUICK, ChatHouse, open_house
from tests.bot.channels.webchat.page import Page, open_page


async def address_of(house: ChatHouse, page: Page) -> str:
    return page.token.split(".")[0]


async def test_a_stranger_is_greeted_and_led_into_sign_up(house: ChatHouse) -> None:
    async with open_page(house) as page:
        welcome = await page.hello()
        assert welcome["brand"]["name"] == "Tea & Co"
        assert welcome["locale"] == "en"
        assert len(welcome["menu"]) == 5
        first = await page.heard()
    assert "Tea &amp; Co" in first["text"]
    assert first["html"] is True
    assert first["buttons"]


async def test_what_is_said_is_acknowledged_after_it_was_stored(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        acknowledged = await page.say("/help")
        history = await page.history()
    own = [one for one in history["messages"] if one["direction"] == "in"]
    assert [(one["id"], one["text"], one["html"]) for one in own] == [(acknowledged["message_id"], "/help", False)]
    async with house.sessions() as session:
        stored = await session.scalar(text("SELECT count(*) FROM inbound_updates"))
    assert stored == 2


async def test_a_frame_that_is_sent_again_counts_once(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        first = await page.say("/help", frame_id="the-same")
        await page.heard()
        token = page.token
    async with open_page(house) as page:
        await page.hello(token)
        second = await page.say("/help", frame_id="the-same")
        await house.dispatcher.drain()
        history = await page.history()
    assert second == first
    assert len([one for one in history["messages"] if one["direction"] == "in"]) == 1
    assert len(history["messages"]) == 3


async def test_parallel_frames_with_one_id_make_one_message(house: ChatHouse) -> None:
    async with open_page(house) as one, open_page(house) as other:
        await one.hello()
        await other.hello(one.token)
        await asyncio.gather(*(page.say("/help", frame_id="same") for page in (one, other)))
        history = await one.history()
    assert len([message for message in history["messages"] if message["direction"] == "in"]) == 1


async def test_history_comes_back_after_a_reload_and_in_pages(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        token, address = page.token, await address_of(house, page)
    for number in range(40):
        await house.sender.send(house.bot.id, address, Outbound(f"Message {number}"), lane=Lane.BULK)
    async with open_page(house) as page:
        await page.hello(token)
        newest = await page.history()
        older = await page.history(newest["messages"][0]["id"])
    assert newest["more"] is True
    assert older["more"] is False
    texts = [message["text"] for message in older["messages"] + newest["messages"]][1:]
    assert texts == [f"Message {number}" for number in range(40)]


async def test_a_second_page_of_the_visitor_follows(house: ChatHouse) -> None:
    async with open_page(house) as one, open_page(house) as other:
        await one.hello()
        await one.heard()
        await other.hello(one.token)
        acknowledged = await one.say("/help")
        mine = await other.next("message")
        assert mine["message"]["id"] == acknowledged["message_id"]
        assert (await other.heard())["id"] == (await one.heard())["id"]


async def test_a_key_of_the_menu_speaks_for_the_visitor(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        key = page.welcome["menu"][4]
        assert (await page.tap(key["data"]))["message_id"] is None
        mine = await page.next("message")
        assert (mine["message"]["direction"], mine["message"]["text"]) == ("in", key["label"])
        assert "/language" in (await page.heard())["text"]


async def test_several_choices_are_edited_in_place(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        address = await address_of(house, page)
        sent = await house.sender.send(
            house.bot.id, address, Outbound("Which?", ((Button("Tea", data="1:a:1:1:0"),),)), lane=Lane.INTERACTIVE
        )
        assert isinstance(sent, Sent)
        first = await page.heard()
        assert first["id"] == sent.provider_ref
        again = Outbound("Which?", ((Button("☑ Tea", data="1:a:1:1:0"),),), edit_ref=sent.provider_ref)
        edited = await house.sender.send(house.bot.id, address, again, lane=Lane.INTERACTIVE)
        assert edited == Sent(sent.provider_ref)
        shown = (await page.next("edit"))["message"]
        assert (shown["id"], shown["buttons"][0][0]["label"]) == (first["id"], "☑ Tea")
        history = await page.history()
    assert [one["id"] for one in history["messages"]].count(first["id"]) == 1


async def test_an_edit_of_another_visitors_message_is_a_new_message(house: ChatHouse) -> None:
    sent = await house.sender.send(house.bot.id, "someone", Outbound("Secret"), lane=Lane.BULK)
    assert isinstance(sent, Sent)
    for reference in (sent.provider_ref, "no uuid", str(UUID(int=0)), str(UUID(int=(1 << 128) - 1))):
        stolen = Outbound("Changed", edit_ref=reference)
        outcome = await house.sender.send(house.bot.id, "other", stolen, lane=Lane.BULK)
        assert isinstance(outcome, Sent)
        assert outcome.provider_ref != sent.provider_ref


async def test_a_page_of_another_process_is_told_at_once(house: ChatHouse) -> None:
    async with open_house(house.sessions, house.valkey) as second, open_page(second) as page:
        await page.hello()
        await page.heard()
        address = await address_of(house, page)
        async with asyncio.timeout(QUICK.calm_poll_seconds):
            await house.sender.send(house.bot.id, address, Outbound("From afar"), lane=Lane.BULK)
            assert (await page.heard())["text"] == "From afar"


async def test_what_happens_lands_with_one_member_and_its_transcript(house: ChatHouse) -> None:
    async with open_page(house) as page:
        await page.hello()
        await page.heard()
        await page.say("/help")
        await page.heard()
        address = await address_of(house, page)
    async with house.sessions() as session:
        contact = await members.find_contact(session, house.bot.id, address)
        assert contact is not None
        lines = await conversations.transcript(session, contact.member.id)
    assert contact.identity.channel == "webchat"
    assert "/help" in [line.text for line in lines]

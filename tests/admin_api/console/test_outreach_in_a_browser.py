"""A marketer makes a segment, writes a message, looks at it, launches it and watches it arrive, in a real browser."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from crm.campaigns import launching
from crm.db.session import Sessions
from crm.deliveries import sending
from crm.deliveries.testing import FakeSender
from crm.events.relay import relay_all
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.tags import service as tags
from runtime.contents import ContentRenderer
from tests.admin_api.conftest import Site
from tests.admin_api.console.outreach import Outreach, make_outreach
from tests.factories.deliveries import desk
from tests.factories.operators import PASSWORD, make_operator

NAME = '<img src=x onerror="alert(1)">林小满'
SCREENSHOTS = os.environ.get("SIYU_SCREENSHOTS")
"""A folder where this test leaves pictures of the pages that it saw."""


@dataclass
class Visit:
    """A signed-in page over a served application, the sender behind it, and whatever the browser complained of."""

    page: Page
    made: Outreach
    sender: FakeSender
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Policy violations and script errors end up here."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


async def _work(sessions: Sessions, sender: FakeSender) -> None:
    """What workers, senders and the relay do, until cancelled."""
    own = desk(sessions, sender, renderer=ContentRenderer())
    while True:
        async with sessions.begin() as session:
            await launching.start_left_over(session)
        await sending.send_due(own)
        await relay_all(sessions)
        await asyncio.sleep(0.2)


@pytest.fixture
async def visit(chromium: Browser, committed_site: Site) -> AsyncIterator[Visit]:
    """An owner who has signed in, before two members, of whom one has a tag and a hostile name."""
    sessions = committed_site.deps.sessions
    async with sessions.begin() as session:
        operator = await make_operator(session)
        made = await make_outreach(session)
        first, second = (contact.member.id for contact in made.audience.contacts)
        await members.change(session, first, MemberChanges(display_name=NAME), by="test")
        for member_id in (first, second):
            await tags.add(session, member_id, "likes:oolong", source="test")
    server = uvicorn.Server(uvicorn.Config(committed_site.app, log_level="error", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    sender = FakeSender(name=made.audience.bot.channel)
    working = asyncio.create_task(_work(sessions, sender))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    context = await chromium.new_context(base_url=base, locale="en", viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    found = Visit(page, made, sender)
    page.on("console", found.note)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: found.complaints.append(f"script ran: {dialog.message}"))
    await page.goto("/console/sign-in")
    await page.fill("[name=email]", operator.email)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button[type=submit]")
    await page.wait_for_url("**/console/")
    yield found
    await context.close()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    server.should_exit = server.force_exit = True
    await serving
    listening.close()


async def _look(page: Page, name: str) -> None:
    """Nothing breaks out of the page, wide or narrow; leaves pictures where they are wanted."""
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        if SCREENSHOTS:
            await page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def test_every_page_fits(visit: Visit) -> None:
    fragments = {"campaign_progress", "campaign_preview"}
    for name, path in visit.made.pages().items():
        if name not in fragments:
            await visit.page.goto(path)
            await _look(visit.page, name)
    assert visit.complaints == []


async def test_a_broadcast_from_segment_to_arrival(visit: Visit) -> None:
    page = visit.page
    await page.goto("/console/segments/new")
    await page.get_by_role("button", name="Add condition").click()
    await page.get_by_label("Choose a condition").select_option("tag")
    await page.locator(".rule-row").get_by_label("Tag", exact=True).select_option("likes:oolong")
    await expect(page.locator("[data-count] strong")).to_have_text("2")
    await page.get_by_label("Name").fill("Oolong lovers")
    await page.get_by_role("button", name="Save segment").click()
    await expect(page.locator("h1")).to_contain_text("Oolong lovers")
    await page.get_by_role("link", name="New campaign").click()
    await _compose(page)
    await page.get_by_role("button", name="Save draft").click()
    await expect(page.locator("#message-preview .bubble-text")).to_contain_text("Fresh oolong")
    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_role("dialog")).to_contain_text("You have no linked chat yet")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Launch…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Launch now").click()
    await expect(page.locator(".page-head")).to_contain_text("Finished")
    await expect(page.locator("#campaign-progress .legend")).to_contain_text("Sent 2")
    sent = sorted(item.message.text_html for item in visit.sender.sent)
    assert len(sent) == 2
    assert any("&lt;img src=x onerror=" in text for text in sent)
    assert all("<b>Fresh oolong</b>" in text for text in sent)
    assert [len(row) for row in visit.sender.sent[0].message.buttons] == [2]
    await page.get_by_role("link", name="Recipients").first.click()
    await expect(page.locator("table")).to_contain_text(NAME)
    assert visit.complaints == []


async def _compose(page: Page) -> None:
    """Name, text, two buttons side by side; the preview is for the member with the hostile name."""
    await page.get_by_label("Name of the campaign").fill("Spring harvest")
    await page.get_by_role("tab", name="English").click()
    await page.get_by_label("Message text").fill("{{ member.name }}, <b>Fresh oolong</b> is here.")
    await page.get_by_role("button", name="Add button").click()
    await page.get_by_label("Button text").fill("Menu")
    await page.get_by_label("Address").fill("https://shop.example/menu")
    await page.get_by_role("button", name="Add button").click()
    await page.get_by_label("Button text").last.fill("Check in")
    await page.get_by_label("Opens", exact=True).last.select_option("action")
    await page.get_by_label("Tag (optional)").fill("spring:yes")
    await page.get_by_role("button", name="Beside the button above").click()
    preview = page.locator(".composer-preview [data-preview]")
    await page.get_by_placeholder("Find a member").fill("林小满")
    await expect(page.locator("[data-reader] option")).to_have_count(1)
    await expect(preview.locator(".bubble-text")).to_contain_text(f"{NAME}, Fresh oolong is here.")
    await expect(preview.locator(".bubble-text b")).to_have_text("Fresh oolong")
    await expect(preview.locator(".key-row")).to_have_count(1)


async def test_a_survey_is_written_and_published(visit: Visit) -> None:
    page = visit.page
    await page.goto("/console/surveys/new")
    await page.get_by_label("Name").first.fill("Taste")
    await page.locator("input[name=key]").fill("taste")
    first = page.get_by_role("region", name="Question 1")
    await first.get_by_label("Type").select_option("single")
    await first.get_by_label("Question · 中文").fill("喜欢什么？")
    await first.get_by_label("Question · English").fill("What do you like?")
    await first.get_by_label("Answer 1 · 中文").fill("茶")
    await first.get_by_label("Answer 1 · English").fill("Tea")
    await first.get_by_label("Tag (optional) 1").fill("likes:tea")
    await first.get_by_role("button", name="Add jump").click()
    await page.get_by_role("button", name="Save draft").click()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#content")).to_contain_text("likes:tea")
    await expect(page.locator("#content")).to_contain_text("is Tea → End of the survey")
    assert visit.complaints == []

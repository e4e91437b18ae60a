"""An operator walks through the pages about people in a real browser, wide and on a phone."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, Response, expect

from tests.admin_api.conftest import Site
from tests.admin_api.console.people import PHONE, Shown, make_shown
from tests.factories.deliveries import make_topic
from tests.factories.operators import PASSWORD, make_operator

XSS = '<img src=x onerror="alert(1)">林小满'
SCREENSHOTS = os.environ.get("SIYU_SCREENSHOTS")
"""A folder where this test leaves pictures of the pages that it saw."""


@dataclass
class Visit:
    """A signed-in page over a served application, and whatever the browser complained of."""

    page: Page
    shown: Shown
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Policy violations and script errors end up here."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def answered(self, response: Response) -> None:
        """So do answers that no click of ours should get."""
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")


@pytest.fixture
async def visit(chromium: Browser, committed_site: Site) -> AsyncIterator[Visit]:
    """An owner who has signed in, before a member with a bit of everything and a hostile name."""
    async with committed_site.deps.sessions.begin() as session:
        await make_topic(session)
        operator = await make_operator(session)
        shown = await make_shown(session, XSS)
    server = uvicorn.Server(uvicorn.Config(committed_site.app, log_level="error", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    context = await chromium.new_context(base_url=base, locale="en", viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    found = Visit(page, shown)
    page.on("console", found.note)
    page.on("response", found.answered)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: found.complaints.append(f"script ran: {dialog.message}"))
    await page.goto("/console/sign-in")
    await page.fill("[name=email]", operator.email)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button[type=submit]")
    await page.wait_for_url("**/console/")
    yield found
    await context.close()
    server.should_exit = server.force_exit = True
    await serving


async def _look(page: Page, name: str) -> None:
    """Nothing breaks out of the page, wide or narrow; leaves pictures where they are wanted."""
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        if SCREENSHOTS:
            await page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def test_every_page_fits_and_runs_no_script_of_a_member(visit: Visit) -> None:
    shown = visit.shown
    paths = {
        "dashboard": "/console/",
        "members": "/console/members",
        "tags": "/console/tags",
        "rule": f"/console/tag-rules/{shown.rule.id}",
        "sources": "/console/sources",
        "source": f"/console/sources/{shown.source.id}",
        "request": f"/console/requests/{shown.ticket.id}",
        "attributes": "/console/settings/attributes",
        "audit": "/console/settings/audit",
        **{
            tab or "overview": f"{shown.path}/{tab}".rstrip("/") for tab in ("", "timeline", "points", "orders", "edit")
        },
    }
    for name, path in paths.items():
        await visit.page.goto(path)
        await _look(visit.page, name)
    assert visit.complaints == []


async def test_a_member_is_found_revealed_tagged_and_paid(visit: Visit) -> None:
    page, path = visit.page, visit.shown.path
    await page.goto("/console/")
    await page.get_by_role("searchbox", name="Search members").fill(PHONE[-4:])
    await page.keyboard.press("Enter")
    await page.locator("a.data-main").first.click()
    await page.wait_for_url(f"**{path}")
    await page.get_by_role("button", name="Show in full").click()
    await expect(page.locator("#personal")).to_contain_text(PHONE)
    await page.get_by_label("Add tags").fill("vip:gold，met:fair")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator(".tag-lines")).to_contain_text("gold")
    await page.locator('summary[aria-label="More actions"]').click()
    await page.get_by_role("button", name="Adjust points").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("Take points").click()
    await dialog.get_by_label("How many").fill("5000")
    await dialog.get_by_label("Reason").fill("Counted twice")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_contain_text("not enough points")
    await dialog.get_by_label("How many").fill("20")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("The balance is corrected.")
    await expect(page.locator(".tiles")).to_contain_text("100")


async def test_a_conversation_is_answered_while_it_is_open(visit: Visit) -> None:
    page = visit.page
    await page.goto(f"/console/requests/{visit.shown.ticket.id}")
    await page.get_by_label("Your answer").fill("We look into it <b>now</b>.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".chat")).to_contain_text("We look into it <b>now</b>.")
    await page.get_by_role("button", name="Close the request").click()
    await expect(page.locator("main")).to_contain_text("Nobody waits")
    assert visit.complaints == []

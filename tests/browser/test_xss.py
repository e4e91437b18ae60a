"""Forty hostile texts in every place where people name or write something: not one runs, on no page."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import Error as BrowserError
from redis.asyncio import Redis

from crm.brand import service as brand
from crm.db.session import Sessions
from crm.deliveries.types import Lane
from crm.members import service as members
from crm.messages.types import Button, Outbound
from crm.operators.permissions import Role
from tests.admin_api.routes import RouteCase, cases
from tests.bot.channels.webchat.house import ChatHouse, open_house
from tests.browser.payloads import PAYLOADS
from tests.browser.test_webchat import say
from tests.factories.operators import PASSWORD, make_operator
from tests.factories.shop import Ids, Words, fill, open_shop

EMAIL = "owner@shop.example"
TABS = 4
SPREAD = 7
"""So that neighbours among the routes are shown different texts."""
WATCH = """
window.__csp = [];
document.addEventListener('securitypolicyviolation', (event) => {
    window.__csp.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass
class Watched:
    """What pages did that they should not."""

    context: BrowserContext
    faults: list[str] = field(default_factory=list)

    async def tab(self) -> Page:
        """A new tab that tells."""
        page = await self.context.new_page()
        page.on("dialog", lambda dialog: self.faults.append(f"dialog on {page.url}: {dialog.message}"))
        page.on("pageerror", lambda error: self.faults.append(f"error on {page.url}: {error}"))
        return page

    async def look(self, page: Page, address: str) -> None:
        """Open a page, let it load its pieces, and ask it whether anything ran or was tried."""
        try:
            answer = await page.goto(address, wait_until="networkidle")
        except BrowserError as error:
            if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
                return
            raise
        if answer is not None and answer.status >= 500:
            self.faults.append(f"{address} answered {answer.status}")
        await self.ask(page)

    async def ask(self, page: Page) -> None:
        """Note what ran on the page as it stands, or was kept from it by its policy."""
        if await page.evaluate("'__xss' in window"):
            self.faults.append(f"a script ran on {page.url}")
        self.faults += [f"{tried} on {page.url}" for tried in await page.evaluate("window.__csp || []")]


@pytest.fixture
async def house(committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[ChatHouse]:
    """The console and the web chat of a shop whose brand has a hostile name."""
    async with Redis.from_url(valkey_url) as valkey:
        await valkey.flushdb()
        async with open_house(committed_sessions, valkey) as opened:
            yield opened


@pytest.fixture
async def watched(chromium: Browser, house: ChatHouse) -> AsyncIterator[Watched]:
    """A browser whose pages are watched from their first moment."""
    context = await chromium.new_context(base_url=house.address, locale="en-GB")
    await context.add_init_script(WATCH)
    yield Watched(context)
    await context.close()


async def _hostile_shop(house: ChatHouse) -> list[Ids]:
    async with house.sessions.begin() as session:
        await make_operator(session, role=Role.OWNER, email=EMAIL, name=PAYLOADS[9])
        bot = await open_shop(session, name=PAYLOADS[10])
        others = PAYLOADS[13:] + PAYLOADS[:13]
        return [
            await fill(session, bot, Words(number, name, text))
            for number, (name, text) in enumerate(zip(PAYLOADS, others, strict=True))
        ]


async def _sign_in(page: Page) -> None:
    await page.goto("/console/sign-in")
    await page.locator("input[name=email]").fill(EMAIL)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")


_ELSEWHERE = "{token}"
"""Links that open once show nothing that anybody wrote but the brand's name."""


def _pages() -> list[RouteCase]:
    pages = [case for case in cases() if case.method == "GET" and case.route.is_page]
    return [case for case in pages if _ELSEWHERE not in case.path]


def _addresses(shops: list[Ids]) -> list[str]:
    """Each page, those about one thing for two of the forty; a thing that the words were refused for is skipped."""
    found: dict[str, None] = {}
    for number, case in enumerate(_pages()):
        wanted = _PARAMETER.findall(case.path)
        for start in (number * SPREAD, number * SPREAD + len(shops) // 2):
            turned = (shops[(start + step) % len(shops)] for step in range(len(shops)))
            ids = next((one for one in turned if all(name in one for name in wanted)), None)
            assert ids is not None, f"nothing is there for {case}"
            found[_PARAMETER.sub(lambda name, ids=ids: str(ids[name[1]]), case.path)] = None  # type: ignore[misc]  # bound at once
    return list(found)


async def _look_at(watched: Watched, addresses: list[str]) -> None:
    async def walk(own: list[str]) -> None:
        page = await watched.tab()
        for address in own:
            await watched.look(page, address)
        await page.close()

    await asyncio.gather(*(walk(addresses[number::TABS]) for number in range(TABS)))


def test_there_are_forty_texts() -> None:
    assert len(set(PAYLOADS)) == 40


async def test_nothing_runs_on_any_page_of_the_console(house: ChatHouse, watched: Watched) -> None:
    shops = await _hostile_shop(house)
    await _sign_in(await watched.tab())
    addresses = _addresses(shops)
    assert len(addresses) > len(_pages())
    await _look_at(watched, addresses)
    assert watched.faults == []


async def test_the_watch_notices_what_would_run(watched: Watched) -> None:
    page = await watched.tab()
    await page.goto("/console/sign-in")
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=__xss=1>')")
    await page.wait_for_function("window.__csp.length > 0")
    await watched.ask(page)
    assert any("script-src" in fault for fault in watched.faults)


async def test_nothing_runs_in_the_web_chat_nor_where_operators_read_it(house: ChatHouse, watched: Watched) -> None:
    async with house.sessions.begin() as session:
        await brand.change(session, name=PAYLOADS[10])
        await make_operator(session, role=Role.OWNER, email=EMAIL)
    page = await watched.tab()
    await page.goto("/chat")
    await expect(page.locator(".message")).to_have_count(1)
    for number, payload in enumerate(PAYLOADS[:8]):
        await say(page, payload)
        await expect(page.locator('.message[data-direction="in"]')).to_have_count(number + 1)
    address = (await page.evaluate("localStorage.getItem('siyu-chat-token')")).split(".")[0]
    for payload in PAYLOADS:
        buttons = ((Button(payload[:60], data="1:x"), Button("open", url="javascript:__xss=1")),)
        await house.sender.send(house.bot.id, address, Outbound(payload, buttons=buttons), lane=Lane.BULK)
    await expect(page.locator(".message").last).to_contain_text("__xss")
    await watched.ask(page)
    await page.reload()
    await expect(page.locator(".message").last).to_contain_text("__xss")
    await watched.ask(page)
    async with house.sessions() as session:
        contact = await members.find_contact(session, house.bot.id, address)
    assert contact is not None
    await _sign_in(page)
    here = f"/console/members/{contact.member.id}"
    await _look_at(watched, [here, f"{here}/conversation", f"{here}/timeline", f"{here}/deliveries"])
    assert watched.faults == []

"""A member's whole way through the web chat in a real browser, before the real server, dispatcher and flows."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from playwright.async_api import Browser, Page, ViewportSize, expect
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from crm.brand import service as brand
from crm.db.session import Sessions
from crm.deliveries.types import Lane
from crm.messages.types import Outbound
from crm.points import service as points
from tests.bot.channels.webchat.house import ChatHouse, open_house

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
async def house(committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[ChatHouse]:
    async with committed_sessions.begin() as session:
        await brand.change(session, name="Tea & Co")
        await points.ensure_defaults(session)
    async with Redis.from_url(valkey_url) as valkey:
        await valkey.flushdb()
        async with open_house(committed_sessions, valkey) as opened:
            yield opened


@asynccontextmanager
async def opened_page(chromium: Browser, faults: list[str], address: str) -> AsyncIterator[Page]:
    context = await chromium.new_context(viewport=PHONE, locale="en-GB", base_url=address)
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    yield page
    await context.close()


async def say(page: Page, text: str) -> None:
    await page.get_by_placeholder("Write a message…").fill(text)
    await page.keyboard.press("Enter")


async def sign_up(page: Page) -> None:
    await page.get_by_role("button", name="agree").first.click()
    await expect(page.locator(".message").last).to_contain_text("call you")
    await say(page, "Li Hua")
    for asked in ("phone", "birthday", "into"):
        last = page.locator(".message").last
        await expect(last).to_contain_text(asked)
        await last.get_by_role("button", name="Skip").click()
    await expect(page.locator(".message").last).to_contain_text("All set!")


async def test_a_visitor_becomes_a_member_checks_in_and_finds_it_all_after_a_reload(
    chromium: Browser, house: ChatHouse
) -> None:
    faults: list[str] = []
    async with opened_page(chromium, faults, house.address) as page:
        await page.goto("/chat")
        await expect(page.locator("[data-status]")).to_have_text("Online")
        await expect(page.locator(".message").first).to_contain_text("Welcome to Tea & Co")
        await sign_up(page)
        await page.get_by_role("navigation").get_by_role("button", name="Check in").click()
        await expect(page.locator('.message[data-direction="in"]').last).to_contain_text("Check in")
        await expect(page.locator(".message").last.locator("pre")).to_be_visible()
        before = await page.locator(".message").all_inner_texts()
        await page.reload()
        await expect(page.locator(".message")).to_have_count(len(before))
        assert await page.locator(".message").all_inner_texts() == before
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert faults == []


async def test_what_came_while_away_is_there_and_later_ones_come_by_themselves(
    chromium: Browser, house: ChatHouse
) -> None:
    faults: list[str] = []
    async with opened_page(chromium, faults, house.address) as page:
        await page.goto("/chat")
        await expect(page.locator(".message")).to_have_count(1)
        token = await page.evaluate("localStorage.getItem('siyu-chat-token')")
        address = token.split(".")[0]
        await page.goto("about:blank")
        await house.sender.send(house.bot.id, address, Outbound("While you were <b>away</b>"), lane=Lane.BULK)
        await page.goto("/chat")
        await expect(page.locator(".message").last).to_contain_text("While you were away")
        await house.sender.send(house.bot.id, address, Outbound("And now"), lane=Lane.BULK)
        await expect(page.locator(".message").last).to_contain_text("And now")
        await expect(page.locator(".message")).to_have_count(3)
    assert faults == []


async def test_the_language_of_the_page_becomes_the_members(chromium: Browser, house: ChatHouse) -> None:
    faults: list[str] = []
    async with opened_page(chromium, faults, house.address) as page:
        await page.goto("/chat")
        await expect(page.locator(".message")).to_have_count(1)
        await page.get_by_role("button", name="Switch to Chinese").click()
        await expect(page.locator("[data-status]")).to_have_text("在线")
        await expect(page.get_by_role("navigation")).to_contain_text("签到")
        await page.get_by_placeholder("输入消息…").fill("/help")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message").last).to_contain_text("签到")
    assert faults == []


@asynccontextmanager
async def shop_with_chat(house: ChatHouse) -> AsyncIterator[str]:
    """Another site whose pages carry the script."""

    async def shop(_: Request) -> Response:
        head = '<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">'
        return HTMLResponse(f'{head}<body><h1>Shop</h1><script src="{house.address}/chat/embed.js" async></script>')

    config = uvicorn.Config(Starlette(routes=[Route("/", shop)]), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://localhost:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_one_script_tag_brings_the_chat_to_allowed_sites_only(chromium: Browser, house: ChatHouse) -> None:
    faults: list[str] = []
    async with shop_with_chat(house) as shop, opened_page(chromium, faults, shop) as page:
        async with house.sessions.begin() as session:
            await brand.change(session, embed_origins=[shop])
        await page.goto("/")
        await page.wait_for_function("document.body.lastElementChild.tagName === 'DIV'")
        async with page.expect_event("framenavigated") as opening:
            await page.mouse.click(PHONE["width"] - 50, PHONE["height"] - 50)
        chat = await opening.value
        await expect(chat.locator("[data-status]")).to_have_text("Online")
        await expect(chat.locator(".message").first).to_contain_text("Welcome to Tea & Co")
        assert faults == []
        async with house.sessions.begin() as session:
            await brand.change(session, embed_origins=["https://elsewhere.example"])
        await page.reload()
        await page.wait_for_function("document.body.lastElementChild.tagName === 'DIV'")
        async with page.expect_event("framenavigated") as opening:
            await page.mouse.click(PHONE["width"] - 50, PHONE["height"] - 50)
        chat = await opening.value
        await expect(chat.get_by_text("cannot be opened here")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
async def test_the_conversation_fits_the_screen(chromium: Browser, house: ChatHouse, width: int) -> None:
    faults: list[str] = []
    async with opened_page(chromium, faults, house.address) as page:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto("/chat")
        await expect(page.locator(".message")).to_have_count(1)
        await say(page, "a-very-long-word-" * 30)
        await expect(page.locator(".message")).to_have_count(3)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        keys = await page.locator(".menu-key, .key").all()
        assert keys
        for key in keys:
            box = await key.bounding_box()
            assert box is not None
            assert box["height"] >= 36
    assert faults == []

"""From sign-up in the web chat to a voucher whose picture is scanned and used at the console's counter."""

import os
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from redis.asyncio import Redis

from crm.brand import service as brand
from crm.db.session import Sessions
from crm.operators.permissions import Role
from crm.points import service as points
from tests.bot.channels.webchat.house import ChatHouse, open_house
from tests.factories.loyalty import make_coupon, make_reward
from tests.factories.operators import PASSWORD, make_operator

SCREENSHOTS = os.environ.get("SIYU_SCREENSHOTS")
"""A folder where this test leaves pictures of the pages that it saw."""
WORDS = {
    "en": {
        "locale": "en-GB",
        "write": "Write a message…",
        "agree": "agree",
        "skip": "Skip",
        "asked": "phone birthday into",
        "name": "call you",
        "done": "All set!",
        "rewards": "Rewards",
        "reward": "Tin of tea",
        "yes": "Yes, please",
        "yours": "It's yours!",
        "valid": "Valid",
        "use": "Use now",
        "used": "Used just now",
        "before": "Used before",
    },
    "zh-CN": {
        "locale": "zh-CN",
        "write": "输入消息…",
        "agree": "同意",
        "skip": "跳过",
        "asked": "手机 生日 兴趣",
        "name": "称呼",
        "done": "都好啦",
        "rewards": "兑换",
        "reward": "茶叶罐",
        "yes": "兑换",
        "yours": "兑换成功",
        "valid": "可以使用",
        "use": "立即核销",
        "used": "核销成功",
        "before": "已被使用",
    },
}


@pytest.fixture
async def house(committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[ChatHouse]:
    """A shop with one reward: a voucher of ten off for fewer points than signing up gives."""
    async with committed_sessions.begin() as session:
        await brand.change(session, name="Tea & Co")
        await points.ensure_defaults(session)
        coupon = await make_coupon(session, valid_days=30)
        await make_reward(session, points=50, coupon=coupon, stock=3)
    async with Redis.from_url(valkey_url) as valkey:
        await valkey.flushdb()
        async with open_house(committed_sessions, valkey) as opened:
            yield opened


def _last(page: Page) -> Locator:
    return page.locator(".message").last


async def _say(page: Page, words: dict[str, str], text: str) -> None:
    await page.get_by_placeholder(words["write"]).fill(text)
    await page.keyboard.press("Enter")


async def _sign_up(page: Page, words: dict[str, str]) -> None:
    await page.get_by_role("button", name=words["agree"]).first.click()
    await expect(_last(page)).to_contain_text(words["name"])
    await _say(page, words, "林小满")
    for what in words["asked"].split():
        await expect(_last(page)).to_contain_text(what)
        await _last(page).get_by_role("button", name=words["skip"]).click()
    await expect(_last(page)).to_contain_text(words["done"])


async def _redeem(page: Page, words: dict[str, str]) -> str:
    """Take the reward in the chat; answers what the served picture of the voucher says."""
    await page.get_by_role("navigation").get_by_role("button", name=words["rewards"]).click()
    await expect(_last(page)).to_contain_text(words["reward"])
    await _last(page).get_by_role("button", name=words["reward"]).click()
    await _last(page).get_by_role("button", name=words["yes"]).click()
    await expect(page.locator("body")).to_contain_text(words["yours"])
    picture = page.locator(".message img").last
    await expect(picture).to_be_visible()
    source = await picture.get_attribute("src")
    assert source is not None
    answer = await page.request.get(source)
    with Image.open(BytesIO(await answer.body())) as image:
        (found,) = zxingcpp.read_barcodes(image)
    await expect(_last(page)).to_contain_text(found.text)
    return found.text


async def _look(page: Page, name: str) -> None:
    """Nothing breaks out of the page, wide or narrow; leaves pictures where they are wanted."""
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        if SCREENSHOTS:
            await page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)


async def _at_the_counter(page: Page, words: dict[str, str], code: str, locale: str) -> None:
    await page.goto("/console/counter")
    field = page.locator("#field-code")
    await expect(field).to_be_focused()
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
    verdict = page.locator("[data-verdict]")
    await expect(verdict).to_contain_text(words["valid"])
    await expect(verdict).to_contain_text("林**")
    await _look(page, f"counter-valid-{locale}")
    await verdict.get_by_role("button", name=words["use"]).dblclick()
    await expect(verdict).to_contain_text(words["used"])
    await _look(page, f"counter-used-{locale}")
    await field.fill(code.lower())
    await page.keyboard.press("Enter")
    await expect(verdict).to_contain_text(words["before"])
    await _look(page, f"counter-again-{locale}")


async def _clerk(context: BrowserContext, house: ChatHouse, locale: str) -> Page:
    async with house.sessions.begin() as session:
        operator = await make_operator(session, role=Role.AGENT, locale=locale)
    page = await context.new_page()
    await page.goto("/console/sign-in")
    await page.locator("input[name=email]").fill(operator.email)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    return page


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_a_voucher_from_the_chat_is_used_at_the_counter(chromium: Browser, house: ChatHouse, locale: str) -> None:
    words = WORDS[locale]
    faults: list[str] = []
    context = await chromium.new_context(locale=words["locale"], base_url=house.address)
    chat = await context.new_page()
    chat.on("pageerror", lambda error: faults.append(str(error)))
    chat.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    await chat.goto("/chat")
    await _sign_up(chat, words)
    code = await _redeem(chat, words)
    await _look(chat, f"chat-voucher-{locale}")
    await _at_the_counter(await _clerk(context, house, locale), words, code, locale)
    await context.close()
    assert faults == []

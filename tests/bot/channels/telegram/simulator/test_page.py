"""The chat page in a real browser: talk, tap, share, and never run what somebody wrote."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from .conftest import Stage

HOSTILE = "<img src=x onerror=window.broken=1><script>window.broken=1</script>"


@pytest.fixture
async def page(chromium: Browser, stage: Stage) -> AsyncIterator[Page]:
    page = await chromium.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    await page.close()
    assert problems == []


async def test_a_newcomer_starts_by_deep_link_and_talks(page: Page, stage: Stage) -> None:
    await stage.call("setMyCommands", commands=[{"command": "points", "description": "我的积分"}])
    await page.goto(f"{stage.base_url}/?user={stage.person_id}&start=src_1")
    await page.click("#begin")
    await page.wait_for_selector("#history >> text=/start src_1")
    keys = [[{"text": "📱 手机号", "request_contact": True}, "积分"]]
    await stage.send(f"<b>你好</b> {HOSTILE.replace('<', '&lt;')}", parse_mode="HTML", reply_markup={"keyboard": keys})
    assert await page.inner_text(".row:not(.is-mine) .text b") == "你好"
    await page.click(".keys >> text=手机号")
    await page.wait_for_selector(".card >> text=+8613800138000")
    await page.click("#commands")
    await page.click("#popup >> text=/points")
    await page.fill("#text", HOSTILE)
    await page.press("#text", "Enter")
    await page.wait_for_selector(f".is-mine >> text={HOSTILE}")
    said = [u["message"].get("text", "contact") for u in await stage.updates()]
    assert said == ["/start src_1", "contact", "/points", HOSTILE]
    assert await page.evaluate("window.broken") is None
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_tap_is_answered_and_an_edit_is_seen(page: Page, stage: Stage) -> None:
    markup = {"inline_keyboard": [[{"text": "参加", "callback_data": "join"}]]}
    sent = await stage.send("活动", reply_markup=markup)
    await page.goto(f"{stage.base_url}/?user={stage.person_id}")
    await page.click(".inline >> text=参加")
    [update] = await stage.updates(timeout=5)
    query_id = update["callback_query"]["id"]
    await stage.call("answerCallbackQuery", callback_query_id=query_id, text="已报名", show_alert=True)
    await page.click("#alert-close")
    await stage.call("editMessageText", chat_id=stage.person_id, message_id=sent["message_id"], text="已报名 ✅")
    await page.wait_for_selector("#history >> text=已报名 ✅")
    assert await page.locator(".inline").count() == 0


async def test_blocking_from_the_page_and_coming_back(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.base_url}/?user={stage.person_id}&lang=en")
    await page.click("#more")
    await page.click("text=Block bot")
    await page.wait_for_selector("#begin:visible")
    assert "403" in await stage.refused("sendMessage", chat_id=stage.person_id, text="x")
    await page.click("#begin")
    await page.wait_for_selector("#composer:visible")
    await stage.send("welcome back")
    await page.wait_for_selector("#history >> text=welcome back")


async def test_files_and_a_new_person_with_a_hostile_name(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.base_url}/?user={stage.person_id}&lang=en")
    for name in ("Sample photo", "Sticker", "Location", "Somebody else"):
        await page.click("#attach")
        await page.click(f"#popup >> text={name}")
    await page.wait_for_function("document.querySelector('.picture')?.naturalWidth === 256")
    await page.wait_for_selector(".sticker")
    await page.click("#back")
    await page.click("#person")
    await page.fill("[name=first_name]", HOSTILE[:60])
    await page.click("#new-person button")
    await page.wait_for_selector("#begin:visible")
    assert await page.evaluate("window.broken") is None


async def test_the_page_allows_nothing_from_elsewhere(stage: Stage) -> None:
    async with stage.http.get(stage.base_url + "/") as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert "<script>" not in text
    assert "http://" not in text
    assert "https://" not in text

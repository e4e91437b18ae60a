"""What the console's scripts do: dialogs, rule editor, composer, tags, theme, menus."""

import json
from typing import Any

from playwright.async_api import Page, expect

from tests.frontend.conftest import Faults


async def posted(page: Page, name: str) -> Any:
    """The JSON that a form would send in the hidden field `name`."""
    return json.loads(await page.locator(f'input[type=hidden][name="{name}"]').input_value())


async def test_launch_wants_the_count_typed(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="Launch…").click()
    launch = page.get_by_role("button", name="Launch now")
    await expect(launch).to_be_disabled()
    await page.get_by_label("Type 300 to confirm").fill("30")
    await expect(launch).to_be_disabled()
    await page.get_by_label("Type 300 to confirm").fill("300")
    await expect(launch).to_be_enabled()
    await page.keyboard.press("Escape")
    await expect(launch).to_be_hidden()


async def test_rule_is_kept_as_it_was_given(page: Page, faults: Faults) -> None:
    await page.goto("/")
    await expect(page.locator("[data-count]")).to_contain_text("members match")
    rule = await posted(page, "rule")
    assert rule["all"][0] == {"condition": "check_in", "measure": "recency", "within_days": 14}
    assert rule["all"][1]["any"][1] == {"not": {"condition": "points_balance", "at_least": 100}}
    assert faults.found == []


async def test_rule_is_edited_and_counted(page: Page) -> None:
    await page.goto("/")
    editor = page.locator(".rules")
    await editor.get_by_role("button", name="Add condition").last.click()
    row = editor.locator(".rule-row").last
    await expect(page.locator("[data-count]")).to_contain_text("Fill in the marked fields")
    await row.get_by_label("Tag", exact=True).select_option("vip:gold")
    await row.get_by_role("button", name="Exclude those who match").click()
    await expect(page.locator("[data-count]")).to_contain_text("members match")
    assert (await posted(page, "rule"))["all"][2] == {"not": {"condition": "tag", "tag": "vip:gold"}}
    await row.get_by_role("button", name="Remove").click()
    await editor.get_by_role("button", name="Any of").first.click()
    rule = await posted(page, "rule")
    assert list(rule) == ["any"]
    assert len(rule["any"]) == 2


async def test_optional_parameters_are_left_out_when_empty(page: Page) -> None:
    await page.goto("/")
    await page.get_by_label("At least").fill("")
    await page.get_by_label("At most").fill("500")
    rule = await posted(page, "rule")
    assert rule["all"][1]["any"][1] == {"not": {"condition": "points_balance", "at_most": 500}}


async def test_message_is_written_in_two_languages(page: Page) -> None:
    await page.goto("/")
    composer = page.locator(".composer")
    await composer.get_by_role("tab", name="English").click()
    text = composer.get_by_label("Message text")
    await text.fill("Hello <b>tea</b> 🍵")
    await expect(composer.locator("[data-counter]")).to_have_text("12 of 4096 characters")
    await expect(composer.locator(".composer-preview b")).to_have_text("tea")
    await composer.get_by_role("button", name="Add button").click()
    await composer.get_by_label("Button text").last.fill("More")
    await composer.get_by_label("Address").last.fill("https://example.org/more")
    message = await posted(page, "message")
    assert message["text"]["en"] == "Hello <b>tea</b> 🍵"
    assert message["text"]["zh-CN"].startswith("早安")
    assert message["buttons"][2] == [{"label": {"en": "More"}, "url": "https://example.org/more"}]


async def test_hostile_message_stays_text_in_the_preview(page: Page, faults: Faults) -> None:
    await page.goto("/")
    await page.get_by_label("Message text").fill("<img src=x onerror=alert(1)><script>alert(1)</script>end")
    preview = page.locator(".composer-preview .bubble-text")
    await expect(preview).to_contain_text("end")
    assert await preview.locator("img, script").count() == 0
    assert faults.found == []


async def test_tags_become_fields_of_the_form(page: Page) -> None:
    await page.goto("/")
    box = page.locator("[data-tags-input]")
    await box.get_by_role("combobox").fill("likes:green, vip:gold，新客")
    await page.keyboard.press("Enter")
    await box.get_by_role("button", name="Remove likes:oolong").click()
    values = await box.locator("input[type=hidden]").evaluate_all("fields => fields.map(field => field.value)")
    assert values == ["vip:gold", "likes:green", "新客"]


async def test_theme_and_menus_work_by_keyboard(page: Page) -> None:
    await page.goto("/")
    before = await page.locator("html").get_attribute("data-bs-theme")
    await page.get_by_role("button", name="Light or dark").press("Enter")
    assert await page.locator("html").get_attribute("data-bs-theme") != before
    summary = page.locator('summary[aria-label="More actions"]')
    await summary.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="Edit", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(summary).to_be_focused()


async def test_sidebar_opens_on_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/")
    await expect(page.get_by_role("link", name="Segments")).to_be_hidden()
    await page.get_by_role("button", name="Open menu").click()
    await expect(page.get_by_role("link", name="Segments")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Segments")).to_be_hidden()

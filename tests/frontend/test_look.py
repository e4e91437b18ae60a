"""Every component, in light and dark, wide and narrow: nothing breaks out, nothing is refused, all can be read."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.frontend.conftest import Faults, Site

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8").split("\n", 1)[1]
PAGES = ("/", "/?locale=zh-CN", "/sign-in", "/chat", "/chat/embed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
async def test_pages_are_clean_and_readable(
    chromium: Browser, site: Site, faults: Faults, scheme: str, width: int
) -> None:
    context = await chromium.new_context(viewport={"width": width, "height": 900}, base_url=site.address)
    page = await context.new_page()
    faults.watch(page)
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    unreadable = []
    for path in PAGES:
        await page.goto(path, wait_until="networkidle")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        unreadable += [(path, *fault) for fault in await page.evaluate(CONTRAST)]
    await context.close()
    assert unreadable == []
    assert faults.found == []


async def test_error_page_keeps_its_status_line(chromium: Browser, site: Site) -> None:
    page = await chromium.new_page(base_url=site.address)
    await page.goto("/error")
    assert await page.get_by_role("heading", name="Not found").is_visible()
    await page.close()

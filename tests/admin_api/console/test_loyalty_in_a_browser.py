"""The pages of coupons, rewards and redemptions in a real browser, wide and on a phone, with hostile names."""

import pytest
from playwright.async_api import expect

from tests.admin_api.conftest import Site
from tests.admin_api.console.loyalty import Loyalty, make_loyalty, picture
from tests.admin_api.console.test_in_a_browser import XSS, Visit, _look, visit

__all__ = ["visit"]


@pytest.fixture
async def loyalty(committed_site: Site) -> Loyalty:
    """Coupons and rewards of a member with a hostile name."""
    async with committed_site.deps.sessions.begin() as session:
        return await make_loyalty(session, XSS)


async def test_every_page_of_loyalty_fits(visit: Visit, loyalty: Loyalty) -> None:
    page = visit.page
    await page.goto(f"/console/rewards/{loyalty.goods.id}")
    await page.locator("input[name=picture]").set_input_files(
        files={"name": "tea.png", "mimeType": "image/png", "buffer": picture()}
    )
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved.")
    for path in loyalty.pages:
        name = path.removeprefix("/console/").replace("/", "-").replace("?", "-")
        await page.goto(path)
        await _look(page, f"loyalty-{name}")
    assert visit.complaints == []


async def test_codes_are_pasted_and_refused_line_by_line(visit: Visit, loyalty: Loyalty) -> None:
    page = visit.page
    await page.goto(f"/console/coupons/{loyalty.pool.id}")
    await page.locator("textarea[name=pasted]").fill("TEA-0001\nTEA-0001\nx")
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator("#codes")).to_contain_text("line 2: the same code as in line 1")
    await expect(page.locator("textarea[name=pasted]")).to_have_value("TEA-0001\nTEA-0001\nx")
    await _look(page, "loyalty-codes-refused")
    await page.locator("textarea[name=pasted]").fill("TEA-0001\nTEA-0002")
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator("#toasts")).to_contain_text("The codes are in the pool.")

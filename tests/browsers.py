"""The one Chromium of a test worker."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from crm.kit.assets import AssetsMissingError, asset_url
from tests.requirements import absent, require_tool

_PATIENCE = 60_000
"""Milliseconds: no test is about waiting."""
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Headless Chromium; a test without it or without built assets is skipped, or fails where nothing may be absent."""
    try:
        asset_url("console.js")
    except AssetsMissingError as missing:
        absent(str(missing))
    program = require_tool("chromium", "chromium-browser", "google-chrome")
    expect.set_options(timeout=_PATIENCE)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield opened
        await opened.close()

"""The pages over HTTP: who may open and frame them, their headers, their script and pictures."""

import io

import httpx
from PIL import Image

from bot.channels.webchat.views import photo_url
from crm.bots import service as bots
from crm.brand import service as brand
from crm.kit.crypto import Vault
from crm.media import service as media
from tests.bot.channels.webchat.house import ChatHouse


def client(house: ChatHouse) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=house.address)


async def test_the_page_is_strict_and_may_ask_for_the_place(house: ChatHouse) -> None:
    async with client(house) as browser:
        page = await browser.get("/chat", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "geolocation=(self)" in page.headers["permissions-policy"]
    assert page.headers["cache-control"] == "no-store"


SPOKEN = [
    ("", "de-DE", "zh-CN"),
    ("?locale=en", "zh", "en"),
    ("?locale=xx", "zh-TW,en;q=0.4", "zh-CN"),
    ("", "", "zh-CN"),
]


async def test_the_page_speaks_the_visitors_language(house: ChatHouse) -> None:
    async with client(house) as browser:
        for query, accepted, locale in SPOKEN:
            page = await browser.get(f"/chat{query}", headers={"Accept-Language": accepted})
            assert f'<html lang="{locale}">' in page.text, (query, accepted)


FRAMING = [
    ("https://shop.example/cart?x=1", 200),
    ("https://SHOP.example:443/", 200),
    ("https://evil.example/", 403),
    ("http://shop.example/", 403),
    ("https://shop.example@evil.example/", 403),
    ("nonsense", 403),
    (None, 200),
]


async def test_only_allowed_origins_may_frame_it(house: ChatHouse) -> None:
    async with client(house) as browser:
        for referrer, status in FRAMING:
            page = await browser.get("/chat/embed", headers={"Referer": referrer} if referrer else {})
            assert page.status_code == status, referrer
            is_open = "frame-ancestors 'self' https://shop.example" in page.headers["content-security-policy"]
            assert is_open == ("data-socket" in page.text) == (status == 200), referrer


async def test_without_allowed_origins_nobody_frames_it(house: ChatHouse) -> None:
    async with house.sessions.begin() as session:
        await brand.change(session, embed_origins=[])
    async with client(house) as browser:
        assert (await browser.get("/chat/embed")).status_code == 403


async def test_a_closed_chat_says_so(house: ChatHouse) -> None:
    async with house.sessions.begin() as session:
        await bots.stop(session, house.bot.id, "closed")
    async with client(house) as browser:
        page = await browser.get("/chat?locale=en")
    assert page.status_code == 404
    assert "The chat is closed" in page.text


async def test_a_hostile_host_header_writes_nothing_into_the_policy(house: ChatHouse) -> None:
    async with client(house) as browser:
        page = await browser.get("/chat", headers={"Host": "x; script-src *"})
    assert "script-src *" not in page.headers["content-security-policy"]


async def test_the_script_is_served_to_other_sites(house: ChatHouse) -> None:
    async with client(house) as browser:
        script = await browser.get("/chat/embed.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_pictures_open_with_the_address_that_we_gave_only(house: ChatHouse, vault: Vault) -> None:
    data = io.BytesIO()
    Image.new("RGB", (4, 4), "green").save(data, "PNG")
    async with house.sessions.begin() as session:
        shown = await media.store_image(session, data.getvalue())
    address = photo_url(vault, shown.id)
    async with client(house) as browser:
        assert (await browser.get(address)).headers["content-type"].startswith("image/")
        for wrong in (f"/chat/media/{shown.id}", f"{address}x", address.replace(str(shown.id), str(house_id()))):
            assert (await browser.get(wrong)).status_code == 404


def house_id() -> str:
    return "018f0000-0000-7000-8000-000000000000"

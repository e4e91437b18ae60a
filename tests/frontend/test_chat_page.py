"""The visitor's chat: what is typed arrives once, what comes is shown safely, and a lost line is no loss."""

from playwright.async_api import Page, expect

from tests.frontend.conftest import Faults, Site


async def test_history_is_shown_and_older_messages_are_fetched(page: Page, faults: Faults) -> None:
    await page.goto("/chat")
    await expect(page.locator("[data-status]")).to_have_text("Online")
    await expect(page.locator(".message")).to_have_count(20)
    await page.locator("[data-log]").evaluate("log => log.scrollTop = 0")
    await expect(page.locator(".message")).to_have_count(31)
    assert await page.locator(".message").first.inner_text() != ""
    assert await page.locator("[data-log]").evaluate("log => log.scrollTop") > 0
    assert faults.found == []


async def test_text_is_sent_once_and_answered(page: Page, site: Site) -> None:
    await page.goto("/chat")
    await page.get_by_placeholder("Write a message…").fill("hello <b>you</b>")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text("You said: hello <b>you</b>")
    assert [frame["text"] for frame in site.room.frames if frame["type"] == "text"] == ["hello <b>you</b>"]
    await expect(page.locator('.message[data-direction="in"]', has_text="hello")).to_have_count(1)


async def test_unacknowledged_text_survives_a_reload(page: Page, site: Site) -> None:
    site.room.refuses = True
    await page.goto("/chat")
    await expect(page.locator("[data-status]")).to_have_text("Online")
    await page.get_by_placeholder("Write a message…").fill("do not lose me")
    await page.keyboard.press("Enter")
    await expect(page.locator('.message [aria-label="Sending"]')).to_have_count(1)
    site.room.refuses = False
    await page.reload()
    await expect(page.locator(".message").last).to_contain_text("You said: do not lose me")
    sent = [frame for frame in site.room.frames if frame["type"] == "text"]
    assert len({frame["id"] for frame in sent}) == 1
    greetings = [frame["token"] for frame in site.room.frames if frame["type"] == "hello"]
    assert greetings == [None, "visitor-1"]


async def test_the_line_comes_back_by_itself(page: Page, site: Site) -> None:
    await page.goto("/chat")
    await expect(page.locator("[data-status]")).to_have_text("Online")
    site.drop()
    await expect(page.locator("[data-status]")).not_to_have_text("Online")
    await page.get_by_placeholder("Write a message…").fill("while away")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text("You said: while away")
    await expect(page.locator(".message", has_text="Earlier message 23")).to_have_count(1)


async def test_several_choices_are_edited_in_place(page: Page) -> None:
    await page.goto("/chat")
    await page.get_by_role("button", name="Oolong").click()
    await expect(page.locator(".key.is-chosen")).to_have_text("☑ Oolong")
    await page.get_by_role("button", name="Green").click()
    await expect(page.locator(".key.is-chosen")).to_have_count(2)
    await page.get_by_role("button", name="10", exact=True).click()
    await expect(page.locator(".message").last).to_contain_text("Thank you: rate:10")


async def test_hostile_markup_is_harmless(page: Page, faults: Faults) -> None:
    await page.goto("/chat")
    message = page.locator(".message", has_text="safe link")
    await expect(message).to_be_visible()
    assert await message.locator("img, script, a:not(.key)").count() == 0
    assert faults.found == []


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='&#106;avascript:alert(1)'>a</a><a href=' java\nscript:alert(1)'>b</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>c</a>",
    "<b onclick=alert(1) style='position:fixed'>d</b>",
    "<b <script>alert(1)</script>>e</b>",
    '<a href="https://example.org" onmouseover="alert(1)">f</a>',
    "<math><mi xlink:href='javascript:alert(1)'>g</mi></math>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<b>" * 500 + "deep" + "</b>" * 500,
    "</div></article><form action=/steal><button>h</button></form>",
    "<template><img src=x onerror=alert(1)></template>",
)


async def test_no_markup_of_a_message_becomes_more_than_text_styles(page: Page, site: Site, faults: Faults) -> None:
    site.room.messages.clear()
    for payload in HOSTILE:
        site.room.say("out", payload)
    await page.goto("/chat")
    await expect(page.locator(".message")).to_have_count(len(HOSTILE))
    elements = await page.locator(".text *").evaluate_all("all => all.map(one => [one.tagName, one.attributes.length])")
    assert {tag for tag, _ in elements} <= {"B", "I", "U", "S", "CODE", "PRE", "A", "SPAN"}
    assert [count for tag, count in elements if tag != "A" and count] == []
    links = await page.locator(".text a").evaluate_all("all => all.map(one => one.href)")
    assert links == ["https://example.org/"]
    assert faults.found == []


async def test_newest_message_is_reported_as_seen(page: Page, site: Site) -> None:
    await page.goto("/chat")
    await expect(page.locator(".message")).to_have_count(20)
    await page.wait_for_function("document.visibilityState === 'visible'")
    await page.get_by_role("button", name="Help").click()
    await expect(page.locator(".message").last).to_contain_text("Thank you: Help")
    await page.wait_for_timeout(100)
    seen = [frame["id"] for frame in site.room.frames if frame["type"] == "seen"]
    assert seen[-1] == site.room.messages[-1]["id"]


async def test_language_is_switched_and_kept(page: Page, site: Site) -> None:
    await page.goto("/chat?start=spring")
    await page.get_by_role("button", name="Switch to Chinese").click()
    await expect(page.get_by_placeholder("输入消息…")).to_be_visible()
    await page.reload()
    await expect(page.get_by_placeholder("输入消息…")).to_be_visible()
    greetings = [(frame["locale"], frame["start"]) for frame in site.room.frames if frame["type"] == "hello"]
    assert greetings[:2] == [("en", "spring"), ("zh-CN", None)]


async def test_embed_script_opens_the_chat_on_a_brands_page(page: Page, site: Site, faults: Faults) -> None:
    await page.goto(site.address.replace("127.0.0.1", "localhost") + "/shop")
    await page.wait_for_function("document.body.lastElementChild.tagName === 'DIV'")
    assert len(page.frames) == 1, "the chat is not loaded before it is asked for"
    async with page.expect_event("framenavigated") as opening:
        await page.mouse.click(1440 - 50, 900 - 50)
    chat = await opening.value
    await expect(chat.get_by_role("button", name="Close the chat")).to_be_visible()
    await expect(chat.locator("[data-status]")).to_have_text("Online")
    await chat.get_by_role("button", name="Close the chat").click()
    await expect(chat.get_by_role("button", name="Close the chat")).to_be_hidden()
    assert site.room.frames[0]["type"] == "hello"
    assert faults.found == []

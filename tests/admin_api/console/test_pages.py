"""Every page about people: with data and without, in both languages, for every role, with hostile names."""

import pytest

from crm.operators.permissions import Role
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.admin_api.console.people import ADDRESS, DOCUMENT, EMAIL, PHONE, Shown, make_shown

EMPTY = [
    "/console/",
    "/console/members",
    "/console/members?query=nobody&tag=no:such&stage=new&channel=telegram&source_id=5",
    "/console/imports",
    "/console/tags",
    "/console/tags?with_archived=1",
    "/console/tag-rules",
    "/console/tag-rules/new",
    "/console/sources",
    "/console/sources/new",
    "/console/requests",
    "/console/requests?status=closed",
    "/console/settings/attributes",
    "/console/settings/audit",
]
TABS = ["", "/timeline", "/conversation", "/deliveries", "/points", "/orders", "/edit", "/merge?query=1234"]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "=1+1",
    "مرحبا \u202e evil",
    "👩‍👩‍👧‍👦 \u200d",
]


def _pages(shown: Shown) -> list[str]:
    return [
        *EMPTY,
        *(f"{shown.path}{tab}" for tab in TABS),
        f"/console/sources/{shown.source.id}",
        f"/console/tag-rules/{shown.rule.id}",
        f"/console/requests/{shown.ticket.id}",
        "/console/settings/attributes/favourite",
    ]


async def _shown(site: Site, name: str = "林小满") -> Shown:
    async with site.deps.sessions.begin() as session:
        return await make_shown(session, name)


async def _speak(browser: Browser, locale: str) -> None:
    await browser.post("/console/locale", locale=locale, next="")


@pytest.mark.parametrize("path", EMPTY)
async def test_a_page_without_data_says_what_to_do(site: Site, path: str) -> None:
    browser = await site.browser()
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_is_shown_with_data(site: Site, locale: str) -> None:
    shown = await _shown(site)
    browser = await site.browser()
    await _speak(browser, locale)
    for path in _pages(shown):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert f'lang="{locale}"' in answer.text, path
        assert "林小满" in answer.text or path in EMPTY, path
    for path in (f"/console/tags/{tag_id}" for tag_id in await _tag_ids(browser)):
        assert (await browser.get(path)).status_code == 200


async def _tag_ids(browser: Browser) -> list[str]:
    text = (await browser.get("/console/tags")).text
    return [part.split('"')[0] for part in text.split('data-main wrap-anywhere" href="/console/tags/')[1:]]


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_shown_literally(site: Site, name: str) -> None:
    shown = await _shown(site, name)
    browser = await site.browser()
    for path in _pages(shown):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        for raw in ("<script>alert", "<img src=x"):
            assert raw not in answer.text, path
        assert "{{7*7}}" in answer.text or "49" not in answer.text or name[0] != "{" or path in EMPTY, path


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_personal_data_is_masked_for_everyone_until_it_is_revealed(site: Site, role: Role) -> None:
    shown = await _shown(site)
    browser = await site.browser(role)
    may_see_address = role in {Role.OWNER, Role.ADMIN, Role.AGENT}
    for path in [*_pages(shown), f"/console/members?query={PHONE[3:]}"]:
        text = (await browser.get(path)).text.replace(f"query={PHONE[3:]}", "").replace(f'value="{PHONE[3:]}"', "")
        for secret in (PHONE[3:], EMAIL, DOCUMENT, *([] if may_see_address else [ADDRESS])):
            assert secret not in text, (path, secret)


async def test_members_are_found(site: Site) -> None:
    shown = await _shown(site)
    browser = await site.browser()
    for query in ("小满", PHONE, "5678", ADDRESS, EMAIL):
        assert shown.path in (await browser.get(f"/console/members?query={query.replace('+', '%2B')}")).text, query
    for filters in ("tag=from:window", "stage=lead", f"source_id={shown.source.id}"):
        assert shown.path in (await browser.get(f"/console/members?{filters}")).text, filters
    for filters in ("tag=:::", "stage=loyal", "channel=nowhere", "source_id=x", "source_id=99999999999999999999"):
        answer = await browser.get(f"/console/members?{filters}")
        assert answer.status_code == 200
        assert shown.path not in answer.text, filters


async def test_what_does_not_exist_is_answered_clearly(site: Site) -> None:
    browser = await site.browser()
    for path in (
        "members/987654321",
        "tags/9",
        "tag-rules/9",
        "sources/9",
        "sources/9/codes/1",
        "requests/9",
        "imports/9",
    ):
        answer = await browser.get(f"/console/{path}")
        assert answer.status_code == 404, path
    assert (await browser.get("/console/settings/attributes/nothing")).status_code == 404

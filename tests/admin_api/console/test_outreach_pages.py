"""The pages of outreach: what they show, empty and full, to whom, and that nothing in them is taken for markup."""

import re

import pytest

from crm.operators.permissions import Role
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.admin_api.console.outreach import HOSTILE, outreach_on

LISTS = ["segments", "campaigns", "journeys", "messages", "texts", "keywords", "surveys", "earning-rules"]
FORMS = ["segments/new", "campaigns/new", "journeys/new", "messages/new", "keywords/new", "surveys/new"]
_HANDLERS = re.compile(r"<[^>]+\s(?:on\w+|style)=", re.IGNORECASE)


@pytest.mark.parametrize("page", LISTS)
async def test_an_empty_list_says_what_it_is_for(site: Site, page: str) -> None:
    browser = await site.browser()
    answer = await browser.get(f"/console/{page}")
    assert answer.status_code == 200
    assert ('class="blank"' in answer.text) == (page != "texts")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_is_shown_in_both_languages(site: Site, locale: str) -> None:
    made = await outreach_on(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="")
    for name, path in made.pages().items():
        answer = await browser.get(path)
        assert answer.status_code == 200, name
        assert "Spring" in answer.text or name.endswith(
            ("new", "kinds", "progress", "preview", "text", "texts", "replays")
        ), name
        assert not _HANDLERS.search(answer.text), name


async def test_hostile_names_are_shown_as_they_are(site: Site) -> None:
    made = await outreach_on(site, HOSTILE)
    browser = await site.browser()
    for name, path in made.pages().items():
        answer = await browser.get(path)
        assert answer.status_code == 200, name
        assert "<script>alert" not in answer.text, name
        assert "49" not in re.sub(r"[0-9a-f]{20,}|\d{2}:\d{2}|-\w+\.", "", answer.text) or "{{7*7}}" in answer.text, (
            name
        )


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR])
async def test_who_only_looks_gets_no_buttons(site: Site, role: Role) -> None:
    made = await outreach_on(site)
    browser = await site.browser(role)
    pages = {name: path for name, path in made.pages().items() if not name.endswith(("form", "new", "kinds"))}
    for name, path in pages.items():
        answer = await browser.get(path)
        assert answer.status_code == 200, name
        main = answer.text.split("<main")[-1].split("</main>")[0]
        posts = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', main)
        assert [action for action in posts if not action.endswith(str(made.keyword_id))] == [], name
    for path in FORMS:
        assert (await browser.get(f"/console/{path}")).status_code == 403, path


async def test_an_agent_sees_no_outreach(site: Site) -> None:
    made = await outreach_on(site)
    browser = await site.browser(Role.AGENT)
    for path in (made.pages()["campaigns"], made.pages()["segment"], made.pages()["journey"], made.pages()["message"]):
        assert (await browser.get(path)).status_code == 403


async def test_an_approver_may_launch_but_not_write(site: Site) -> None:
    made = await outreach_on(site)
    browser = await site.browser(Role.APPROVER)
    page = (await browser.get(made.pages()["campaign"])).text
    assert "Launch…" in page
    assert "/edit" not in page.split("<main")[1].split("</main>")[0]
    assert (await browser.get(made.pages()["campaign_form"])).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "segments",
        "segments/{segment}/archive",
        "campaigns",
        "campaigns/{campaign}/launch",
        "campaigns/{campaign}/cancel",
        "journeys/{journey}/activate",
        "messages",
        "keywords",
        "surveys/{survey}/publish",
        "earning-rules/{rule}/deactivate",
        "texts/en/change/check_in/done",
    ],
)
async def test_forms_without_the_token_change_nothing(site: Site, path: str) -> None:
    made = await outreach_on(site)
    browser: Browser = await site.browser()
    ids = {
        "segment": made.segment_id,
        "campaign": made.campaign_id,
        "journey": made.journey_id,
        "survey": made.survey_id,
        "rule": made.rule_id,
    }
    answer = await browser.client.post(f"/console/{path.format(**ids)}", data={"name": "x"})
    assert answer.status_code == 403

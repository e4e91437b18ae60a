"""The forms of surveys, and their results: what is saved, what is refused, what is shown."""

import json

import pytest

from crm.surveys import service as surveys
from tests.admin_api.conftest import Site
from tests.admin_api.console.outreach import hidden, outreach_on
from tests.factories.bots import make_bot
from tests.factories.surveys import both, tea_survey


async def test_a_survey_is_drafted_published_and_archived(site: Site) -> None:
    browser = await site.browser()
    form = {"key": "tea", "name": "Tea", "definition": json.dumps(tea_survey())}
    saved = await browser.post("/console/surveys", **form)
    here = saved.headers["location"]
    assert hidden((await browser.get(f"{here}/edit")).text, "data-value") == tea_survey()
    assert (await browser.post(f"{here}/publish")).status_code == 303
    changed = {**tea_survey(), "thanks": both("Bye")}
    fields = {"name": "Tea 2", "definition": json.dumps(changed)}
    async with site.deps.sessions() as session:
        survey = await surveys.find(session, "tea")
    assert (await browser.post(here, **fields, version=str(survey.version))).status_code == 303
    stale = await browser.post(here, **fields, version=str(survey.version))
    assert stale.status_code == 409
    assert "Tea 2" in stale.text
    assert "do not see yet" in (await browser.get(here)).text
    assert (await browser.post(f"{here}/archive")).status_code == 303
    assert (await browser.get(f"{here}/edit")).status_code == 303
    assert (await browser.post(here, **fields, version="")).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"definition": "[]"}, "cannot be read"),
        ({"definition": '{"questions": []}'}, "at least one question"),
        (
            {"definition": json.dumps({"questions": [{"key": "a", "type": "single", "title": both("A")}]})},
            "choose from",
        ),
        ({"key": "Not A Key"}, "small letters"),
        ({"name": " "}, "needs a name"),
    ],
)
async def test_a_wrong_survey_is_shown_again(site: Site, wrong: dict[str, str], said: str) -> None:
    browser = await site.browser()
    form = {"key": "tea", "name": "Typed name", "definition": json.dumps(tea_survey()), **wrong}
    answer = await browser.post("/console/surveys", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Typed name" in answer.text or "name" in wrong


async def test_the_qr_code_of_a_published_survey_is_a_picture(site: Site) -> None:
    made = await outreach_on(site)
    async with site.deps.sessions.begin() as session:
        bot = await make_bot(session, username="tea_bot")
    browser = await site.browser()
    path = f"/console/surveys/{made.survey_id}/qr/{bot.id}"
    assert path in (await browser.get(made.pages()["survey"])).text
    assert (await browser.get(path)).content.startswith(b"\x89PNG")
    assert (await browser.get(f"/console/surveys/{made.survey_id}/qr/987654")).status_code == 404


async def test_results_show_the_score_the_bars_and_the_words(site: Site) -> None:
    made = await outreach_on(site)
    member_id = made.audience.contacts[0].member.id
    async with site.deps.sessions.begin() as session:
        run = await surveys.open_run(session, member_id, "tea")
        for key, value in {"nps": 3, "why": "<b>Cold</b> tea", "stars": 4}.items():
            await surveys.record_answer(session, member_id, run.response_id, key, value)
        await surveys.complete(session, member_id, run.response_id)
    browser = await site.browser()
    page = (await browser.get(made.pages()["results"])).text
    assert "-100" in page
    assert "&lt;b&gt;Cold&lt;/b&gt; tea" in page
    assert "Average 4" in page
    assert "data-chart=" in page

"""The forms of outreach: what they save, and that a refusal says why and keeps what was typed."""

import json
from typing import Any

import pytest

from crm.audit import service as audit
from crm.campaigns import service as campaigns
from crm.campaigns.types import CampaignStatus
from crm.conversations import keywords
from crm.journeys import service as journeys
from crm.journeys.types import JourneyStatus
from crm.messages import service as messages
from crm.messages import wording
from crm.segments import service as segments
from tests.admin_api.conftest import Site
from tests.admin_api.console.outreach import MESSAGE, hidden, outreach_on

RULE = json.dumps({"all": [{"condition": "reachable", "is_reachable": True}]})
COMPOSED = {
    "text": {"en": "Hello <b>{{ member.name }}</b> & friends", "zh-CN": "你好 {{ member.name }}"},
    "buttons": [
        [{"label": {"en": "Menu", "zh-CN": "茶单"}, "url": "https://shop.example/menu"}],
        [
            {"label": {"en": "Check in", "zh-CN": "签到"}, "action": "check_in"},
            {"label": {"en": "Yes", "zh-CN": "好"}, "action": "survey:tea", "tag": "spring:yes"},
        ],
    ],
}


async def test_a_segment_is_saved_changed_and_archived(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/segments/new")
    saved = await browser.post("/console/segments", name="  Reachable  ones ", description="For tea", rule=RULE)
    assert saved.status_code == 303
    here = saved.headers["location"]
    assert "Reachable ones" in (await browser.get(here)).text
    assert (await browser.post(here, name="Renamed", rule='{"all": []}')).status_code == 303
    assert (await browser.post(f"{here}/archive")).status_code == 303
    assert "Renamed" not in (await browser.get("/console/segments")).text
    assert "Renamed" in (await browser.get("/console/segments?archived=true")).text
    assert (await browser.post(f"{here}/unarchive")).status_code == 303
    async with site.deps.sessions() as session:
        (segment,) = (await segments.listing(session)).items
    assert segment.rule == {"all": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"rule": ""},
        {"rule": '{"any": []}'},
        {"rule": '{"all": [{"condition": "nothing"}]}'},
        {"rule": "[" * 5000},
        {"rule": '{"all": [{"condition": "tag", "tag": "\\u0000"}]}'},
        {"rule": '{"all": [{"condition": "tag", "tag": "\\ud800"}]}'},
        {"rule": "NaN"},
    ],
)
async def test_a_wrong_segment_is_shown_again(site: Site, wrong: dict[str, str]) -> None:
    browser = await site.browser()
    form = {"name": "Typed name", "description": "Typed note", "rule": RULE, **wrong}
    answer = await browser.post("/console/segments", **form)
    assert answer.status_code == 422
    assert "The segment is not saved" in answer.text
    assert "Typed note" in answer.text
    async with site.deps.sessions() as session:
        assert (await segments.listing(session)).items == []


async def test_the_live_count_answers_in_the_operators_words(site: Site) -> None:
    await outreach_on(site)
    browser = await site.browser()
    headers = {"X-CSRF-Token": browser.token, "Accept": "application/json"}
    odd = {"all": [{"condition": "reachable"}, {"not": {"condition": "reachable"}}]}
    counted = await browser.client.post("/console/segments/preview", json={"rule": {"all": []}}, headers=headers)
    assert (counted.json()["count"], len(counted.json()["sample"])) == (2, 2)
    warned = await browser.client.post("/console/segments/preview", json={"rule": odd}, headers=headers)
    assert "contradict" in warned.json()["warnings"][0]["text"]
    refused = await browser.client.post("/console/segments/preview", json={"rule": {"any": []}}, headers=headers)
    assert refused.status_code == 422
    async with site.deps.sessions() as session:
        assert all(item.entry.action != "segment.live_count" for item in await audit.latest(session))
    broken = await browser.client.post(
        "/console/segments/preview", content="{", headers={**headers, "Content-Type": "application/json"}
    )
    assert broken.status_code == 422


async def test_what_the_composer_posts_comes_back_as_it_was(site: Site) -> None:
    made = await outreach_on(site)
    browser = await site.browser()
    form = {"name": "Tea time", "segment_id": str(made.segment_id), "message": json.dumps(COMPOSED), "topic": "news"}
    saved = await browser.post("/console/campaigns", **form)
    assert saved.status_code == 303
    page = (await browser.get(f"{saved.headers['location']}/edit")).text
    shown = hidden(page, "data-value")
    assert shown["buttons"] == COMPOSED["buttons"]
    assert shown["text"]["en"] == "Hello <b>{{ member.name }}</b> &amp; friends"
    again = await browser.post(saved.headers["location"], **{**form, "message": json.dumps(shown)})
    assert again.status_code == 303
    async with site.deps.sessions() as session:
        campaign = await campaigns.get(session, int(saved.headers["location"].rsplit("/", 1)[1]))
    assert campaign.message.text["en"] == "Hello <b>{{ member.name }}</b> &amp; friends"
    assert campaign.message.buttons[1][1].tag == "spring:yes"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"segment_id": ""}, "Choose one from the list"),
        ({"segment_id": "987654"}, "Choose one from the list"),
        ({"message": "{}"}, "cannot be read"),
        ({"message": json.dumps({"text": {"en": "{{ nothing }}"}})}, "nothing"),
        ({"message": json.dumps({"text": {"en": "{% if %}"}})}, "text.en"),
        ({"message": json.dumps({"text": {}})}, "needs a text"),
        ({"topic": "no_such"}, "no topic"),
        ({"message_class": "reply"}, "Choose one of the classes"),
        ({"send_before": "soon"}, "A time looks like"),
        ({"max_lateness_minutes": "long"}, "whole number"),
    ],
)
async def test_a_wrong_campaign_is_shown_again(site: Site, wrong: dict[str, str], said: str) -> None:
    made = await outreach_on(site)
    browser = await site.browser()
    form = {"name": "Typed name", "segment_id": str(made.segment_id), "message": json.dumps(MESSAGE), "topic": "news"}
    answer = await browser.post("/console/campaigns", **{**form, **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    assert "Typed name" in answer.text or "name" in wrong
    async with site.deps.sessions() as session:
        assert len((await campaigns.listing(session)).items) == 1


async def test_a_preview_is_drawn_by_the_code_that_sends(site: Site) -> None:
    made = await outreach_on(site)
    reader = made.audience.contacts[0].member
    browser = await site.browser()
    headers = {"X-CSRF-Token": browser.token, "Accept": "text/html"}

    async def shown(message: Any, locale: str = "en") -> str:
        body = {"message": message, "locale": locale, "member_id": str(reader.id)}
        answer = await browser.client.post("/console/messages/preview", json=body, headers=headers)
        assert answer.status_code == 200
        return answer.text

    assert f"你好 {reader.display_name}" in await shown(COMPOSED, "zh-CN")
    assert f"&lt;b&gt;{reader.display_name}&lt;/b&gt;" in await shown(COMPOSED)
    assert "member.nam" in await shown({"text": {"en": "{{ member.nam }}"}})
    assert "notice" not in await shown({"text": {}, "buttons": []})
    assert "notice" in await shown("nonsense")
    found = await browser.get("/console/messages/readers?reader_query=Li")
    assert f'value="{reader.id}"' in found.text


async def test_a_campaign_is_tested_launched_and_paused(site: Site) -> None:
    made = await outreach_on(site)
    here = made.pages()["campaign"]
    browser = await site.browser()
    page = (await browser.get(here)).text
    assert 'data-typed-confirm="2"' in page
    test = await browser.post(f"{here}/test")
    assert test.status_code == 409
    assert "link one on the settings page" in test.text
    assert "/console/settings/account#chats" in test.text
    unconfirmed = await browser.post(f"{here}/launch")
    assert unconfirmed.status_code == 422
    assert (await browser.post(f"{here}/launch", confirm_count="3")).status_code == 422
    assert (await browser.post(f"{here}/schedule", at="", confirm_count="2")).status_code == 422
    assert (await browser.post(f"{here}/schedule", at="2001-01-01T08:00", confirm_count="2")).status_code == 422
    assert (await browser.post(f"{here}/launch", confirm_count="2")).status_code == 303
    twice = await browser.post(f"{here}/launch", confirm_count="2")
    assert twice.status_code == 409
    assert "already" in twice.text
    assert (await browser.post(f"{here}/pause")).status_code == 303
    assert "Sending is paused" in (await browser.get(f"{here}/progress")).text
    changed = await browser.get(f"{here}/progress?status=running")
    assert (changed.status_code, changed.headers["hx-refresh"]) == (204, "true")
    assert (await browser.post(f"{here}/resume")).status_code == 303
    assert (await browser.post(f"{here}/cancel")).status_code == 303
    assert (await browser.post(f"{here}/archive")).status_code == 303
    clone = await browser.post(f"{here}/clone")
    assert clone.headers["location"].endswith("/edit")
    async with site.deps.sessions() as session:
        assert (await campaigns.get(session, made.campaign_id)).status is CampaignStatus.CANCELLED


async def test_a_campaign_is_scheduled_in_the_brands_time(site: Site) -> None:
    made = await outreach_on(site)
    browser = await site.browser()
    done = await browser.post(f"{made.pages()['campaign']}/schedule", at="2101-03-01T08:00", confirm_count="2")
    assert done.status_code == 303
    async with site.deps.sessions() as session:
        campaign = await campaigns.get(session, made.campaign_id)
    assert campaign.scheduled_at is not None
    assert campaign.scheduled_at.isoformat() == "2101-03-01T00:00:00+00:00"
    assert "1 Mar 2101, 08:00" in (await browser.get(made.pages()["campaign"])).text


async def test_a_journey_is_made_from_its_form_and_comes_back(site: Site) -> None:
    made = await outreach_on(site)
    browser = await site.browser()
    form = {
        "name": "Welcome",
        "trigger": "not_checked_in",
        "quiet_days": "5",
        "wait_days": "1",
        "wait_hours": "2",
        "segment_id": str(made.segment_id),
        "message": json.dumps(COMPOSED),
        "topic": "news",
    }
    saved = await browser.post("/console/journeys", **form)
    here = saved.headers["location"]
    journey_id = int(here.rsplit("/", 1)[1])
    async with site.deps.sessions() as session:
        journey = await journeys.get(session, journey_id)
    assert [journey.graph.nodes[name].kind for name in ("wait", "check_segment", "send")]
    assert (journey.graph.start, journey.graph.nodes["wait"].exits) == ("wait", {"next": "check_segment"})
    assert journey.graph.nodes["check_segment"].exits == {"yes": "send"}
    page = (await browser.get(f"{here}/edit")).text
    assert hidden(page, "data-value")["buttons"] == COMPOSED["buttons"]
    assert 'value="5"' in page
    assert (await browser.post(f"{here}/activate")).status_code == 303
    assert (await browser.post(f"{here}/activate")).status_code == 409
    assert (await browser.post(f"{here}/archive")).status_code == 409
    changed = await browser.post(here, **{**form, "wait_days": "", "wait_hours": "", "segment_id": ""})
    assert changed.status_code == 303
    assert "Version 1" in (await browser.get(f"{here}?version=1")).text
    assert (await browser.post(f"{here}/pause")).status_code == 303
    async with site.deps.sessions() as session:
        journey = await journeys.get(session, journey_id)
    assert (journey.graph.start, journey.version, journey.status) == ("send", 2, JourneyStatus.PAUSED)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trigger": "full_moon"}, "Choose what starts"),
        ({"trigger": "not_checked_in", "quiet_days": ""}, "1 to 365"),
        ({"wait_days": "-1"}, "at most 365"),
        ({"wait_days": "400"}, "at most 365"),
        ({"wait_days": "two"}, "whole number"),
        ({"segment_id": "987654"}, "no such segment"),
        ({"message": json.dumps({"text": {"en": "{{ member.x"}})}, "text.en"),
        ({"name": ""}, "needs a name"),
    ],
)
async def test_a_wrong_journey_is_shown_again(site: Site, wrong: dict[str, str], said: str) -> None:
    await outreach_on(site)
    browser = await site.browser()
    form = {"name": "Typed name", "trigger": "member_signed_up", "message": json.dumps(MESSAGE), "topic": "news"}
    answer = await browser.post("/console/journeys", **{**form, **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    assert "Typed name" in answer.text or "name" in wrong


async def test_a_message_is_kept_in_the_library(site: Site) -> None:
    browser = await site.browser()
    saved = await browser.post("/console/messages", name="Birthday", message=json.dumps(COMPOSED))
    here = saved.headers["location"]
    assert hidden((await browser.get(here)).text, "data-value")["buttons"] == COMPOSED["buttons"]
    refused = await browser.post(here, name="Other", message=json.dumps({"text": {"en": "{{ member.nam }}"}}))
    assert refused.status_code == 422
    assert 'value="Other"' in refused.text
    assert (await browser.post(f"{here}/archive")).status_code == 303
    assert "Bring back" in (await browser.get(here)).text
    async with site.deps.sessions() as session:
        (kept,) = await messages.list_templates(session, with_archived=True)
    assert (kept.name, kept.is_archived) == ("Birthday", True)


async def test_a_text_is_worded_anew_and_reset(site: Site) -> None:
    browser = await site.browser()
    async with site.deps.sessions() as session:
        name = (await wording.listing(session, "en"))[0].name
    here = f"/console/texts/en/{name}"
    assert (await browser.get(here)).status_code == 200
    refused = await browser.post(f"/console/texts/en/change/{name}", text="Hi {{ no_such_value }} typed")
    assert refused.status_code == 422
    assert "typed" in refused.text
    assert (await browser.post(f"/console/texts/en/change/{name}", text="Our own\r\nwords")).status_code == 303
    assert "Own wording" in (await browser.get(here)).text
    async with site.deps.sessions() as session:
        own = {item.name: item.own for item in await wording.listing(session, "en")}
    assert own[name] == "Our own\nwords"
    assert (await browser.post(f"/console/texts/en/reset/{name}")).status_code == 303
    assert "Own wording" not in (await browser.get(here)).text
    assert (await browser.post("/console/texts/en/change/no/such", text="x")).status_code == 404
    assert (await browser.get("/console/texts/en/no/such")).status_code == 404


async def test_a_keyword_is_added_and_switched_off(site: Site) -> None:
    browser = await site.browser()
    form = {
        "name": "Hours",
        "words": "opening hours，营业时间",
        "match": "contains",
        "reply_en": "8 to 8",
        "tag": "asks:hours",
    }
    assert (await browser.post("/console/keywords", **form, is_active="on")).status_code == 303
    async with site.deps.sessions() as session:
        (keyword,) = await keywords.listing(session)
    assert (keyword.words, keyword.tag, keyword.is_active) == (["opening hours", "营业时间"], "asks:hours", True)
    assert (await browser.post(f"/console/keywords/{keyword.id}", **form)).status_code == 303
    refused = await browser.post("/console/keywords", name="Empty", words="x", match="exact")
    assert refused.status_code == 422
    assert 'value="Empty"' in refused.text
    assert (await browser.post("/console/keywords", **{**form, "match": "guess"})).status_code == 422
    async with site.deps.sessions() as session:
        (keyword,) = await keywords.listing(session)
    assert not keyword.is_active

"""The form of journeys that begin with days and events: what it saves comes back, and shipped ones can be edited."""

import json
from html import unescape
from typing import Any

import pytest

from crm.consent import service as consent
from crm.journeys import service as journeys
from crm.journeys import shipped
from crm.journeys.types import Journey
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member

MESSAGE = {"text": {"en": "Hello"}, "buttons": []}
FORM = {"name": "Mine", "message": json.dumps(MESSAGE), "topic": "news"}


async def _saved(site: Site, **fields: str) -> Journey:
    browser = await site.browser()
    answer = await browser.post("/console/journeys", **{**FORM, **fields})
    assert answer.status_code == 303, unescape(answer.text)
    here = answer.headers["location"]
    page = (await browser.get(f"{here}/edit")).text
    assert 'value="Mine"' in page
    again = await browser.post(here, **{**FORM, **fields, "name": "Renamed"})
    assert again.status_code == 303
    assert (await browser.get(here)).status_code == 200
    async with site.deps.sessions() as session:
        found = await journeys.get(session, int(here.rsplit("/", 1)[1]))
    assert (found.name, found.version) == ("Renamed", 1), "what did not change makes no version"
    return found


@pytest.mark.parametrize(
    ("fields", "trigger"),
    [
        (
            {"trigger": "birthday", "date_offset": "-7", "date_at": "09:30"},
            {"kind": "date", "date": "birthday", "offset_days": -7, "at": "09:30:00"},
        ),
        ({"trigger": "anniversary"}, {"kind": "date", "date": "sign_up", "offset_days": 0, "at": "10:00:00"}),
        (
            {"trigger": "points_expiring", "ahead_days": "7", "rest_days": "3"},
            {"kind": "event", "event": "points_expiring", "where": {"days": 7}, "at_least": {}, "rest_days": 3},
        ),
        (
            {"trigger": "tier_at_risk"},
            {"kind": "event", "event": "tier_at_risk", "where": {}, "at_least": {}, "rest_days": 0},
        ),
        (
            {"trigger": "event", "event": "order_placed", "event_where": "currency=CNY, amount>=100"},
            {
                "kind": "event",
                "event": "order_placed",
                "where": {"currency": "CNY"},
                "at_least": {"amount": 100},
                "rest_days": 0,
            },
        ),
    ],
)
async def test_triggers_are_saved_and_come_back(site: Site, fields: dict[str, str], trigger: dict[str, Any]) -> None:
    assert (await _saved(site, **fields)).trigger.model_dump(mode="json") == trigger


async def test_waits_and_gifts_are_steps(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        coupon = await make_coupon(session)
    found = await _saved(
        site,
        trigger="birthday",
        until_at="09:00",
        until_weekdays="1, 5",
        gift_points="50",
        gift_months="6",
        gift_coupon_id=str(coupon.id),
    )
    nodes = found.graph.nodes
    assert found.graph.start == "wait_until"
    following = {"wait_until": "give_points", "give_points": "give_coupon", "give_coupon": "send", "send": None}
    assert {name: spec.exits.get("next") for name, spec in nodes.items()} == following
    assert nodes["wait_until"].parameters == {"at": "09:00:00", "weekdays": [1, 5]}
    assert nodes["give_points"].parameters == {"points": 50, "reason": "birthday", "expires_after_months": 6}
    assert nodes["give_coupon"].parameters == {"coupon_id": coupon.id}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trigger": "full_moon"}, "Choose what starts"),
        ({"trigger": "birthday", "date_offset": "90"}, "trigger.offset_days"),
        ({"trigger": "birthday", "date_at": "late"}, "A time of day looks like 10:00"),
        ({"trigger": "points_expiring", "rest_days": "-1"}, "trigger.rest_days"),
        ({"trigger": "event", "event": "nothing"}, "list of events"),
        ({"trigger": "event", "event": "tag_added", "event_where": "tea"}, "Fields of the event look like"),
        ({"trigger": "event", "event": "tag_added", "event_where": "colour=red"}, "has no field"),
        ({"trigger": "birthday", "until_at": "21:00"}, "until must be later"),
        ({"trigger": "birthday", "until_at": "09:00", "until_weekdays": "8"}, "wait_until.weekdays"),
        ({"trigger": "birthday", "gift_points": "-5"}, "give_points.points"),
        ({"trigger": "birthday", "gift_coupon_id": "987654"}, "no such coupon"),
        ({"message": json.dumps({"text": {"en": "{{ trigger.points }}"}})}, "no variable trigger.points"),
    ],
)
async def test_what_is_wrong_is_said(site: Site, wrong: dict[str, str], said: str) -> None:
    browser = await site.browser()
    answer = await browser.post("/console/journeys", **{**FORM, **wrong})
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert 'value="Mine"' in answer.text


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_shipped_journeys_are_marked_and_edited(site: Site, locale: str) -> None:
    async with site.deps.sessions.begin() as session:
        await consent.change_topic(session, "news", is_archived=False)
        await shipped.ensure_defaults(session)
        await make_member(session)
        found = (await journeys.listing(session)).items
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    listed = (await browser.get("/console/journeys")).text
    assert listed.count("Built in" if locale == "en" else "内置") == len(shipped.SHIPPED)
    assert ("等级" in listed, "Tier at risk" in listed) == (locale == "zh-CN", locale == "en")
    for journey in found:
        here = f"/console/journeys/{journey.id}"
        assert (await browser.get(here)).status_code == 200
        assert (await browser.get(f"{here}/preview/1/send")).status_code == 200
        assert "<form" in (await browser.get(f"{here}/edit")).text, journey.name


async def test_a_typed_text_is_previewed_with_made_up_causes(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        await make_member(session)
    browser = await site.browser()
    headers = {"X-CSRF-Token": browser.token}
    body = {
        "message": {"text": {"en": "{{ trigger.points }} until {{ trigger.on|day }}"}, "buttons": []},
        "locale": "en",
    }
    shown = await browser.client.post("/console/journeys/preview", json=body, headers=headers)
    assert "7 until May 1" in shown.text
    campaign = await browser.client.post("/console/messages/preview", json=body, headers=headers)
    assert "no variable trigger.points" in unescape(campaign.text)
    reader = await site.browser(Role.AGENT)
    refused = await reader.client.post("/console/journeys/preview", json=body, headers={"X-CSRF-Token": reader.token})
    assert refused.status_code == 403

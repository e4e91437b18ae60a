"""Segments, campaigns, surveys, rules and journeys through the API."""

from typing import Any

import httpx
import pytest

from crm.operators import chats
from tests.admin_api.conftest import Site
from tests.factories.members import make_contact

EVERYONE: dict[str, Any] = {"all": []}
TAGGED = {"condition": "tag", "tag": "vip"}


async def _members(site: Site, count: int = 2) -> list[int]:
    async with site.deps.sessions.begin() as session:
        return [(await make_contact(session, display_name=f"Member {number}")).member.id for number in range(count)]


async def _segment(client: httpx.AsyncClient, rule: Any) -> int:
    answer = await client.post("/api/v1/segments", json={"name": "Some", "rule": rule})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def _campaign(client: httpx.AsyncClient, segment_id: int, **message: Any) -> dict[str, Any]:
    body = {"name": "Spring", "segment_id": segment_id, "message": {"text": "Hello {{ member.name }}", **message}}
    answer = await client.post("/api/v1/campaigns", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_rule_is_counted_before_it_is_saved(site: Site) -> None:
    ids = await _members(site, 3)
    async with await site.api() as client:
        await client.post(f"/api/v1/members/{ids[0]}/tags", json={"tag": "vip"})
        everyone = (await client.post("/api/v1/segments/preview", json={"rule": EVERYONE})).json()
        tagged = (await client.post("/api/v1/segments/preview", json={"rule": TAGGED})).json()
        conditions = (await client.get("/api/v1/segments/conditions")).json()["items"]
    assert everyone["count"] == 3
    assert (tagged["count"], [one["id"] for one in tagged["sample"]]) == (1, [ids[0]])
    assert {"tag", "points_balance"} <= {item["name"] for item in conditions}
    assert all("properties" in item["parameters"] for item in conditions)


@pytest.mark.parametrize(
    "rule",
    [
        {"any": []},
        {"all": [{"condition": "no_such"}]},
        {"all": [{"condition": "tag", "tagg": "x"}]},
        {"all": {}, "any": []},
        {},
        None,
        "everyone",
        [],
        {"not": None},
    ],
)
async def test_a_rule_that_is_none_is_refused_with_its_place(site: Site, rule: Any) -> None:
    async with await site.api() as client:
        previewed = await client.post("/api/v1/segments/preview", json={"rule": rule})
        saved = await client.post("/api/v1/segments", json={"name": "x", "rule": rule})
        listed = (await client.get("/api/v1/segments")).json()["items"]
    for answer in (previewed, saved):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"]
    assert listed == []


async def test_a_campaign_to_everyone_wants_the_count(site: Site) -> None:
    await _members(site, 2)
    async with await site.api() as client:
        campaign = await _campaign(client, await _segment(client, EVERYONE))
        here = f"/api/v1/campaigns/{campaign['id']}"
        unconfirmed = await client.post(f"{here}/launch", json={})
        wrong = await client.post(f"{here}/launch", json={"confirm_count": 1})
        launched = await client.post(f"{here}/launch", json={"confirm_count": 2})
        again = await client.post(f"{here}/launch", json={"confirm_count": 2})
    assert campaign["status"] == "draft"
    assert unconfirmed.status_code == wrong.status_code == 422
    assert unconfirmed.json()["count"] == 2
    assert launched.json()["status"] == "running"
    assert set(launched.json()["counts"]) >= {"queued", "sent", "delivered", "failed", "suppressed", "uncertain"}
    assert (again.status_code, again.json()["code"]) == (409, "already_launched")


async def test_nobody_is_not_launched_to(site: Site) -> None:
    async with await site.api() as client:
        campaign = await _campaign(client, await _segment(client, TAGGED))
        answer = await client.post(f"/api/v1/campaigns/{campaign['id']}/launch")
    assert (answer.status_code, answer.json()["code"]) == (409, "nobody_to_reach")


async def test_a_campaign_is_scheduled_cancelled_and_cloned(site: Site) -> None:
    ids = await _members(site, 1)
    async with await site.api() as client:
        await client.post(f"/api/v1/members/{ids[0]}/tags", json={"tag": "vip"})
        campaign = await _campaign(client, await _segment(client, TAGGED))
        here = f"/api/v1/campaigns/{campaign['id']}"
        past = await client.post(f"{here}/launch", json={"at": "2020-01-01T00:00:00Z"})
        scheduled = await client.post(f"{here}/launch", json={"at": "2999-01-01T00:00:00Z"})
        changed = await client.patch(here, json={"name": "Too late"})
        paused = await client.post(f"{here}/pause")
        cancelled = await client.post(f"{here}/cancel")
        clone = await client.post(f"{here}/clone")
        recipients = await client.get(f"{here}/recipients")
    assert (past.status_code, past.json()["code"]) == (422, "schedule_in_the_past")
    assert scheduled.json()["status"] == "scheduled"
    assert changed.status_code == paused.status_code == 409
    assert cancelled.json()["status"] == "cancelled"
    assert (clone.status_code, clone.json()["status"]) == (201, "draft")
    assert recipients.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "text", ["Hello {{ member.nam }}", "Hello {% if %}", "{{ member.__class__ }}", "", {"xx": "?"}]
)
async def test_a_message_with_a_fault_is_refused(site: Site, text: Any) -> None:
    async with await site.api() as client:
        segment_id = await _segment(client, EVERYONE)
        body = {"name": "Spring", "segment_id": segment_id, "message": {"text": text}}
        answer = await client.post("/api/v1/campaigns", json=body)
        listed = (await client.get("/api/v1/campaigns")).json()["items"]
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert listed == []


async def test_text_and_buttons_are_taken_in_both_forms(site: Site) -> None:
    async with await site.api() as client:
        segment_id = await _segment(client, EVERYONE)
        plain = await _campaign(client, segment_id, buttons=[{"label": "Shop", "url": "https://shop.example"}])
        label = {"en": "Check in", "zh-CN": "签到"}
        both = await _campaign(
            client, segment_id, text={"en": "Hi", "zh-CN": "你好"}, buttons=[[{"label": label, "action": "check_in"}]]
        )
    assert plain["message"]["text"] == {"zh-CN": "Hello {{ member.name }}"}
    assert plain["message"]["buttons"][0][0]["label"] == {"zh-CN": "Shop"}
    assert both["message"]["buttons"][0][0]["opens"] == "check_in"


async def test_a_preview_is_what_the_member_would_see(site: Site) -> None:
    ids = await _members(site, 1)
    async with await site.api() as client:
        body = {"message": {"text": "Hello {{ member.name }}"}, "member_id": ids[0]}
        answer = await client.post("/api/v1/messages/preview", json=body)
    assert answer.json()["message"]["text_html"] == "Hello Member 0"


async def test_a_test_goes_to_the_operators_own_chats(site: Site) -> None:
    browser = await site.browser()
    headers = {"X-CSRF-Token": browser.token}
    segment_id = await _segment_by(browser.client, headers)
    body = {"name": "Spring", "segment_id": segment_id, "message": {"text": "Hello {{ member.name }}"}}
    made = await browser.client.post("/api/v1/campaigns", json=body, headers=headers)
    path = f"/api/v1/campaigns/{made.json()['id']}/test"
    unlinked = await browser.client.post(path, headers=headers)
    assert browser.operator is not None
    async with site.deps.sessions.begin() as session:
        contact = await make_contact(session)
        code = await chats.issue_code(session, browser.operator.id)
        await chats.redeem_code(session, contact.member.id, code.code, identity_id=contact.identity.id)
    sent = await browser.client.post(path, headers=headers)
    async with await site.api() as client:
        by_key = await client.post(path)
    assert (unlinked.status_code, unlinked.json()["code"]) == (409, "no_test_recipient")
    assert sent.json() == {"identity_ids": [contact.identity.id]}
    assert (by_key.status_code, by_key.json()["code"]) == (403, "operator_required")


async def _segment_by(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    answer = await client.post("/api/v1/segments", json={"name": "Some", "rule": EVERYONE}, headers=headers)
    return int(answer.json()["id"])


async def test_earning_rules_keep_their_versions(site: Site) -> None:
    async with await site.api() as client:
        kinds = (await client.get("/api/v1/earning-rules/kinds")).json()["items"]
        body = {"kind": "check_in", "name": "Daily", "parameters": {"points": 5}}
        made = await client.post("/api/v1/earning-rules", json=body)
        here = f"/api/v1/earning-rules/{made.json()['id']}"
        changed = (await client.patch(here, json={"parameters": {"points": 8}})).json()
        wrong = await client.patch(here, json={"parameters": {"points": -1}})
        unknown = await client.post("/api/v1/earning-rules", json={**body, "kind": "no_such"})
    assert {"sign_up", "check_in", "streak", "survey", "manual", "order_rate"} <= {kind["kind"] for kind in kinds}
    assert (made.status_code, changed["version"], changed["parameters"]["points"]) == (201, 2, 8)
    assert wrong.status_code == 422
    assert "points" in wrong.text
    assert unknown.status_code in {404, 422}


async def test_a_survey_is_drafted_published_and_read(site: Site) -> None:
    texts = {"en": "How was it?", "zh-CN": "怎么样？"}
    definition = {"questions": [{"key": "score", "type": "nps", "title": texts}], "intro": texts, "thanks": texts}
    async with await site.api() as client:
        body = {"key": "taste", "name": "Taste", "definition": definition}
        made = await client.post("/api/v1/surveys", json=body)
        here = f"/api/v1/surveys/{made.json()['id']}"
        wrong = await client.post("/api/v1/surveys", json={**body, "key": "other", "definition": {"questions": []}})
        published = (await client.post(f"{here}/publish")).json()
        results = (await client.get(f"{here}/results")).json()
        twice = await client.post("/api/v1/surveys", json=body)
    assert made.status_code == 201, made.text
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["path"]
    assert published["status"] == "published"
    assert results
    assert twice.status_code == 409


async def test_a_journey_is_drafted_and_activated(site: Site) -> None:
    graph = {
        "start": "wait",
        "nodes": {
            "wait": {"kind": "wait", "parameters": {"days": 1}, "exits": {"next": "send"}},
            "send": {"kind": "send", "parameters": {"message": {"text": {"en": "Hi"}}, "topic": "news"}, "exits": {}},
        },
    }
    async with await site.api() as client:
        kinds = (await client.get("/api/v1/journeys/nodes")).json()["items"]
        body = {"name": "Welcome", "trigger": {"kind": "member_signed_up"}, "graph": graph}
        made = await client.post("/api/v1/journeys", json=body)
        wrong = await client.post("/api/v1/journeys", json={**body, "graph": {**graph, "start": "nowhere"}})
        active = await client.post(f"/api/v1/journeys/{made.json().get('id')}/activate")
        twice = await client.post(f"/api/v1/journeys/{made.json().get('id')}/activate")
        read = await client.get(f"/api/v1/journeys/{made.json().get('id')}")
    known = {"wait", "wait_until", "send", "check_segment", "give_points", "give_coupon"}
    assert known == {kind["kind"] for kind in kinds}
    assert made.status_code == 201, made.text
    assert made.json()["shipped_key"] is None
    assert wrong.status_code == 422
    assert active.json()["status"] == "active"
    assert twice.status_code == 409
    assert read.json()["counts"]["entered"] == 0


@pytest.mark.parametrize(
    ("trigger", "status"),
    [
        ({"kind": "date", "date": "birthday", "offset_days": -7, "at": "09:00"}, 201),
        ({"kind": "event", "event": "points_expiring", "where": {"days": 7}, "rest_days": 3}, 201),
        ({"kind": "event", "event": "points_expiring", "where": {"colour": "red"}}, 422),
        ({"kind": "event", "event": "points_earned"}, 422),
        ({"kind": "event", "event": "tag_added", "where": {"tag": {"$ne": ""}}}, 422),
        ({"kind": "date", "date": "birthday", "at": "10:00+08:00"}, 422),
        ({"kind": "date", "date": "payday"}, 422),
        ({"kind": "full_moon"}, 422),
    ],
)
async def test_what_starts_a_journey_is_checked(site: Site, trigger: dict[str, Any], status: int) -> None:
    nodes = {"gift": {"kind": "give_points", "parameters": {"points": 5}, "exits": {}}}
    body = {"name": "Trigger", "trigger": trigger, "graph": {"start": "gift", "nodes": nodes}}
    async with await site.api() as client:
        made = await client.post("/api/v1/journeys", json=body)
        listed = (await client.get("/api/v1/journeys")).json()["items"]
    assert made.status_code == status, made.text
    assert len(listed) == (status == 201)


async def test_tags_and_sources_are_kept(site: Site) -> None:
    async with await site.api() as client:
        tag = (await client.post("/api/v1/tags", json={"tag": "likes:oolong"})).json()
        twice = await client.post("/api/v1/tags", json={"tag": "likes:oolong"})
        rule = await client.post(
            "/api/v1/tags/rules", json={"name": "Buyers", "event_kind": "order_placed", "tag": "buyer"}
        )
        archived = (await client.patch(f"/api/v1/tags/{tag['id']}", json={"is_archived": True})).json()
        source = await client.post("/api/v1/sources", json={"name": "Shop window", "tags": ["from:window"]})
    assert twice.status_code == 409
    assert rule.status_code == 201
    assert archived["is_archived"]
    assert source.status_code == 201
    assert source.json()["counts"]["touches"] == 0

"""Terms of earning rules, trials, budget and replays through the API."""

from typing import Any

import pytest

from crm.events import service as events
from crm.events.catalogue import CheckedIn
from crm.operators.permissions import Permission
from crm.points import jobs
from tests.admin_api.conftest import Site
from tests.factories.members import make_member

RULE: dict[str, Any] = {"kind": "check_in", "name": "Daily", "parameters": {"points": 5}}
API = "/api/v1/earning-rules"


async def _member(site: Site) -> int:
    async with site.deps.sessions.begin() as session:
        return (await make_member(session)).id


async def test_terms_are_saved_listed_and_versioned(site: Site) -> None:
    terms = {"formula": "profile.tier == 'gold' ? points * 2 : points", "caps": {"member_day": 10}}
    async with await site.api() as client:
        made = (await client.post(API, json={**RULE, "terms": terms})).json()
        changed = (await client.patch(f"{API}/{made['id']}", json={"terms": {"is_once": True}})).json()
        versions = (await client.get(f"{API}/{made['id']}/versions")).json()["items"]
        kinds = {kind["kind"]: kind for kind in (await client.get(f"{API}/kinds")).json()["items"]}
        lost = await client.get(f"{API}/999999/versions")
    assert made["terms"] == terms
    assert (changed["version"], changed["terms"], changed["parameters"]) == (2, {"is_once": True}, made["parameters"])
    assert [(one["version"], one["terms"]) for one in versions] == [(2, {"is_once": True}), (1, terms)]
    assert {"formula", "caps", "windows"} <= set(kinds["check_in"]["terms"]["properties"])
    assert kinds["manual"]["terms"] == {}
    assert lost.status_code == 404


@pytest.mark.parametrize(
    ("terms", "path", "words"),
    [
        ({"formula": "1 / 0"}, "terms.formula", "divides by zero"),
        ({"formula": "points - 100"}, "terms.formula", "less than nothing"),
        ({"formula": "points * 100000000000"}, "terms.formula", "more than 1000000000"),
        ({"formula": "[1].map(a, [2].map(b, b)).size()"}, "terms.formula", "loop"),
        ({"formula": "x" * 501}, "terms.formula", "at most 500"),
        ({"when": "points"}, "terms.when", "true or false"),
        ({"caps": {"member_day": -1}}, "terms.caps.member_day", "greater than or equal to 1"),
        ({"audience": {"segment_ids": [424242]}}, "terms.audience.segment_ids", "no segment 424242"),
        ({"nonsense": 1}, "terms.nonsense", "not permitted"),
    ],
)
async def test_wrong_terms_say_what_is_wrong_and_save_nothing(
    site: Site, terms: dict[str, Any], path: str, words: str
) -> None:
    async with await site.api() as client:
        before = len((await client.get(API)).json()["items"])
        refused = await client.post(API, json={**RULE, "terms": terms})
        after = len((await client.get(API)).json()["items"])
    assert refused.status_code == 422
    assert path in refused.text
    assert words in refused.text
    assert before == after


async def test_a_rule_is_tried_on_a_member(site: Site) -> None:
    member_id = await _member(site)
    async with await site.api() as client:
        body = {**RULE, "member_id": member_id, "terms": {"formula": "event.streak * 2", "caps": {"member_day": 3}}}
        made_up = (await client.post(f"{API}/try", json=body)).json()
        async with site.deps.sessions.begin() as session:
            day = (await events.timeline(session, member_id))[0].occurred_at.date()
            await events.publish(session, CheckedIn(member_id=member_id, local_date=day, streak=1))
        real = (await client.post(f"{API}/try", json=body)).json()
        lost = await client.post(f"{API}/try", json={**body, "member_id": 987654321})
        wrong = await client.post(f"{API}/try", json={**body, "terms": {"formula": "1 / 0"}})
        rules = (await client.get(API)).json()["items"]
    assert (made_up["event"], made_up["is_sample"], made_up["base"]) == ("checked_in", True, 5)
    assert (made_up["points"], made_up["granted"], made_up["refused_by"]) == (14, 3, "caps")
    assert (real["is_sample"], real["points"], real["granted"], real["refused_by"]) == (False, 2, 2, "")
    assert (lost.status_code, wrong.status_code) == (404, 422)
    assert all(rule["name"] != "Draft" for rule in rules)


async def test_the_budget_of_all_rules(site: Site) -> None:
    async with await site.api() as client:
        none = (await client.get(f"{API}/budget")).json()
        put = await client.put(f"{API}/budget", json={"month_budget": 1000, "over": "refuse"})
        read = (await client.get(f"{API}/budget")).json()
        wrong = await client.put(f"{API}/budget", json={"month_budget": 0})
        await client.put(f"{API}/budget", json={"month_budget": None})
        gone = (await client.get(f"{API}/budget")).json()
    assert none == gone == {"month_budget": None, "over": "partial"}
    assert (put.status_code, wrong.status_code) == (200, 422)
    assert read == {"month_budget": 1000, "over": "refuse"}


async def test_a_replay_from_start_to_result(site: Site) -> None:
    member_id = await _member(site)
    async with site.deps.sessions.begin() as session:
        recorded = await events.timeline(session, member_id)
        fact = CheckedIn(member_id=member_id, local_date=recorded[0].occurred_at.date(), streak=1)
        await events.publish(session, fact)
    async with await site.api() as client:
        begun = await client.post("/api/v1/earning-replays", json={**RULE, "days": 30})
        here = f"/api/v1/earning-replays/{begun.json()['id']}"
        await jobs.replay.run(site.deps.sessions, {"replay_id": begun.json()["id"]})
        done = (await client.get(here)).json()
        listed = (await client.get("/api/v1/earning-replays")).json()["items"]
        members = (await client.get(f"{here}/members")).json()
        file = await client.get(f"{here}/members/file")
        missing = await client.get("/api/v1/earning-replays/987654321/members/file")
        ended = await client.post(f"{here}/cancel")
        again = (await client.post("/api/v1/earning-replays", json={**RULE, "days": 1})).json()
        stopped = (await client.post(f"/api/v1/earning-replays/{again['id']}/cancel")).json()
        wrong = await client.post("/api/v1/earning-replays", json={**RULE, "days": 367})
    assert (begun.status_code, begun.json()["status"]) == (202, "queued")
    assert done["status"] == "done"
    assert done["result"]["top"] == [{"member_id": member_id, "live": 0, "draft": 5}]
    assert done["result"]["value"] is None
    assert members == {"items": [{"member_id": member_id, "live": 0, "draft": 5}], "next_cursor": None}
    assert file.text.splitlines()[1:] == [f"{member_id},0,5,5"]
    assert missing.status_code == 404
    assert [one["id"] for one in listed] == [done["id"]]
    assert (ended.status_code, stopped["status"], wrong.status_code) == (409, "cancelled", 422)


async def test_reading_alone_changes_nothing(site: Site) -> None:
    async with await site.api(Permission.EARNING_RULES_READ) as client:
        calls = [
            await client.post(API, json=RULE),
            await client.put(f"{API}/budget", json={"month_budget": 1}),
            await client.post("/api/v1/earning-replays", json={**RULE, "days": 1}),
        ]
        assert [call.status_code for call in calls] == [403, 403, 403]
        assert (await client.get(API)).status_code == 200

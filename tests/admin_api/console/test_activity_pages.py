"""Activities by API and in the console: made, published, filled, checked in, refused with reasons."""

from typing import Any

import pytest
from sqlalchemy import text

from crm.activities.service import attending, definitions, offering, registering
from crm.activities.types import ActivityStatus
from crm.campaigns import service as campaigns
from crm.campaigns.types import CampaignStatus
from crm.operators.permissions import Role
from crm.segments import promotions
from crm.segments import service as segments
from tests.admin_api.conftest import Site
from tests.admin_api.console.loyalty import picture
from tests.factories.activities import door_code, make_activity, make_feedback_survey
from tests.factories.bots import make_bot
from tests.factories.members import make_member
from tests.factories.points import give

HOSTILE = '"><img src=x onerror=alert(1)>林'
FORM = {
    "name_zh": "茶会",
    "name_en": "Tea evening",
    "place_en": "Tea house",
    "reminder_hours": "2, 24",
    "starts_at": "2400-03-01T14:00",
    "ends_at": "2400-03-01T16:00",
    "capacity": "2",
    "points": "10",
    "has_waiting_list": "true",
    "cancel_hours": "24",
    "feedback_hours": "1",
}
TERMS = {"starts_at": "2400-03-01T14:00:00+08:00", "ends_at": "2400-03-01T16:00:00+08:00"}
API = "/api/v1/activities"


async def _running(site: Site) -> tuple[int, list[int], list[str]]:
    """An activity that has begun: two have a place, one waits; its id, the members and their codes."""
    async with site.deps.sessions.begin() as session:
        await make_bot(session, "webchat")
        survey = await make_feedback_survey(session)
        activity = await make_activity(session, days=0.05, capacity=2, survey_id=survey.id)
        members = [await make_member(session, display_name=HOSTILE) for _ in range(3)]
        made = [await registering.register(session, member.id, activity.id) for member in members]
        return activity.id, [member.id for member in members], [one.code for one in made]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page(site: Site, locale: str) -> None:
    activity_id, members, codes = await _running(site)
    async with site.deps.sessions.begin() as session:
        await attending.by_desk(session, activity_id, codes[0], by="operator:1")
        await registering.cancel_for(session, members[1], activity_id, by="operator:1")
        draft = await make_activity(session, is_published=False)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    paths = ["", "/new", f"/{activity_id}", f"/{activity_id}?status=waiting", f"/{activity_id}/edit", f"/{draft.id}"]
    for path in paths:
        page = await browser.get(f"/console/activities{path}")
        assert page.status_code == 200, (path, page.text[-2000:])
        assert "<img src=x" not in page.text, path
    assert (await browser.get(f"/console/members/{members[0]}")).status_code == 200
    door = await browser.get(f"/console/activities/{activity_id}/door/webchat")
    assert (door.status_code, door.headers["content-type"]) == (200, "image/png")
    assert (await browser.get(f"/console/activities/{activity_id}/door/smoke")).status_code == 404


async def test_an_activity_from_draft_to_its_list(site: Site) -> None:
    browser = await site.browser()
    made = await browser.post("/console/activities", **FORM)
    assert made.status_code == 303, made.text[-3000:]
    here = made.headers["location"]
    activity_id = int(here.rsplit("/", 1)[1])
    page = (await browser.get(f"{here}/edit")).text
    assert 'value="2400-03-01T14:00"' in page
    assert 'value="24, 2"' in page
    assert (await browser.post(here, **{**FORM, "capacity": "1"})).status_code == 303
    assert (await browser.client.get(f"{here}/picture")).status_code == 404
    for data, status in ((b"no picture", 422), (b"", 422), (picture(), 303)):
        files = {"picture": ("tea.png", data, "image/png")}
        answer = await browser.client.post(f"{here}/picture", data={"csrf_token": browser.token}, files=files)
        assert answer.status_code == status, answer.text[-2000:]
    assert (await browser.client.get(f"{here}/picture")).headers["content-type"].startswith("image/")
    assert (await browser.post(f"{here}/publish")).status_code == 303
    assert f"activity:{activity_id}" in (await browser.get(here)).text
    async with site.deps.sessions.begin() as session:
        one, other = [await make_member(session, display_name=name) for name in ("=1+1", "Wang")]
        for member in (one, other):
            await give(session, member.id, 10)
    for member in (one, other):
        assert (await browser.post(f"{here}/registrations", member_id=str(member.id))).status_code == 303
    refused = await browser.post(f"{here}/registrations", member_id="x")
    assert "Enter a whole number." in refused.text
    assert (await browser.post(f"{here}/registrations", member_id="987654321")).status_code == 404
    early = await browser.post(f"{here}/check-ins", code="AAAAAAAA")
    assert "no such registration" in early.text
    assert (await browser.post(f"{here}/registrations/{one.id}/cancel")).status_code == 303
    again = await browser.post(f"{here}/registrations/{one.id}/cancel")
    assert (again.status_code, "no place" in again.text) == (409, True)
    lines = (await browser.get(f"{here}/file")).text.splitlines()
    assert len(lines) == 3
    assert "'=1+1,cancelled" in lines[1]
    assert "Wang,waiting" in lines[2]
    refused = await browser.post(f"{here}/close")
    assert (refused.status_code, "not over yet" in refused.text) == (409, True)
    assert (await browser.post(f"{here}/call-off")).status_code == 303
    async with site.deps.sessions() as session:
        assert (await definitions.get(session, activity_id)).status is ActivityStatus.CALLED_OFF
    assert (await browser.post(here, **FORM)).status_code == 409


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name_zh": " ", "name_en": ""}, "needs a name"),
        ({"starts_at": ""}, "This is not valid."),
        ({"ends_at": "2400-03-01T13:00"}, "the end must be later"),
        ({"starts_at": "soon"}, "such as"),
        ({"capacity": "0"}, "This number is too small."),
        ({"points": "-1"}, "This number is too small."),
        ({"reminder_hours": "soon"}, "Enter a whole number."),
        ({"tiers": "nobody"}, "nobody"),
        ({"survey_id": "987654321"}, "no such survey"),
    ],
)
async def test_drafts_that_make_no_sense(site: Site, change: dict[str, str], said: str) -> None:
    browser = await site.browser()
    answer = await browser.post("/console/activities", **{**FORM, **change})
    assert answer.status_code in {404, 409, 422}, answer.text[-2000:]
    assert said in answer.text, answer.text[-6000:]
    async with site.deps.sessions() as session:
        assert await definitions.listing(session) == []


async def test_the_desk_is_for_those_who_may(site: Site) -> None:
    activity_id, _, codes = await _running(site)
    here = f"/console/activities/{activity_id}"
    analyst, agent = await site.browser(Role.ANALYST), await site.browser(Role.AGENT)
    async with site.deps.sessions() as session:
        code = await door_code(session, await definitions.get(session, activity_id))
    assert code not in (await analyst.get(here)).text
    assert (await analyst.post(f"{here}/check-ins", code=codes[0])).status_code == 403
    assert (await agent.post(f"{here}/call-off")).status_code == 403
    assert code in (await agent.get(here)).text
    came = await agent.post(f"{here}/check-ins", code=f" {codes[0].lower()} ")
    assert (came.status_code, "Checked in" in came.text) == (200, True)
    again = await agent.post(f"{here}/check-ins", code=codes[0])
    assert (again.status_code, "checked in before" in again.text) == (409, True)
    waiting = await agent.post(f"{here}/check-ins", code=codes[2])
    assert "waiting list" in waiting.text
    assert (await agent.post(f"{here}/door")).status_code == 303
    assert code not in (await agent.get(here)).text


async def test_the_whole_life_by_api(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        survey = await make_feedback_survey(session)
    async with await site.api() as client:

        async def said(path: str, expected: int = 200, /, **body: Any) -> dict[str, Any]:
            answer = await client.post(f"{API}{path}", json=body)
            assert answer.status_code == expected, answer.text
            return dict(answer.json())

        made = await said("", 201, name={"en": "Tea evening"}, terms={**TERMS, "survey_id": survey.id})
        here = f"/{made['id']}"
        assert (made["status"], made["terms"]["reminder_hours"]) == ("draft", [24, 2])
        assert (await said(f"{here}/registrations", 409, member_id=member.id))["code"] == "activity_not_open"
        changed = await client.put(f"{API}{here}", json={"name": {"en": "Tea night"}, "terms": TERMS})
        assert changed.json()["name"] == {"en": "Tea night"}
        assert (await said(f"{here}/publish"))["status"] == "published"
        assert (await said(f"{here}/publish", 409))["code"] == "activity_state"
        registered = await said(f"{here}/registrations", 201, member_id=member.id)
        assert (registered["status"], registered["changed_by"][:8]) == ("registered", "api_key:")
        assert (await said(f"{here}/check-ins", 409, code=registered["code"]))["code"] == "door_closed"
        assert (await said(f"{here}/check-ins", 404, code="nothing"))["code"] == "registration_not_found"
        door = (await client.get(f"{API}{here}/door")).json()["code"]
        assert (await said(f"{here}/door"))["code"] != door
        async with site.deps.sessions.begin() as session:
            begun = "UPDATE activities SET starts_at = siyu_now() - interval '1 hour' WHERE id = :id"
            await session.execute(text(begun), {"id": made["id"]})
        assert (await said(f"{here}/check-ins", code=registered["code"]))["status"] == "attended"
        report = (await client.get(f"{API}{here}/report")).json()
        assert (report["registered"], report["attended"], report["missed"]) == (1, 1, 0)
        listed = (await client.get(f"{API}{here}/registrations", params={"status": "attended"})).json()
        assert [item["member_id"] for item in listed["items"]] == [member.id]
        file = await client.get(f"{API}{here}/registrations/file")
        assert (file.status_code, file.headers["content-type"][:8]) == (200, "text/csv")
        assert (await client.get(f"{API}/987654321/registrations/file")).status_code == 404
        assert (await said(f"{here}/call-off", 409))["code"] == "activity_state"


async def test_an_activity_is_published_to_a_segment(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        invited, other = await make_member(session), await make_member(session)
        await give(session, invited.id, 50)
        segment = await segments.create(session, name="Best <b>", rule={"condition": "points_balance", "at_least": 50})
    browser = await site.browser()
    form = {**FORM, "name_en": "Tea {{ 7*7 }} <i>", "points": ""}
    unknown = await browser.post("/console/activities", **form, segment_ids="987654321")
    assert (unknown.status_code, "no segment 987654321 in use" in unknown.text) == (422, True)
    here = (await browser.post("/console/activities", **form, segment_ids=str(segment.id))).headers["location"]
    activity_id = int(here.rsplit("/", 1)[1])
    early = await browser.post(f"{here}/invitations", segment_id=str(segment.id))
    assert (early.status_code, "as long as they can register" in early.text) == (409, True)
    assert (await browser.post(f"{here}/publish")).status_code == 303
    assert (await browser.get(here)).text.count("Best &lt;b&gt;") == 2
    made = await browser.post(f"{here}/invitations", segment_id=str(segment.id))
    assert made.status_code == 303, made.text[-2000:]
    shown = (await browser.get(f"{made.headers['location']}/preview?member_id={invited.id}")).text
    assert "Tea {{ 7*7 }} &amp;lt;i&amp;gt;" in shown, shown[-3000:]
    assert "Mar 1, 2400, 14:00–16:00" in shown
    async with site.deps.sessions.begin() as session:
        campaign = await campaigns.get(session, int(made.headers["location"].rsplit("/", 1)[1]))
        assert (campaign.segment_id, campaign.status) == (segment.id, CampaignStatus.DRAFT)
        assert campaign.message.buttons[0][0].opens == f"activity:{activity_id}"
        assert campaign.send_before == (await definitions.get(session, activity_id)).terms.starts_at
        assert [one.activity.id for one in await offering.offered(session, invited.id)] == [activity_id]
        assert await offering.offered(session, other.id) == []
        assert (await offering.one(session, other.id, activity_id)).why_not == "activity_segment"
    async with await site.api() as client:
        refused = await client.post(f"{API}/{activity_id}/registrations", json={"member_id": other.id})
        assert (refused.status_code, refused.json()["code"]) == (409, "activity_segment")
        entered = await client.post(f"{API}/{activity_id}/registrations", json={"member_id": invited.id})
        assert (entered.status_code, entered.json()["status"]) == (201, "registered")
        assert (await client.post(f"{API}/{activity_id}/invitations", json={"segment_id": 2**40})).status_code == 404
    async with await site.api("activities:write") as client:
        address = f"{API}/{activity_id}/invitations"
        assert (await client.post(address, json={"segment_id": segment.id})).status_code == 403
    async with site.deps.sessions.begin() as session:
        await give(session, other.id, 50)
        assert await promotions.refresh(session) == 1
        assert (await offering.one(session, other.id, activity_id)).why_not is None

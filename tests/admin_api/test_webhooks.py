"""Webhooks over the API and in the console: made, changed, tried, looked through, replayed."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from crm.events.catalogue import CheckedIn
from crm.events.relay import relay_all
from crm.events.service import publish
from crm.operators.permissions import Role
from crm.webhooks import sending
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.factories.consumer import Consumer, consuming, loopback_egress
from tests.factories.members import make_member

ADDRESS = "https://shop.example/hooks/secret-path"
NEW = {"name": "Till", "address": ADDRESS, "kinds": ["checked_in"]}
XSS = "<img src=x onerror=alert(1)>"


async def _created(client: httpx.AsyncClient, **given: object) -> dict[str, object]:
    answer = await client.post("/api/v1/webhooks", json={**NEW, **given})
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


async def _happen(site: Site) -> UUID:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        today = (await session.execute(text("SELECT siyu_now()::date"))).scalar_one()
        event = await publish(session, CheckedIn(member_id=member.id, local_date=today, streak=1))
    await relay_all(site.deps.sessions)
    return event.id


async def _send(site: Site, consumer: Consumer) -> None:
    """What is due goes to the consumer, whatever the address says."""
    async with site.deps.sessions.begin() as session:
        await session.execute(text("UPDATE webhook_messages SET due_at = siyu_now()"))
    for claimed in await sending.claim(site.deps.sessions):
        outcome = await sending.call(
            loopback_egress(), type(claimed)(**{**vars(claimed), "address": consumer.base_url})
        )
        async with site.deps.sessions.begin() as session:
            await sending.settle(session, claimed, outcome)


async def test_an_endpoint_lives(site: Site) -> None:
    async with await site.api("webhooks:read", "webhooks:write") as client:
        made = await _created(client)
        here = f"/api/v1/webhooks/{made['id']}"
        assert str(made["secret"]).startswith("whsec_")
        read = (await client.get(here)).json()
        assert read == {name: value for name, value in made.items() if name != "secret"}
        changed = await client.patch(here, json={"kinds": ["*"], "name": "Shop"})
        assert (changed.json()["kinds"], changed.json()["name"]) == (["*"], "Shop")
        rotated = (await client.post(f"{here}/rotate-secret", json={"overlap_hours": 1})).json()
        assert rotated["secret"] != made["secret"]
        assert rotated["older_secret_until"] is not None
        assert (await client.post(f"{here}/disable")).json()["disabled_reason"] == "operator"
        assert (await client.post(f"{here}/test")).status_code == 409
        assert (await client.post(f"{here}/enable")).json()["status"] == "active"
        assert [item["id"] for item in (await client.get("/api/v1/webhooks")).json()["items"]] == [made["id"]]
        assert (await client.delete(here)).status_code == 204
        assert (await client.get(here)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "http://shop.example/"}, "https://"),
        ({"address": "https://169.254.169.254/latest"}, "private network"),
        ({"address": "https://2130706433/"}, "usual form"),
        ({"address": "https://u:p@shop.example/"}, "user name"),
        ({"kinds": ["nothing_such"]}, "nothing_such"),
        ({"kinds": []}, ""),
        ({"name": " "}, ""),
        ({"secret": "whsec_mine"}, ""),
        ({"address": 7}, ""),
        ({"kinds": "*"}, ""),
    ],
)
async def test_what_is_wrong_is_refused_with_a_reason(site: Site, wrong: dict[str, object], said: str) -> None:
    async with await site.api() as client:
        answer = await client.post("/api/v1/webhooks", json={**NEW, **wrong})
        assert answer.status_code == 422
        assert said in answer.text
        assert (await client.get("/api/v1/webhooks")).json()["items"] == []


@pytest.mark.parametrize("hours", [-1, 169, "x", None])
async def test_a_wrong_overlap_is_refused(site: Site, hours: object) -> None:
    async with await site.api() as client:
        made = await _created(client)
        answer = await client.post(f"/api/v1/webhooks/{made['id']}/rotate-secret", json={"overlap_hours": hours})
    assert answer.status_code == 422


async def test_reading_is_not_writing(site: Site) -> None:
    async with await site.api("webhooks:write") as writer, await site.api("webhooks:read") as reader:
        made = await _created(writer)
        assert (await reader.post("/api/v1/webhooks", json=NEW)).status_code == 403
        assert (await reader.post(f"/api/v1/webhooks/{made['id']}/replay-dead")).status_code == 403
        assert (await writer.get(f"/api/v1/webhooks/{made['id']}")).status_code == 403


async def test_making_one_twice_with_a_key_makes_one(site: Site) -> None:
    async with await site.api() as client:
        answers = [
            await client.post("/api/v1/webhooks", json=NEW, headers={"Idempotency-Key": "one"}) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert len((await client.get("/api/v1/webhooks")).json()["items"]) == 1


async def test_the_log_and_replay(site: Site) -> None:
    async with await site.api() as client, consuming(Consumer(status=500, text="no shelf")) as consumer:
        made = await _created(client)
        here = f"/api/v1/webhooks/{made['id']}"
        event_ids = [str(await _happen(site)) for _ in range(3)]
        for _ in range(10):
            await _send(site, consumer)
            await _send(site, consumer)
            await _send(site, consumer)
        first = (await client.get(f"{here}/messages", params={"limit": 2})).json()
        rest = (await client.get(f"{here}/messages", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [one["sequence"] for one in (*first["items"], *rest["items"])] == [3, 2, 1]
        assert {one["state"] for one in first["items"]} == {"dead"}
        assert (await client.get(f"{here}/messages", params={"state": "delivered"})).json()["items"] == []
        assert (await client.get(f"{here}/messages", params={"state": "lost"})).status_code == 422
        one = (await client.get(f"{here}/messages/{event_ids[0]}")).json()
        assert (len(one["attempts"]), one["attempts"][0]["excerpt"]) == (10, "no shelf")
        consumer.status = 200
        replayed = (await client.post(f"{here}/messages/{event_ids[0]}/replay")).json()
        assert (replayed["state"], replayed["sequence"]) == ("waiting", 1)
        assert (await client.post(f"{here}/replay-dead")).json() == {"messages": 2}
        for _ in range(3):
            await _send(site, consumer)
        assert (await client.get(f"{here}/messages", params={"state": "dead"})).json()["items"] == []
        assert (await client.post(f"{here}/messages/{UUID(int=9)}/replay")).status_code == 404
        assert (await client.post(f"{here}/messages/nothing/replay")).status_code == 422


async def test_the_audit_log_names_what_was_done_and_no_address(site: Site) -> None:
    async with await site.api() as client:
        made = await _created(client)
        await client.patch(f"/api/v1/webhooks/{made['id']}", json={"address": "https://other.example/token-abc"})
        await client.post(f"/api/v1/webhooks/{made['id']}/rotate-secret", json={})
    async with site.deps.sessions() as session:
        rows = list(await session.scalars(text("SELECT a::text FROM audit_log a WHERE action LIKE 'webhook.%'")))
    assert len(rows) == 3
    assert not any(secret in row for row in rows for secret in ("secret-path", "token-abc", "whsec_"))


async def _form(browser: Browser, **changed: str | list[str]) -> httpx.Response:
    form: dict[str, str | list[str]] = {"name": "Till", "target": ADDRESS, "kind": ["checked_in", "order_placed"]}
    return await browser.post("/console/settings/webhooks", **{**form, **changed})


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_the_pages_in_both_languages(site: Site, locale: str) -> None:
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="")
    assert (await browser.get("/console/settings/webhooks")).status_code == 200
    made = await _form(browser, name=XSS)
    assert made.status_code == 200
    assert "whsec_" in made.text
    assert XSS not in made.text
    await browser.get("/console/settings/webhooks")
    listed = await browser.get("/console/settings/webhooks")
    assert XSS not in listed.text
    assert "whsec_" not in listed.text
    assert ("收银台" if locale == "zh-CN" else "the till") in listed.text


async def test_the_console_from_form_to_replay(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/settings/webhooks")
    await _form(browser)
    async with site.deps.sessions() as session:
        webhook_id = (await session.execute(text("SELECT id FROM webhook_endpoints"))).scalar_one()
    here = f"/console/settings/webhooks/{webhook_id}"
    async with consuming(Consumer(status=500, text=XSS)) as consumer:
        await _happen(site)
        for _ in range(10):
            await _send(site, consumer)
        page = await browser.get(here)
        assert "answered 500" in page.text
        dead = await browser.get(f"{here}?state=dead")
        assert "Replay all that was given up" in dead.text
        assert "No messages" in (await browser.get(f"{here}?state=delivered")).text
        assert (await browser.get(f"{here}?state=nonsense")).status_code == 200
        assert (await browser.post(f"{here}/replay-dead")).status_code == 303
        consumer.status = 200
        await _send(site, consumer)
    async with site.deps.sessions() as session:
        event_id = (await session.execute(text("SELECT event_id FROM webhook_messages"))).scalar_one()
    message = await browser.get(f"{here}/messages/{event_id}")
    assert message.text.count("answered 500") == 10
    assert XSS not in message.text
    assert (await browser.post(f"{here}/messages/{event_id}/replay")).status_code == 303
    assert (await browser.post(f"{here}/test")).status_code == 303
    changed = await browser.post(here, name="Shop", target="https://new.example/", kind="*")
    assert changed.status_code == 303
    rotated = await browser.post(f"{here}/rotate-secret", overlap_hours="12")
    assert "whsec_" in rotated.text
    for act in ("disable", "enable", "delete"):
        assert (await browser.post(f"{here}/{act}")).status_code == 303
    assert (await browser.get(here)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"target": "https://127.0.0.1/"}, {"target": "x"}, {"target": ""}, {"name": ""}, {"kind": []}, {"kind": "lost"}],
)
async def test_a_wrong_form_is_shown_again(site: Site, wrong: dict[str, str | list[str]]) -> None:
    browser = await site.browser()
    await browser.get("/console/settings/webhooks")
    answer = await _form(browser, **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    made = await _form(browser)
    async with site.deps.sessions() as session:
        webhook_id = (await session.execute(text("SELECT id FROM webhook_endpoints"))).scalar_one()
    assert made.status_code == 200
    form: dict[str, str | list[str]] = {"name": "Till", "target": ADDRESS, "kind": "*", **wrong}
    assert (await browser.post(f"/console/settings/webhooks/{webhook_id}", **form)).status_code == 422
    for hours in ("x", "169", "-1"):
        refused = await browser.post(f"/console/settings/webhooks/{webhook_id}/rotate-secret", overlap_hours=hours)
        assert refused.status_code == 422


async def test_an_auditor_looks_and_changes_nothing(site: Site) -> None:
    owner = await site.browser()
    await owner.get("/console/settings/webhooks")
    await _form(owner)
    async with site.deps.sessions() as session:
        webhook_id = (await session.execute(text("SELECT id FROM webhook_endpoints"))).scalar_one()
    auditor = await site.browser(Role.AUDITOR)
    page = await auditor.get(f"/console/settings/webhooks/{webhook_id}")
    assert page.status_code == 200
    assert "rotate-secret" not in page.text
    assert (await auditor.post(f"/console/settings/webhooks/{webhook_id}/test")).status_code == 403

"""Alerts and dead letters: shown to whom, acknowledged, replayed, revealed and discarded with an audit entry."""

import pytest
from sqlalchemy import text

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.inbox import service as inbox
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site

HOSTILE = '<script>alert("x")</script>'
PAYLOAD = b'{"text": "my phone is 13800138000 <b>"}'


async def _raise(site: Site, kind: AlertKind = AlertKind.BOT_REFUSED, subject: str = "3") -> int:
    async with site.deps.sessions.begin() as session:
        await alerts.raise_alert(session, kind, subject, f"The token is refused {HOSTILE}.")
        return (await alerts.listing(session))[0].id


async def _die(site: Site, number: int = 1) -> list[str]:
    async with site.deps.sessions.begin() as session:
        for item in range(number):
            await inbox.store(session, bot_id=1, update_key=f"k{item}", chat_key=f"c{item}", payload=PAYLOAD)
            taken = await inbox.next_for_chat(session, 1, f"c{item}")
            assert taken is not None
            await inbox.give_up(session, taken, f"ValueError {HOSTILE}", attempts=5)
        return [str(letter.update_id) for letter in await inbox.dead_letters(session)]


async def _audited(site: Site, action: str) -> int:
    async with site.deps.sessions() as session:
        query = text("SELECT count(*) FROM audit_log WHERE action = :action")
        return int((await session.execute(query, {"action": action})).scalar_one())


async def test_the_bell_counts_and_leads_to_the_thing(site: Site) -> None:
    browser = await site.browser()
    alert_id = await _raise(site)
    page = (await browser.get("/console/alerts")).text
    assert '<span class="side-count num">1</span>' in page
    assert "A bot&#39;s token is refused" in page
    assert 'href="/console/settings/bots/3"' in page
    assert HOSTILE not in page
    assert (await browser.post(f"/console/alerts/{alert_id}/acknowledge")).status_code == 303
    page = (await browser.get("/console/alerts")).text
    assert "Acknowledged" in page
    assert '<span class="side-count num">' not in page
    assert await _audited(site, "alert.acknowledge") == 1
    async with site.deps.sessions.begin() as session:
        await alerts.resolve(session, AlertKind.BOT_REFUSED, "3")
    assert "All is well" in (await browser.get("/console/alerts")).text
    assert "The token is refused" in (await browser.get("/console/alerts?state=resolved")).text


@pytest.mark.parametrize("kind", list(AlertKind))
async def test_every_kind_of_alert_has_words_in_both_languages(site: Site, kind: AlertKind) -> None:
    browser = await site.browser()
    await _raise(site, kind)
    for locale in ("en", "zh-CN"):
        await browser.post("/console/locale", locale=locale, next="")
        page = await browser.get("/console/alerts")
        assert page.status_code == 200
        assert f">{kind.value}</b>" not in page.text


async def test_who_may_not_see_alerts_has_no_bell(site: Site) -> None:
    browser = await site.browser(Role.AGENT)
    await _raise(site)
    assert "alerts-bell" not in (await browser.get("/console/")).text
    assert (await browser.get("/console/alerts")).status_code == 403


async def test_alerts_over_the_api(site: Site) -> None:
    client = await site.api("alerts:read", "alerts:write")
    alert_id = await _raise(site)
    (found,) = (await client.get("/api/v1/alerts")).json()["items"]
    assert (found["kind"], found["subject"], found["severity"]) == ("bot_refused", "3", "critical")
    assert (await client.get(f"/api/v1/alerts/{alert_id}")).json()["id"] == alert_id
    assert (await client.post(f"/api/v1/alerts/{alert_id}/acknowledge")).json()["acknowledged_at"]
    async with site.deps.sessions.begin() as session:
        await alerts.resolve(session, AlertKind.BOT_REFUSED, "3")
        await alerts.raise_alert(session, AlertKind.BOT_REFUSED, "3", "Again.")
    assert [item["detail"] for item in (await client.get("/api/v1/alerts")).json()["items"]] == ["Again."]
    assert (await client.get("/api/v1/alerts?state=other")).status_code == 422
    assert (await client.get("/api/v1/alerts/999999")).status_code == 404


async def test_a_dead_letter_is_replayed_once_by_form(site: Site) -> None:
    browser = await site.browser()
    (key,) = await _die(site)
    page = (await browser.get("/console/settings/dead-letters?box=updates")).text
    assert key in page
    assert HOSTILE not in page
    assert "13800138000" not in page
    assert (await browser.post("/console/settings/dead-letters/replay", box="updates", key=key)).status_code == 303
    assert (await browser.post("/console/settings/dead-letters/replay", box="updates", key=key)).status_code == 404
    async with site.deps.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbound_queue")) == 1
    assert await _audited(site, "dead_letter.replay") == 1


async def test_all_are_replayed_and_one_is_discarded(site: Site) -> None:
    browser = await site.browser()
    keys = await _die(site, 4)
    gone = await browser.post("/console/settings/dead-letters/discard", box="updates", key=keys[0])
    assert gone.status_code == 303
    assert (await browser.post("/console/settings/dead-letters/replay", box="updates")).status_code == 303
    async with site.deps.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbound_queue")) == 3
    assert "Nothing was given up" in (await browser.get("/console/settings/dead-letters")).text
    assert await _audited(site, "dead_letter.discard") == 1


async def test_content_is_shown_to_who_may_and_each_look_is_audited(site: Site) -> None:
    (key,) = await _die(site)
    fields = {"box": "updates", "key": key}
    auditor = await site.browser(Role.AUDITOR)
    assert "Show content" not in (await auditor.get("/console/settings/dead-letters")).text
    assert (await auditor.post("/console/settings/dead-letters/reveal", **fields)).status_code == 403
    assert (await auditor.post("/console/settings/dead-letters/replay", **fields)).status_code == 403
    owner = await site.browser()
    page = await owner.post("/console/settings/dead-letters/reveal", **fields)
    assert "my phone is 13800138000 &lt;b&gt;" in page.text
    assert await _audited(site, "dead_letter.reveal") == 1


async def test_dead_letters_over_the_api(site: Site) -> None:
    client = await site.api("dead_letters:read", "dead_letters:write", "dead_letters:reveal")
    keys = await _die(site, 3)
    boxes = {item["name"]: item["waiting"] for item in (await client.get("/api/v1/dead-letters")).json()["items"]}
    assert boxes["updates"] == 3
    assert {"updates", "handoffs", "jobs"} <= set(boxes)
    listed = (await client.get("/api/v1/dead-letters/updates?limit=2")).json()
    assert ([item["key"] for item in listed["items"]], listed["waiting"]) == (keys[:2], 3)
    assert (await client.post(f"/api/v1/dead-letters/updates/{keys[0]}/reveal")).json() == {"payload": PAYLOAD.decode()}
    assert (await client.post(f"/api/v1/dead-letters/updates/{keys[0]}/replay")).json() == {"replayed": 1}
    assert (await client.post(f"/api/v1/dead-letters/updates/{keys[1]}/discard")).status_code == 204
    assert (await client.post("/api/v1/dead-letters/updates/replay")).json() == {"replayed": 1}
    for path in ("other", f"updates/{keys[0]}/replay", "jobs/x/discard", "handoffs/x/reveal", "other/x/replay"):
        answer = await (client.get if path == "other" else client.post)(f"/api/v1/dead-letters/{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"

"""Safe mode, backups and retention over the API and in the console."""

from datetime import UTC, datetime

from crm.audit import service as audit
from crm.operators.permissions import Role
from crm.recovery import service as recovery
from crm.recovery.types import Backup
from crm.retention import service as retention
from tests.admin_api.conftest import Site
from tests.factories.recovery import enter_safe_mode

BACKUP = Backup(datetime(2026, 3, 1, tzinfo=UTC), "shop.backup", 1234, "ab" * 32)
PAGE = "/console/settings/data"


async def _in_safe_mode(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        await enter_safe_mode(session)


async def _is_on(site: Site) -> bool:
    async with site.deps.sessions() as session:
        return await recovery.is_on(session)


async def _last_act(site: Site) -> tuple[str, str, object]:
    async with site.deps.sessions() as session:
        entry = (await audit.latest(session, limit=1))[0].entry
    return entry.action, entry.subject, entry.after


async def test_the_safe_mode_ends_over_the_api_once(site: Site) -> None:
    client = await site.api("data:read", "sending:resume")
    assert (await client.get("/api/v1/recovery")).json() == {"safe_mode": None, "last_backup": None}
    await _in_safe_mode(site)
    shown = (await client.get("/api/v1/recovery")).json()
    assert shown["safe_mode"]["backup_made_at"] == "2026-03-01T00:00:00Z"
    resumed = await client.post("/api/v1/recovery/resume-sending")
    assert (resumed.status_code, resumed.json()) == (200, {"replies": 0, "bulk": 0})
    assert await _last_act(site) == ("sending.resume", "sending", {"replies": 0, "bulk": 0})
    again = await client.post("/api/v1/recovery/resume-sending")
    assert (again.status_code, again.json()["code"]) == (409, "not_in_safe_mode")


async def test_a_key_without_the_scope_resumes_nothing(site: Site) -> None:
    await _in_safe_mode(site)
    client = await site.api("data:read", "campaigns:launch")
    assert (await client.post("/api/v1/recovery/resume-sending")).status_code == 403
    assert await _is_on(site) is True


async def test_every_page_says_it_and_a_button_ends_it(site: Site) -> None:
    browser = await site.browser()
    assert "Safe mode" not in (await browser.get("/console/settings/brand")).text
    await _in_safe_mode(site)
    page = (await browser.get("/console/settings/brand")).text
    assert "Safe mode: this data was restored from a backup." in page
    assert f'href="{PAGE}"' in page
    assert "Resume sending" in (await browser.get(PAGE)).text
    assert (await browser.post(f"{PAGE}/resume-sending")).status_code == 303
    assert await _is_on(site) is False
    assert "Siyu sends again." in (await browser.get(PAGE)).text
    refused = await browser.post(f"{PAGE}/resume-sending")
    assert refused.status_code == 409
    assert "it is sending already" in refused.text


async def test_who_may_not_resume_sees_no_button(site: Site) -> None:
    await _in_safe_mode(site)
    auditor = await site.browser(Role.AUDITOR)
    page = (await auditor.get(PAGE)).text
    assert "Safe mode: this data" in page
    assert "Resume sending" not in page
    assert (await auditor.post(f"{PAGE}/resume-sending")).status_code == 403
    assert await _is_on(site) is True


async def test_the_last_backup_is_shown(site: Site) -> None:
    browser = await site.browser()
    assert "There is no backup of this database yet." in (await browser.get(PAGE)).text
    async with site.deps.sessions.begin() as session:
        await recovery.note_backup(session, BACKUP)
    assert "shop.backup" in (await browser.get(PAGE)).text
    client = await site.api("data:read")
    assert (await client.get("/api/v1/recovery")).json()["last_backup"]["sha256"] == BACKUP.sha256


async def test_retention_is_read_and_changed_over_the_api(site: Site) -> None:
    client = await site.api("data:read", "data:write")
    shown = {item["key"]: item["days"] for item in (await client.get("/api/v1/retention")).json()["items"]}
    assert shown["updates"] == 30
    changed = await client.patch("/api/v1/retention/updates", json={"days": 60})
    assert (changed.status_code, changed.json()["days"]) == (200, 60)
    assert await _last_act(site) == ("retention.change", "retention:updates", {"days": 60})
    refused = await client.patch("/api/v1/retention/updates", json={"days": 1})
    assert (refused.status_code, refused.json()["detail"]) == (422, "Keep this for 8 to 3660 days.")
    assert (await client.patch("/api/v1/retention/everything", json={"days": 30})).status_code == 404
    assert (await client.patch("/api/v1/retention/updates", json={"days": 10**30})).status_code == 422


async def test_retention_is_changed_in_the_console(site: Site) -> None:
    browser = await site.browser()
    assert "Transcripts of conversations" in (await browser.get(PAGE)).text
    assert (await browser.post(f"{PAGE}/retention/transcripts", days="365")).status_code == 303
    async with site.deps.sessions() as session:
        assert (await retention.rule(session, "transcripts")).days == 365
    for wrong in ("3", "-5", "many", "", "٣٦٥", "9" * 10):
        refused = await browser.post(f"{PAGE}/retention/transcripts", days=wrong)
        assert refused.status_code == 422, wrong
        assert "Keep this for 31 to 3660 days." in refused.text
    assert (await browser.post(f"{PAGE}/retention/everything", days="30")).status_code == 404

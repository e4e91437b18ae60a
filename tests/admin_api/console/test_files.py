"""Members in and out as files, through the pages."""

import pytest

from crm.audit import service as audit
from crm.imports import jobs, staging
from crm.members import service as members
from crm.members.types import MemberQuery
from crm.operators.permissions import Role
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.admin_api.console.people import EMAIL, PHONE, make_shown

FILE = "Name,Mobile,Remark\nAnn,+8613900000001,x\n=cmd(),+8613900000002,y\nBad,123,z\n"


async def _upload(browser: Browser, data: bytes = FILE.encode()) -> str:
    await browser.get("/console/imports")
    answer = await browser.client.post(
        "/console/imports", data={"csrf_token": browser.token}, files={"file": ("old <b>.csv", data, "text/csv")}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_file_is_tried_and_then_imported(site: Site) -> None:
    browser = await site.browser()
    await browser.post("/console/locale", locale="en", next="")
    path = await _upload(browser)
    import_id = int(path.rsplit("/", 1)[1])
    page = await browser.get(path)
    assert "What is in which column?" in page.text
    assert "old &lt;b&gt;.csv" in page.text
    columns = {"column_0": "display_name", "column_1": "phone", "column_2": ""}
    assert (await browser.post(f"{path}/check", **columns, tag="from:file")).status_code == 303
    assert 'hx-trigger="every 2s"' in (await browser.get(path)).text
    assert (await browser.post(f"{path}/start", **columns)).status_code == 409
    await jobs.import_members.run(site.deps.sessions, {"import_id": import_id})
    tried = await browser.get(path)
    assert "This was a trial" in tried.text
    assert "This is not a phone number" in tried.text
    async with site.deps.sessions() as session:
        assert (await members.page(session, MemberQuery(query="Ann"))).items == []
    assert (await browser.post(f"{path}/start", **columns, tag="from:file")).status_code == 303
    await jobs.import_members.run(site.deps.sessions, {"import_id": import_id})
    assert "The file is imported." in (await browser.get(path)).text
    async with site.deps.sessions() as session:
        assert len((await members.page(session, MemberQuery(query="Ann"))).items) == 1
    again = await _upload(browser)
    same = await browser.post(f"{again}/start", **columns, tag="from:file")
    assert same.headers["location"] == path


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x01", b"just one line"])
async def test_a_file_that_is_no_table_is_refused(site: Site, data: bytes) -> None:
    browser = await site.browser()
    await browser.get("/console/imports")
    answer = await browser.client.post(
        "/console/imports", data={"csrf_token": browser.token}, files={"file": ("x.csv", data)}
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


async def test_a_senseless_mapping_is_shown_again(site: Site) -> None:
    browser = await site.browser()
    path = await _upload(browser)
    for columns in ({"column_2": "locale"}, {"column_0": "phone", "column_1": "phone"}, {"column_0": "nothing"}):
        answer = await browser.post(f"{path}/check", **columns)
        assert answer.status_code == 422, columns
        assert 'role="alert"' in answer.text


async def test_files_are_kept_for_a_day_only(site: Site) -> None:
    browser = await site.browser()
    path = await _upload(browser)
    async with site.deps.sessions.begin() as session:
        assert await staging.forget_files(session) == 0
    async with site.deps.sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE imports SET created_at = created_at - interval '25 hours'")
        assert await staging.forget_files(session) == 1
    assert (await browser.get(path)).status_code == 200
    assert (await browser.post(f"{path}/start", column_0="display_name")).status_code == 409


async def test_an_export_is_masked_harmless_and_written_down(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        await make_shown(session, "=HYPERLINK(1)")
    browser = await site.browser()
    assert (await browser.get("/console/members/export")).status_code == 200
    masked = await browser.post("/console/members/export")
    assert masked.headers["content-disposition"].startswith("attachment;")
    assert "'=HYPERLINK(1)" in masked.text
    assert PHONE not in masked.text
    full = await browser.post("/console/members/export", with_personal="on", tag="from:window")
    assert PHONE in full.text
    assert EMAIL in full.text
    async with site.deps.sessions() as session:
        found = [item.entry for item in await audit.latest(session) if item.entry.action == "member.export"]
    assert [entry.after["with_personal"] for entry in found if entry.after] == [True, False]


async def test_an_export_wants_the_password_again(site: Site) -> None:
    browser = await site.browser(Role.ADMIN)
    async with site.deps.sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE operator_sessions SET confirmed_at = confirmed_at - interval '1 hour'")
    answer = await browser.get("/console/members/export?tag=x")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/confirm?next=%2Fconsole%2Fmembers%2Fexport")

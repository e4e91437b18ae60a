"""The report on outstanding points and the statement, as answers, pages and files."""

import csv
from datetime import timedelta
from io import StringIO

import pytest

from crm.db import clock
from crm.kit.spreadsheets import BOM
from crm.operators.permissions import Role
from crm.points import service
from tests.admin_api.conftest import Site
from tests.factories.members import make_member
from tests.factories.points import give

API, PAGE = "/api/v1/reports/points-liability", "/console/reports/points-liability"
EVIL = '=HYPERLINK("http://x","y")'


async def _member(site: Site) -> int:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        now = await clock.now(session)
        await give(session, member.id, 100)
        await give(session, member.id, 40, expires_at=now + timedelta(days=40))
        await service.redeem(session, member.id, 30, reason=EVIL, key="a")
        await service.adjust(session, member.id, -5, reason="+1 too many", key="b", by="operator:1")
    return member.id


def _rows(text: str) -> list[dict[str, str]]:
    assert text.startswith(BOM)
    return list(csv.DictReader(StringIO(text.removeprefix(BOM), newline="")))


async def test_the_report_tells_points_and_money(site: Site) -> None:
    await _member(site)
    async with await site.api("brand:write", "reports:read") as client:
        before = (await client.get(API)).json()
        assert (before["point_value"], before["outstanding"]) == (None, {"points": 105, "value": None})
        assert (await client.patch("/api/v1/brand", json={"point_value": "0.1"})).json()["point_value"] == "0.1"
        found = (await client.get(API)).json()
        assert found["never"] == {"points": 100, "value": "10.00"}
        assert [(item["points"], item["value"], item["share"]) for item in found["months"]] == [(5, "0.50", None)]
        rows = _rows((await client.get(f"{API}/file")).text)
        assert [(row["month"], row["points"], row["value"]) for row in rows[1:3]] == [
            ("never", "100", "10.00"),
            ("outstanding", "105", "10.50"),
        ]
        for wrong in (0, -1, "0.0000001", "1000001", "NaN", "Infinity", "a lot"):
            assert (await client.patch("/api/v1/brand", json={"point_value": wrong})).status_code == 422, wrong
        cleared = await client.patch("/api/v1/brand", json={"point_value": None})
        assert (cleared.status_code, cleared.json()["point_value"]) == (200, None)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_the_page_tells_it_in_both_languages(site: Site, locale: str) -> None:
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="")
    empty = (await browser.get(PAGE)).text
    assert {"en": "Nobody holds points", "zh-CN": "还没有会员持有积分"}[locale] in empty
    await _member(site)
    page = (await browser.get(PAGE)).text
    assert {"en": "no history", "zh-CN": "尚无历史"}[locale] in page
    assert {"en": "What is a point worth?", "zh-CN": "一个积分值多少钱？"}[locale] in page
    rows = _rows((await browser.get(f"{PAGE}/file")).text)
    assert rows[1]["points"] == "100"


async def test_the_value_is_typed_on_the_brands_page(site: Site) -> None:
    browser = await site.browser()
    here = "/console/settings/brand"
    form = {
        "name": "Tea",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "default_locale": "en",
        "has_en": "true",
        "terms_en": "Be kind.",
    }
    await browser.get(here)
    for wrong in ("a lot", "-1", "NaN", "1e99"):
        answer = await browser.post(here, **form, point_value=wrong)
        assert (answer.status_code, "What a point is worth" in answer.text) == (422, True), wrong
    assert (await browser.post(here, **form, point_value=" 0.05 ")).status_code == 303
    assert 'value="0.05"' in (await browser.get(here)).text


async def test_the_statement_is_a_file_that_runs_nothing(site: Site) -> None:
    member_id = await _member(site)
    async with await site.api("points:read") as client:
        answer = await client.get(f"/api/v1/members/{member_id}/points/statement")
        assert f'filename="points-{member_id}.csv"' in answer.headers["content-disposition"]
        rows = _rows(answer.text)
        assert [(row["kind"], row["points"], row["balance"]) for row in rows] == [
            ("adjust", "-5", "105"),
            ("redeem", "-30", "110"),
            ("earn", "40", "140"),
            ("earn", "100", "100"),
        ]
        assert [row["reason"] for row in rows[:2]] == ["'+1 too many", f"'{EVIL}"]
        assert rows[0]["at"].endswith("+08:00")
        assert (await client.get("/api/v1/members/987654321/points/statement")).status_code == 404
    browser = await site.browser(Role.AGENT)
    page = (await browser.get(f"/console/members/{member_id}/points")).text
    assert f"/console/members/{member_id}/points/file" in page
    assert PAGE not in page
    assert len(_rows((await browser.get(f"/console/members/{member_id}/points/file")).text)) == 4
    assert (await browser.client.get(PAGE)).status_code == 403


async def test_every_award_names_its_rule_and_version(site: Site) -> None:
    member_id = await _member(site)
    here = f"/api/v1/members/{member_id}/points"
    async with await site.api() as client:
        body = {"kind": "manual", "name": "Thanks <b>", "parameters": {"points": 5}}
        rule = (await client.post("/api/v1/earning-rules", json=body)).json()
        changed = await client.patch(f"/api/v1/earning-rules/{rule['id']}", json={"parameters": {"points": 7}})
        assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
        assert (await client.post(f"{here}/grant", json={"rule_id": rule["id"]})).status_code == 200
        newest, before = (await client.get(f"{here}/entries")).json()["items"][:2]
        assert (newest["points"], newest["rule_id"], newest["rule_version"]) == (7, rule["id"], 2)
        assert (before["rule_id"], before["rule_version"]) == (None, None)
        rows = _rows((await client.get(f"{here}/statement")).text)
        assert [(row["rule_id"], row["rule_version"]) for row in rows[:2]] == [(str(rule["id"]), "2"), ("", "")]
    browser = await site.browser()
    assert "Thanks &lt;b&gt;, version 2" in (await browser.get(f"/console/members/{member_id}/points")).text

"""Draws, missions and badges by API and in the console: shown, filled in, refused with reasons."""

import hashlib
from typing import Any

import pytest

from admin_api.console.locale import catalogue as translations
from crm.draws import errors as draw_errors
from crm.draws.service import definitions, playing
from crm.draws.types import DrawStatus, Prize, PrizeKind
from crm.missions import errors as mission_errors
from crm.missions.service import badges
from crm.missions.service import definitions as missions
from crm.missions.types import Comparison, Window
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site
from tests.factories.draws import NOTHING, lucky, make_badge, make_draw, make_mission
from tests.factories.members import make_member

HOSTILE = '"><img src=x onerror=alert(1)>林'
GOODS = Prize({"en": HOSTILE}, PrizeKind.GOODS, odds=1_000_000, stock=5)
LINES = "10.5% | goods | 3 | 茶叶罐 | Tin of tea\n30 | points 50 | | 50 积分 | \n | nothing | | 下次再来 | Next time"
DRAW = {"name_en": "Spring", "kind": "lucky", "prizes": LINES, "earned_by": "order_placed: 1", "price": "10"}


async def _playable(site: Site) -> tuple[int, int, int]:
    """A draw that somebody played, who did, and a mission."""
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        draw = await make_draw(session, lucky(GOODS, NOTHING))
        await playing.play(session, member.id, draw.id, key="k:1")
        badge = await make_badge(session)
        await badges.give(session, member.id, badge.id, given_for="test")
        mission = await make_mission(session)
        return draw.id, member.id, mission.id


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page(site: Site, locale: str) -> None:
    draw_id, member_id, mission_id = await _playable(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    paths = ["draws", "draws/new", f"draws/{draw_id}", f"draws/{draw_id}/verification", "missions", "missions/new"]
    for path in [*paths, f"missions/{mission_id}", f"members/{member_id}"]:
        page = await browser.get(f"/console/{path}")
        assert page.status_code == 200, (path, page.text[-2000:])
        assert "<img src=x" not in page.text, path
    assert "🍃" in (await browser.get(f"/console/members/{member_id}")).text


async def test_a_draw_from_draft_to_proof(site: Site) -> None:
    browser = await site.browser()
    made = await browser.post("/console/draws", **DRAW)
    assert made.status_code == 303, made.text[-3000:]
    here = made.headers["location"]
    draw_id = int(here.rsplit("/", 1)[1])
    assert "10.5 | goods | 3" in (await browser.get(f"{here}/edit")).text
    assert (await browser.post(here, **{**DRAW, "name_en": "Summer"})).status_code == 303
    assert (await browser.post(f"{here}/open")).status_code == 303
    async with site.deps.sessions() as session:
        draw = await definitions.get(session, draw_id)
        assert [prize.odds for prize in draw.rules.prizes] == [105_000, 300_000, 0]
        assert (draw.status, draw.terms.earned_by, draw.terms.price) == (DrawStatus.OPEN, {"order_placed": 1}, 10)
    page = await browser.get(here)
    assert draw.commitment is not None
    assert draw.commitment in page.text
    again = await browser.post(here, **DRAW)
    assert again.status_code == 409
    assert "not changed any more" in again.text
    assert (await browser.get(f"{here}/edit")).status_code == 303
    assert "sealed until" in (await browser.get(f"{here}/verification")).text
    assert (await browser.post(f"{here}/close")).status_code == 303
    assert "All 0 results follow" in (await browser.get(f"{here}/verification")).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prizes": "ten | goods | 3 | x | y"}, "A prize is a line such as"),
        ({"prizes": "1e999 | goods | 3 | x | y"}, "A prize is a line such as"),
        ({"prizes": "10 | goods"}, "A prize is a line such as"),
        ({"prizes": "10 | goods | | x | y\n90 | goods | | x | y"}, "the last prize is the fallback"),
        ({"prizes": "80 | goods | | x | y\n70 | goods | | x | y\n | nothing | | x | y"}, "more than 100 %"),
        ({"earned_by": "order_placed"}, "looks like order_placed: 1"),
        ({"earned_by": "points_earned: 1"}, "earns no chances"),
        ({"kind": "packets", "points": "5", "packets": "10"}, "at least a point for each"),
        ({"price": "-1"}, "This number is too small."),
        ({"name_en": " "}, "needs a name"),
    ],
)
async def test_drafts_that_make_no_sense(site: Site, change: dict[str, str], said: str) -> None:
    browser = await site.browser()
    answer = await browser.post("/console/draws", **{**DRAW, **change})
    assert answer.status_code in {409, 422}, answer.text[-2000:]
    assert said in answer.text
    async with site.deps.sessions() as session:
        assert await definitions.listing(session) == []


async def test_prizes_are_handed_over_by_those_who_may(site: Site) -> None:
    draw_id, _, _ = await _playable(site)
    here = f"/console/draws/{draw_id}"
    marketer, agent = await site.browser(Role.MARKETER), await site.browser(Role.AGENT)
    assert "/hand-over" not in (await marketer.get(here)).text
    assert (await marketer.post(f"{here}/plays/1/hand-over")).status_code == 403
    assert (await agent.post(f"{here}/open")).status_code == 403
    assert (await agent.post(f"{here}/plays/1/hand-over")).status_code == 303
    again = await agent.post(f"{here}/plays/1/hand-over")
    assert again.status_code == 409
    assert "handed over before" in again.text
    assert (await agent.post(f"{here}/plays/9/hand-over")).status_code == 404


async def test_missions_and_badges_by_form(site: Site) -> None:
    browser = await site.browser()
    assert (await browser.post("/console/missions/badges", name_en="Tea friend", emoji="🍃")).status_code == 303
    bad = await browser.post("/console/missions/badges", name_en="", emoji="🍃")
    assert "a name is needed" in bad.text
    async with site.deps.sessions() as session:
        badge_id = (await badges.listing(session))[0].id
    form = {"name_en": "Tea", "steps": "checked_in 3\norder_placed amount >= 100 currency = CNY", "window": "weekly"}
    made = await browser.post("/console/missions", **form, points="20", badge_id=str(badge_id))
    assert made.status_code == 303, made.text[-3000:]
    here = made.headers["location"]
    shown = (await browser.get(here)).text
    assert "Order placed" in shown
    assert "amount &gt;= 100, currency = CNY" in shown
    async with site.deps.sessions() as session:
        (mission,) = await missions.listing(session)
        assert (mission.window, mission.rewards.points, mission.rewards.badge_id) == (Window.WEEKLY, 20, badge_id)
        assert [one.test for one in mission.steps[1].where] == [Comparison.AT_LEAST, Comparison.EQUALS]
    assert (await browser.post(here, name_en="Tea", points="30")).status_code == 303
    assert (await browser.post(f"{here}/switch", is_active="false")).status_code == 303
    for change, said in (
        ({"steps": "checked_in ??"}, "A step is a line such as"),
        ({"steps": "points_earned 1"}, "cannot be a step"),
        ({"draw_id": "999999", "draw_chances": "1"}, "There is no such draw."),
        ({"badge_id": "999999"}, "There is no such badge."),
    ):
        answer = await browser.post("/console/missions", **{**form, **change})
        assert answer.status_code in {404, 422}, answer.text[-2000:]
        assert said in answer.text


def test_every_error_has_chinese_words() -> None:
    known = translations("zh-CN")
    found = [
        error().detail
        for module in (draw_errors, mission_errors)
        for error in vars(module).values()
        if isinstance(error, type) and error.__module__ == module.__name__
    ]
    assert len(found) > 12
    assert [sentence for sentence in found if sentence not in known] == []


async def test_draws_through_the_api(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        member_id = (await make_member(session)).id
    body: dict[str, Any] = {"name": {"en": "Packets"}, "rules": {"kind": "packets", "points": 10, "packets": 2}}
    async with await site.api("draws:read", "draws:write") as client:
        made = await client.post("/api/v1/draws", json=body)
        assert (made.status_code, made.json()["seed"]) == (201, None)
        here = f"/api/v1/draws/{made.json()['id']}"
        assert (await client.put(here, json={**body, "description": {"en": "For all"}})).status_code == 200
        opened = (await client.post(f"{here}/open")).json()
        assert (opened["seed"], len(opened["commitment"]), "sealed_seed" in opened) == (None, 64, False)
        assert (await client.put(here, json=body)).status_code == 409
        chance = await client.post(f"{here}/chances", json={"member_id": member_id, "count": 1})
        assert (chance.json()["free"], chance.json()["extra"]) == (1, 1)
        plays = [
            (await client.post(f"{here}/plays", json={"member_id": member_id, "key": key})).json() for key in "aab"
        ]
        assert [play["position"] for play in plays] == [1, 1, 2]
        assert (await client.post(f"{here}/plays", json={"member_id": member_id})).status_code == 409
        assert (await client.get(f"{here}/verification")).status_code == 409
        closed = (await client.post(f"{here}/close")).json()
        assert hashlib.sha256(bytes.fromhex(closed["seed"])).hexdigest() == opened["commitment"]
        assert (await client.get(f"{here}/verification")).json()["wrong"] == []
        proof = (await client.get(f"{here}/verification/{member_id}")).json()
        assert [check["recorded"] == check["expected"] for check in proof["checked"]] == [True, True]
        log = (await client.get(f"{here}/plays")).json()["items"]
        assert sum(play["outcome"]["points"] for play in log) == 10
        for wrong in ({**body, "rules": {"kind": "packets", "points": -1, "packets": 2}}, {"name": {"en": "x"}}):
            assert (await client.post("/api/v1/draws", json=wrong)).status_code == 422
        assert (await client.get("/api/v1/missions")).status_code == 403
        assert (await client.get("/api/v1/draws/999999")).status_code == 404


async def test_missions_through_the_api(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        member_id = (await make_member(session)).id
    async with await site.api("missions:read", "missions:write") as client:
        badge = (await client.post("/api/v1/badges", json={"name": {"en": "Tea"}, "emoji": "🍃"})).json()
        steps = [{"event": "order_placed", "where": [{"field": "amount", "test": "at_least", "value": "100"}]}]
        body = {"name": {"en": "Buy"}, "steps": steps, "rewards": {"badge_id": badge["id"]}}
        made = (await client.post("/api/v1/missions", json=body)).json()
        assert made["steps"][0]["count"] == 1
        here = f"/api/v1/missions/{made['id']}"
        changed = (await client.patch(here, json={"rewards": {"points": 5}})).json()
        assert (changed["rewards"]["points"], changed["is_active"], changed["name"]) == (5, True, {"en": "Buy"})
        (standing,) = (await client.get(f"/api/v1/members/{member_id}/missions")).json()["items"]
        assert standing["counts"] == [0]
        given = await client.post(f"/api/v1/badges/{badge['id']}/members", json={"member_id": member_id})
        assert given.status_code == 200
        again = await client.post(f"/api/v1/badges/{badge['id']}/members", json={"member_id": member_id})
        assert again.status_code == 409
        assert len((await client.get(f"/api/v1/members/{member_id}/badges")).json()["items"]) == 1
        assert (await client.patch(f"/api/v1/badges/{badge['id']}", json={"emoji": "🍵"})).json()["held"] == 1
        unknown = {**body, "rewards": {"draw_id": 999999, "draw_chances": 1}}
        assert (await client.post("/api/v1/missions", json=unknown)).status_code == 404
        assert (await client.post("/api/v1/missions", json={**body, "steps": []})).status_code == 422

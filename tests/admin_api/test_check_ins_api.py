"""The API of check-ins: settings, milestones, the leaderboard, and helping one member."""

from typing import Any

import pytest

from crm.audit import service as audit
from crm.check_ins import leaderboards, service
from crm.db import clock
from tests.admin_api.conftest import Site
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member

SETTINGS: dict[str, Any] = {
    "days_back": 7,
    "card_price": 50,
    "cards_for": {"order_placed": 1},
    "insurance": "both",
    "passes_per_month": 1,
    "has_leaderboard": True,
}


async def _checked_in(site: Site) -> int:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        await service.check_in(session, member.id)
    return member.id


async def test_settings_and_milestones(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        coupon = await make_coupon(session)
    async with await site.api("check_ins:read", "check_ins:write") as client:
        assert (await client.get("/api/v1/check-ins/settings")).json()["days_back"] == 0
        chosen = await client.put("/api/v1/check-ins/settings", json=SETTINGS)
        assert chosen.status_code == 200, chosen.text
        assert (await client.get("/api/v1/check-ins/settings")).json() == chosen.json()
        assert (chosen.json()["insurance"], chosen.json()["most_cards"]) == ("both", 10)
        new = {"day": 7, "points": 30, "coupon_id": coupon.id, "badge": {"en": "Tea friend"}}
        made = await client.post("/api/v1/check-ins/milestones", json=new)
        assert made.status_code == 201, made.text
        again = await client.post("/api/v1/check-ins/milestones", json=new)
        assert (again.status_code, again.json()["code"]) == (409, "milestone_taken")
        address = f"/api/v1/check-ins/milestones/{made.json()['id']}"
        changed = await client.patch(address, json={"points": 40, "is_active": False})
        assert (changed.json()["points"], changed.json()["is_active"], changed.json()["day"]) == (40, False, 7)
        assert (await client.patch("/api/v1/check-ins/milestones/999", json={})).status_code == 404
        assert len((await client.get("/api/v1/check-ins/milestones")).json()["items"]) == 1
    async with site.deps.sessions() as session:
        acts = {found.entry.action for found in await audit.latest(session)}
    assert {"check_in.choose", "check_in.add_milestone", "check_in.change_milestone"} <= acts


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"days_back": 93}, "days_back"),
        ({"days_back": -1}, "days_back"),
        ({"card_price": 0}, "card_price"),
        ({"insurance": "luck"}, "insurance"),
        ({"insurance": "passes"}, "passes_per_month"),
        ({"cards_for": {"checked_in": 1}}, "cannot give cards"),
        ({"cards_for": {"order_placed": 10**9}}, "cards_for"),
        ({"places": 51}, "places"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_settings_that_make_no_sense(site: Site, wrong: dict[str, Any], said: str) -> None:
    async with await site.api("check_ins:read", "check_ins:write") as client:
        refused = await client.put("/api/v1/check-ins/settings", json=wrong)
        assert (refused.status_code, said in refused.text) == (422, True), refused.text
        assert (await client.get("/api/v1/check-ins/settings")).json()["days_back"] == 0


async def test_helping_a_member(site: Site) -> None:
    member_id = await _checked_in(site)
    async with site.deps.sessions() as session:
        today = (await clock.now(session)).date()
    here = f"/api/v1/members/{member_id}/check-ins"
    async with await site.api("check_ins:read", "check_ins:assist") as client:
        given = await client.post(f"{here}/cards", json={"count": 2, "reason": "Sorry"})
        assert (given.status_code, given.json()) == (200, {"cards": 2})
        refused = await client.post(f"{here}/cards", json={"count": 100, "reason": "Sorry"})
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_cards")
        for day, code in ((today.isoformat(), "day_not_missed"), ("2001-01-01", "day_out_of_reach")):
            wrong = await client.post(f"{here}/make-ups", json={"day": day, "reason": "Sorry"})
            assert (wrong.status_code, wrong.json()["code"]) == (409, code)
        found = (await client.get(here, params={"month": "1900-01-01"})).json()
        assert (found["calendar"]["days"], found["make_ups"]["cards"], len(found["moves"])) == ([], 2, 1)
        assert (await client.get(here)).json()["calendar"]["total"] == 1
        assert (await client.get("/api/v1/members/999999/check-ins")).status_code == 404
        assert (await client.put("/api/v1/check-ins/settings", json=SETTINGS)).status_code == 403


async def test_the_leaderboard_and_taking_a_member_off(site: Site) -> None:
    member_id = await _checked_in(site)
    async with await site.api() as client:
        off = await client.get("/api/v1/check-ins/leaderboard")
        assert (off.status_code, off.json()["code"]) == (404, "leaderboard_off")
        await client.put("/api/v1/check-ins/settings", json=SETTINGS)
        async with site.deps.sessions.begin() as session:
            await leaderboards.join(session, member_id, alias="Panda")
        found = (await client.get("/api/v1/check-ins/leaderboard", params={"board": "streak"})).json()
        assert [(place["rank"], place["name"], place["value"]) for place in found["places"]] == [(1, "Panda", 1)]
        address = f"/api/v1/check-ins/leaderboard/{member_id}"
        assert (await client.delete(address)).status_code == 204
        assert (await client.delete(address)).status_code == 404
        assert (await client.get("/api/v1/check-ins/leaderboard")).json()["places"] == []

"""The API of tiers: save, preview, publish, refuse with reasons, give by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from crm.kit.clock import process_now
from crm.orders import service as orders
from tests.admin_api.conftest import Site
from tests.factories.members import make_member
from tests.factories.orders import new_order
from tests.factories.tiers import evaluate_all

SILVER = {"key": "silver", "name": {"en": "Silver"}, "enter": "100", "keep": "80"}
GOLD = {"key": "gold", "name": {"en": "Gold"}, "enter": "500", "keep": "400", "multiplier": "1.5"}
RULES: dict[str, Any] = {"measure": "spend", "window": "lifetime", "grace_days": 0, "tiers": [SILVER, GOLD]}


async def _member(site: Site) -> int:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        await orders.record(session, new_order(member.id, "150"))
    return member.id


async def test_a_programme_from_draft_to_members(site: Site) -> None:
    member_id = await _member(site)
    async with await site.api("tiers:read", "tiers:write") as client:
        assert (await client.get("/api/v1/tiers")).json()["live"] is None
        previewed = await client.post("/api/v1/tiers/preview", json=RULES)
        assert (previewed.json()["up"], previewed.json()["then"]) == (1, {"silver": 1})
        draft = await client.put("/api/v1/tiers/draft", json=RULES)
        assert (draft.status_code, draft.json()["status"]) == (200, "draft")
        address = f"/api/v1/tiers/versions/{draft.json()['version']}/publish"
        assert (await client.post(address)).json()["status"] == "live"
        again = await client.post(address)
        assert (again.status_code, again.json()["code"]) == (409, "programme_not_draft")
        async with site.deps.sessions.begin() as session:
            await evaluate_all(session)
        state = (await client.get("/api/v1/tiers")).json()
        assert (state["members"], state["runs"][0]["up"]) == ({"silver": 1}, 1)
        assert [row["status"] for row in (await client.get("/api/v1/tiers/versions")).json()["items"]] == ["live"]
        listed = (await client.get("/api/v1/tiers/members", params={"tier": "silver"})).json()["items"]
        assert [row["member_id"] for row in listed] == [member_id]
        found = (await client.get(f"/api/v1/members/{member_id}/tier")).json()
        assert (found["standing"]["tier"], found["progress"]["missing"]) == ("silver", "350.00")
        assert [row["reason"] for row in found["history"]] == ["programme"]
        now = process_now()
        params = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
        moves = (await client.get("/api/v1/tiers/moves", params=params)).json()["items"]
        assert moves == [{"from_tier": None, "to_tier": "silver", "members": 1}]


async def test_what_is_refused_says_where_and_why(site: Site) -> None:
    async with await site.api("tiers:write", "tiers:read") as client:
        for wrong, path, said in (
            ({"tiers": [GOLD, SILVER]}, "tiers.1.enter", "must ask for more than gold"),
            ({"tiers": [SILVER, {**GOLD, "keep": "90"}]}, "tiers.1.keep", "overlap"),
            ({"tiers": [{**SILVER, "enter": "-1"}]}, "tiers.0.enter", "greater than or equal"),
            ({"tiers": [{**SILVER, "keep": "NaN"}]}, "tiers.0.keep", "finite"),
            ({"window": "rolling"}, "months", "1 to 60"),
            ({"measure": "smiles"}, "measure", "points"),
            ({"surprise": 1}, "surprise", "not permitted"),
        ):
            for method, address in (("PUT", "draft"), ("POST", "preview")):
                answer = await client.request(method, f"/api/v1/tiers/{address}", json={**RULES, **wrong})
                assert answer.status_code == 422, (wrong, answer.text)
                faults = {item["path"]: item["message"] for item in answer.json()["errors"]}
                assert said in faults[path], (wrong, faults)
        coupon = {**SILVER, "monthly_coupon_id": 987654}
        missing = await client.put("/api/v1/tiers/draft", json={**RULES, "tiers": [coupon]})
        assert missing.json()["code"] == "coupon_not_found"
        assert (await client.get("/api/v1/tiers")).json()["draft"] is None
        assert (await client.post("/api/v1/tiers/versions/987654/publish")).status_code == 404


async def test_a_tier_by_hand(site: Site) -> None:
    member_id = await _member(site)
    here = f"/api/v1/members/{member_id}/tier"
    until = (process_now() + timedelta(days=10)).isoformat()
    body = {"tier": "gold", "until": until, "reason": "A good guest"}
    async with await site.api("tiers:write", "tiers:read", "tiers:grant") as client:
        assert (await client.post(f"{here}/grant", json=body)).json()["code"] == "no_programme"
        draft = (await client.put("/api/v1/tiers/draft", json=RULES)).json()
        await client.post(f"/api/v1/tiers/versions/{draft['version']}/publish")
        assert (await client.post(f"{here}/end-grant")).json()["code"] == "no_grant"
        for wrong, code in (
            ({"tier": "platinum"}, "unknown_tier"),
            ({"until": "2020-01-01T00:00:00Z"}, "invalid_grant"),
            ({"reason": "\u0007"}, "invalid_grant"),
        ):
            answer = await client.post(f"{here}/grant", json={**body, **wrong})
            assert (answer.status_code, answer.json()["code"]) == (422, code)
        given = (await client.post(f"{here}/grant", json=body)).json()
        assert (given["tier"], given["earned"], given["grant"]["reason"]) == ("gold", "silver", "A good guest")
        profile = (await client.get(here)).json()["progress"]
        assert Decimal(profile["tier"]["multiplier"]) == Decimal("1.5")
        assert (await client.post(f"{here}/end-grant")).json()["tier"] == "silver"
        assert (await client.post("/api/v1/members/987654/tier/grant", json=body)).status_code == 404

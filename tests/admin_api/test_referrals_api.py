"""The API of referrals: programmes, the queue, decisions, the tree, and taking back."""

from typing import Any

from crm.referrals.service import links
from crm.referrals.types import Limits
from tests.admin_api.conftest import Site
from tests.factories.referrals import befriend, make_programme, make_referrer

TERMS: dict[str, Any] = {
    "act": "order",
    "minimum_order": "50",
    "referrer": {"points": 100},
    "friend": {"points": 50},
    "levels": [{"friends": 3, "points": 300}],
    "qualify_days": 30,
    "budget_points": 10000,
}


async def test_programmes_are_made_and_changed(site: Site) -> None:
    async with await site.api("referrals:read", "referrals:write") as client:
        body = {"name": "Bring a friend", "headline": {"en": "Tea for two"}, "terms": TERMS}
        made = await client.post("/api/v1/referral-programmes", json=body)
        assert made.status_code == 201
        programme = made.json()["programme"]
        assert programme["terms"]["levels"] == [{"friends": 3, "gift": {"points": 300, "coupon_id": None}}]
        assert programme["terms"]["limits"]["per_hour"] == 10
        again = await client.post("/api/v1/referral-programmes", json=body)
        assert (again.status_code, again.json()["code"]) == (409, "referral_programmes_overlap")
        address = f"/api/v1/referral-programmes/{programme['id']}"
        for wrong in ({"second_percent": 101}, {"referrer": {"points": -1}}, {"minimum_order": "-1"}, {"act": "x"}):
            assert (await client.patch(address, json={"terms": {**TERMS, **wrong}})).status_code == 422
        changed = await client.patch(address, json={"is_active": False})
        assert changed.json()["programme"]["is_active"] is False
        assert [row["name"] for row in (await client.get("/api/v1/referral-programmes")).json()["items"]] == [
            "Bring a friend"
        ]
        unknown = await client.get("/api/v1/referral-programmes/404404")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "referral_programme_not_found")


async def test_from_the_queue_to_taking_back(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        await make_programme(session, limits=Limits(per_hour=1))
        referrer = await make_referrer(session)
        await links.code_of(session, referrer)
        counted, good, bad = [await befriend(session, referrer, f"Friend {number}") for number in range(3)]
    async with await site.api("referrals:read", "referrals:review") as client:
        queue = (await client.get("/api/v1/referrals", params={"status": "review", "limit": 1})).json()
        assert [row["id"] for row in queue["items"]] == [str(bad.id)]
        assert queue["items"][0]["doubts"] == [{"flag": "velocity", "detail": "3 in an hour"}]
        page = {"status": "review", "limit": 1, "cursor": queue["next_cursor"]}
        assert [row["id"] for row in (await client.get("/api/v1/referrals", params=page)).json()["items"]] == [
            str(good.id)
        ]
        approved = await client.post(f"/api/v1/referrals/{good.id}/approve", json={"reason": "I know them"})
        assert (approved.json()["referral"]["status"], len(approved.json()["given"])) == ("qualified", 2)
        rejected = await client.post(f"/api/v1/referrals/{bad.id}/reject", json={"reason": "A fake"})
        assert (rejected.json()["referral"]["status"], rejected.json()["given"]) == ("rejected", [])
        late = await client.post(f"/api/v1/referrals/{bad.id}/approve", json={"reason": "Sorry"})
        assert (late.status_code, late.json()["code"]) == (409, "not_in_review")
        found = (await client.get(f"/api/v1/members/{referrer}/referrals")).json()
        assert [row["status"] for row in found["invitees"]] == ["qualified", "qualified", "rejected"]
        assert (found["standing"]["qualified"], found["standing"]["points"], found["invited_by"]) == (2, 200, None)
        address = f"/api/v1/members/{referrer}/referrals/clawback"
        preview = (await client.get(address)).json()
        assert (preview["referrals"], preview["points"], preview["members"]) == (2, 300, 3)
        assert (await client.post(address, json={"reason": "Fakes"})).json() == preview
        assert (await client.post(address, json={"reason": "Fakes"})).json()["referrals"] == 0
        assert (await client.get(f"/api/v1/referrals/{counted.id}")).json()["referral"]["status"] == "void"
        assert (await client.post(address, json={"reason": ""})).status_code == 422


async def test_looking_is_not_deciding(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        referrer = await make_referrer(session)
    async with await site.api("referrals:read") as client:
        address = f"/api/v1/members/{referrer}/referrals/clawback"
        assert (await client.post(address, json={"reason": "x"})).status_code == 403
        assert (await client.get(address)).status_code == 403
        assert (await client.get(f"/api/v1/members/{referrer}/referrals")).json()["links"] == []

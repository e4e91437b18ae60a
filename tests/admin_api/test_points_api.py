"""Pending and held points, reversals, past balances and refunds by API, and on the pages of the console."""

from datetime import timedelta

from crm.brand import service as brands
from crm.db import clock
from crm.points import holds, pending, service
from tests.admin_api.conftest import Site
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

PATH = "/api/v1/points"


async def _member(site: Site, had: int = 100) -> int:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        await give(session, member.id, had)
    return member.id


async def _later(site: Site, hours: int = 1) -> str:
    async with site.deps.sessions() as session:
        return (await clock.now(session) + timedelta(hours=hours)).isoformat()


async def test_points_are_held_then_spent_or_given_back_once(site: Site) -> None:
    member_id = await _member(site)
    asked = {"member_id": member_id, "points": 30, "reason": "order 7", "until": await _later(site)}
    async with await site.api() as client:
        held = [(await client.post(f"{PATH}/holds", json={**asked, "key": "7"})).json() for _ in range(2)]
        assert [(item["key"], item["posting"]["is_new"]) for item in held] == [("api:7", True), ("api:7", False)]
        other = (await client.post(f"{PATH}/holds", json=asked)).json()
        listed = (await client.get(f"/api/v1/members/{member_id}/points/holds")).json()
        assert {item["key"] for item in listed} == {"api:7", other["key"]}
        spent = await client.post(f"{PATH}/holds/post", json={"key": "api:7"})
        assert (spent.status_code, spent.json()["points"]) == (200, -30)
        refused = await client.post(f"{PATH}/holds/void", json={"key": "api:7"})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:siyu:problem:hold_resolved")
        back = await client.post(f"{PATH}/holds/void", json={"key": other["key"]})
        assert back.json()["balance"] == 70
        too_many = await client.post(f"{PATH}/holds", json={**asked, "points": 71})
        assert (too_many.status_code, too_many.json()["balance"]) == (409, 70)
        unknown = await client.post(f"{PATH}/holds/post", json={"key": "nowhere"})
        late = await client.post(f"{PATH}/holds", json={**asked, "until": "2020-01-01T00:00:00Z"})
        assert (unknown.status_code, late.status_code) == (404, 422)
        reversed_ = await client.post(
            f"{PATH}/reverse", json={"transaction_id": spent.json()["transaction_id"], "reason": "sold out"}
        )
        assert reversed_.json()["balance"] == 100
        again = await client.post(
            f"{PATH}/reverse", json={"transaction_id": spent.json()["transaction_id"], "reason": "sold out"}
        )
        assert again.status_code == 409
    async with site.deps.sessions() as session:
        await assert_sound(session)


async def test_pending_points_are_given_activated_and_cancelled(site: Site) -> None:
    member_id = await _member(site, 1)
    asked = {"member_id": member_id, "points": 30, "reason": "A promise"}
    validity = {"expires_after_months": 12, "expires_round_to": "year", "expiry_counts_from": "activation"}
    async with await site.api() as client:
        keys = []
        for more in ({"key": "a"}, {"activates_at": await _later(site), "validity": validity}):
            made = await client.post(f"{PATH}/pending", json={**asked, **more})
            assert (made.status_code, made.json()["posting"]["balance"]) == (200, 1)
            keys.append(made.json()["key"])
        listed = (await client.get(f"/api/v1/members/{member_id}/points/pending")).json()
        assert [item["key"] for item in listed] == [keys[1], "api:a"]
        active = await client.post(f"{PATH}/pending/activate", json={"key": "api:a"})
        assert active.json()["balance"] == 31
        gone = await client.post(f"{PATH}/pending/cancel", json={"key": keys[1], "reason": "Returned"})
        assert (gone.json()["points"], gone.json()["balance"]) == (-30, 31)
        twice = await client.post(f"{PATH}/pending/activate", json={"key": keys[1]})
        wrong = await client.post(f"{PATH}/pending", json={**asked, "validity": {"expires_on": "02-30"}})
        assert (twice.status_code, wrong.status_code) == (409, 422)
        now = (await client.get(f"/api/v1/members/{member_id}/points/balance")).json()
        past = await client.get(
            f"/api/v1/members/{member_id}/points/balance", params={"at": "2020-01-01T00:00:00+08:00"}
        )
        ahead = await client.get(f"/api/v1/members/{member_id}/points/balance", params={"at": "2120-01-01T00:00:00Z"})
    assert (now["balance"], now["pending"], past.json()["balance"], ahead.status_code) == (31, 0, 0, 422)


async def test_an_order_is_refunded_once_per_key(site: Site) -> None:
    member_id = await _member(site)
    order = {
        "member_id": member_id,
        "external_id": "A-1",
        "amount": "100.00",
        "currency": "CNY",
        "placed_at": "2026-03-01T08:00:00+08:00",
    }
    async with await site.api() as client:
        await client.post("/api/v1/orders", json=order)
        refund = {"external_id": "A-1", "amount": "40.00", "key": "r1"}
        answers = [await client.post("/api/v1/orders/refund", json=refund) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[1].json()["order"]["refunded"] == "40.00"
        rest = await client.post("/api/v1/orders/refund", json={"external_id": "A-1", "key": "r2"})
        assert (rest.json()["amount"], rest.json()["order"]["status"]) == ("60.00", "refunded")
        again = await client.post("/api/v1/orders/refund", json={"external_id": "A-1", "key": "r3"})
        lost = await client.post("/api/v1/orders/refund", json={"external_id": "B-1", "key": "r3"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:siyu:problem:order_refunded_before")
    assert lost.status_code == 404


async def test_the_page_settles_what_is_set_aside_and_tells_the_past(site: Site) -> None:
    member_id = await _member(site)
    async with site.deps.sessions.begin() as session:
        until = await clock.now(session) + timedelta(hours=1)
        await holds.hold(session, member_id, 30, reason="order 7", key="h", until=until)
        for key in ("a", "b"):
            await pending.earn(session, member_id, 5, rule="order_rate", key=key)
    browser = await site.browser()
    await browser.post("/console/locale", locale="zh-CN", next="")
    here = f"/console/members/{member_id}/points"
    page = (await browser.get(here)).text
    assert all(word in page for word in ("待生效积分", "预留积分", "order 7", "立即生效"))
    for act, key in (("activate", "a"), ("cancel", "b"), ("void", "h")):
        assert (await browser.post(f"{here}/settle", act=act, key=key)).status_code == 303
    refused = await browser.post(f"{here}/settle", act="void", key="h")
    assert refused.status_code == 303
    conflict = await browser.post(f"{here}/settle", act="cancel", key="a")
    assert conflict.status_code == 409
    assert "之前已经生效或取消" in conflict.text
    assert (await browser.post(f"{here}/settle", act="burn", key="a")).status_code == 422
    async with site.deps.sessions() as session:
        found = await service.summary(session, member_id)
        await assert_sound(session)
    assert (found.balance, found.pending, found.held) == (105, [], [])
    past = await browser.get(f"{here}?at=2020-01-01T08:00")
    assert (past.status_code, "时刻" in past.text) == (200, True)
    for wrong in ("2120-01-01T08:00", "yesterday"):
        assert (await browser.get(f"{here}?at={wrong}")).status_code == 422


async def test_the_brand_chooses_what_becomes_of_spent_points(site: Site) -> None:
    async with await site.api() as client:
        changed = await client.patch("/api/v1/brand", json={"points_shortfall": "write_off"})
        wrong = await client.patch("/api/v1/brand", json={"points_shortfall": "forgive"})
    assert (changed.json()["points_shortfall"], wrong.status_code) == ("write_off", 422)
    browser = await site.browser()
    await browser.get("/console/settings/brand")
    async with site.deps.sessions() as session:
        assert (await brands.get(session)).points_shortfall == "write_off"

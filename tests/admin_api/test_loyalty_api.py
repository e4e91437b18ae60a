"""Coupons, vouchers, rewards and redemptions over the API: whole lives, refusals, repeated and hostile requests."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crm.audit import service as audit
from crm.members.types import Member
from crm.points import service as points
from crm.rewards.service import fulfilment
from tests.admin_api.conftest import Site
from tests.factories.members import make_member
from tests.factories.points import give

API = "/api/v1"
TEN_OFF = {"name": {"en": "Ten off", "zh-CN": "立减十元"}, "terms": {"kind": "fixed", "value": "10"}}
GOODS = {"name": {"en": "Tin of tea"}, "kind": "goods", "price": {"points": 50}}
ADDRESS = "Li Hua, 1 West Lake Road, Hangzhou"
_RUN_OUT = text("UPDATE vouchers SET expires_at = now() - interval '1 minute'")
LONG_AGO, LATER = "2020-01-01T00:00:00Z", "2500-01-01T00:00:00Z"


async def _member(site: Site, owned: int = 1000) -> Member:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        await give(session, member.id, owned)
        return member


async def _made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/{path}", json={**body, **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _said(client: httpx.AsyncClient, path: str, expected: int = 200, /, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == expected, answer.text
    return dict(answer.json())


async def _issued(client: httpx.AsyncClient, member: Member, **terms: Any) -> str:
    coupon = await _made(client, "coupons", TEN_OFF, terms={"kind": "fixed", "value": "10", **terms})
    return str((await _said(client, f"coupons/{coupon['id']}/issue", member_id=member.id))["code"])


async def _balance(site: Site, member: Member) -> int:
    async with site.deps.sessions() as session:
        return await points.balance(session, member.id)


async def test_from_coupon_to_voucher_to_use_and_back(site: Site) -> None:
    member = await _member(site)
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF)
        here = f"coupons/{coupon['id']}"
        voucher = await _said(client, f"{here}/issue", member_id=member.id, key="order-1")
        assert (await _said(client, f"{here}/issue", member_id=member.id, key="order-1"))["id"] == voucher["id"]
        code = voucher["code"]
        checked = await _said(client, "vouchers/check", code=code.lower(), amount="99.50", member_id=member.id)
        assert (checked["verdict"], checked["discount"]) == ("valid", "10.00")
        used = await _said(client, "vouchers/use", codes=[code], key="R-1", amount="99.50", reference="R-1")
        again = await _said(client, "vouchers/use", codes=[code], key="R-1", amount="99.50", reference="R-1")
        assert (used["discount"], used["is_new"], again["is_new"]) == ("10.00", True, False)
        refused = await _said(client, "vouchers/use", 409, codes=[code], key="R-2")
        assert refused["code"] == "voucher_used"
        await _said(client, "vouchers/roll-back", code=code, reason="bill cancelled")
        assert (await _said(client, "vouchers/roll-back", 409, code=code, reason="again"))["code"] == "voucher_not_used"
        await _said(client, f"vouchers/{voucher['id']}/cancel", reason="not needed")
        shown = (await client.get(f"{API}/vouchers/{voucher['id']}")).json()
        assert [line["act"] for line in shown["log"]] == ["issued", "used", "rolled_back", "cancelled"]
        figures = (await client.get(f"{API}/{here}")).json()
        assert (figures["issued"], figures["used"]) == (1, 0)
    async with site.deps.sessions() as session:
        acts = {found.entry.action for found in await audit.latest(session)}
    assert {"coupon.create", "voucher.issue", "voucher.use", "voucher.roll_back", "voucher.cancel"} <= acts


async def test_from_reward_to_goods_on_their_way(site: Site) -> None:
    member = await _member(site, 120)
    async with await site.api() as client:
        reward = await _made(client, "rewards", GOODS, stock=2, needs_address=True)
        order = {"member_id": member.id, "reward_id": reward["id"]}
        assert (await _said(client, "redemptions", 422, **order))["code"] == "invalid_address"
        taken = await _said(client, "redemptions", 201, **order, address=ADDRESS, key="one")
        repeated = await _said(client, "redemptions", 201, **order, address=ADDRESS, key="one")
        assert (taken["id"], taken["balance"], await _balance(site, member)) == (repeated["id"], 70, 70)
        here = f"redemptions/{taken['id']}"
        assert ADDRESS not in (await client.get(f"{API}/{here}")).text
        assert (await _said(client, f"{here}/address"))["address"] == ADDRESS
        for status, answer in (("prepared", 200), ("issued", 409), ("shipped", 200), ("prepared", 409)):
            await _said(client, f"{here}/status", answer, status=status, tracking="SF1")
        assert (await _said(client, f"{here}/cancel", 409, reason="late"))["code"] == "redemption_settled"
        listed = (await client.get(f"{API}/redemptions", params={"status": "shipped"})).json()["items"]
        assert [item["id"] for item in listed] == [taken["id"]]


async def test_a_redemption_that_is_taken_back_gives_everything_back(site: Site) -> None:
    member = await _member(site, 50)
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF)
        gives = {"kind": "voucher", "coupon_id": coupon["id"], "stock": 1, "access": {"limit_per_member": 1}}
        reward = await _made(client, "rewards", GOODS, **gives)
        order = {"member_id": member.id, "reward_id": reward["id"]}
        taken = await _said(client, "redemptions", 201, **order)
        assert (await _said(client, "redemptions", 409, **order))["code"] in {"reward_limit", "reward_out_of_stock"}
        await _said(client, f"redemptions/{taken['id']}/cancel", reason="wrong one")
        assert await _balance(site, member) == 50
        assert (await client.get(f"{API}/vouchers/{taken['voucher_id']}")).json()["voucher"]["status"] == "cancelled"
        assert (await client.get(f"{API}/rewards/{reward['id']}")).json()["stock"] == 1
        await _said(client, "redemptions", 201, **order)


async def test_a_voucher_that_was_used_keeps_its_redemption(site: Site) -> None:
    member = await _member(site, 50)
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF)
        reward = await _made(client, "rewards", GOODS, kind="voucher", coupon_id=coupon["id"])
        taken = await _said(client, "redemptions", 201, member_id=member.id, reward_id=reward["id"])
        code = (await client.get(f"{API}/vouchers/{taken['voucher_id']}")).json()["voucher"]["code"]
        await _said(client, "vouchers/use", codes=[code])
        refused = await _said(client, f"redemptions/{taken['id']}/cancel", 409, reason="had it already")
        assert refused["code"] == "voucher_used"
    assert await _balance(site, member) == 0


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("coupons:read", "POST", "coupons"),
        ("coupons:write", "POST", "coupons/1/issue"),
        ("coupons:read", "POST", "vouchers/check"),
        ("vouchers:issue", "POST", "vouchers/use"),
        ("vouchers:verify", "GET", "vouchers"),
        ("rewards:read", "PUT", "rewards/1/stock"),
        ("rewards:write", "POST", "redemptions"),
        ("redemptions:write", "POST", "redemptions/018f0000-0000-7000-8000-000000000000/address"),
    ],
)
async def test_a_key_does_only_what_it_is_for(site: Site, scope: str, method: str, path: str) -> None:
    async with await site.api(scope) as client:
        answer = await client.request(method, f"{API}/{path}", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_a_voucher_of_another_member_is_refused(site: Site) -> None:
    owner, other = await _member(site), await _member(site)
    async with await site.api() as client:
        code = await _issued(client, owner)
        assert (await _said(client, "vouchers/check", code=code, member_id=other.id))["verdict"] == "not_yours"
        refused = await _said(client, "vouchers/use", 409, codes=[code], member_id=other.id, key="k")
        assert refused["code"] == "voucher_not_yours"
        await _said(client, "vouchers/use", codes=[code], member_id=owner.id, key="k")


async def test_codes_with_faults_are_refused_all_together(site: Site) -> None:
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF, code_source="pool")
        here = f"coupons/{coupon['id']}/codes"
        doubled = await _said(client, here, 422, codes=["TEA-0001", "tea 0001", "x"])
        assert doubled["code"] == "invalid_codes"
        assert {item["path"] for item in doubled["errors"]} == {"line 2", "line 3"}
        assert (await client.get(f"{API}/coupons/{coupon['id']}")).json()["codes_left"] == 0
        assert await _said(client, here, codes=["TEA-0001", "", "TEA-0002"]) == {"added": 2, "left": 2}
        known = await _said(client, here, 422, codes=["TEA-0003", "TEA0001"])
        assert "TEA0001" in known["detail"]
        assert (await client.get(f"{API}/coupons/{coupon['id']}")).json()["codes_left"] == 2


async def test_nothing_is_had_of_what_is_over_empty_or_not_there_yet(site: Site) -> None:
    member = await _member(site)
    async with await site.api() as client:
        for terms, code in (
            ({"starts_at": LONG_AGO, "ends_at": "2021-01-01T00:00:00Z"}, "coupon_ended"),
            ({"starts_at": LATER}, "coupon_not_yet"),
        ):
            coupon = await _made(client, "coupons", TEN_OFF, terms={"kind": "gift", **terms})
            refused = await _said(client, f"coupons/{coupon['id']}/issue", 409, member_id=member.id)
            assert refused["code"] == code
        for changes, code in (
            ({"stock": 0}, "reward_out_of_stock"),
            ({"price": {"points": 5000}}, "insufficient_points"),
            ({"access": {"tiers": [], "tier_limits": {}, "ends_at": LONG_AGO}}, "reward_ended"),
        ):
            reward = await _made(client, "rewards", GOODS, **changes)
            refused = await _said(client, "redemptions", 409, member_id=member.id, reward_id=reward["id"])
            assert refused["code"] == code
    assert await _balance(site, member) == 1000


async def test_a_voucher_that_ran_out_is_refused(site: Site) -> None:
    member = await _member(site)
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF, terms={"kind": "gift", "valid_days": 2})
        code = (await _said(client, f"coupons/{coupon['id']}/issue", member_id=member.id))["code"]
        async with site.deps.sessions.begin() as session:
            await session.execute(_RUN_OUT)
        assert (await _said(client, "vouchers/check", code=code))["verdict"] == "expired"
        assert (await _said(client, "vouchers/use", 409, codes=[code]))["code"] == "voucher_expired"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("coupons", {**TEN_OFF, "terms": {"kind": "fixed", "value": "-1"}}),
        ("coupons", {**TEN_OFF, "terms": {"kind": "fixed", "value": "0.001"}}),
        ("coupons", {**TEN_OFF, "terms": {"kind": "percent", "value": "100.01"}}),
        ("coupons", {**TEN_OFF, "terms": {"kind": "fixed", "value": "NaN"}}),
        ("coupons", {**TEN_OFF, "terms": {"kind": "gift", "limit_total": 10**30}}),
        ("coupons", {**TEN_OFF, "name": {}}),
        ("coupons", {**TEN_OFF, "shared_code": "x"}),
        ("rewards", {**GOODS, "price": {"points": -5}}),
        ("rewards", {**GOODS, "price": {"points": 10**18}}),
        ("rewards", {**GOODS, "price": {"points": 1.5}}),
        ("rewards", {**GOODS, "stock": -1}),
        ("rewards", {**GOODS, "kind": "voucher"}),
        ("vouchers/check", {"code": "x" * 101}),
        ("vouchers/check", {"code": "TEA", "amount": "-1"}),
        ("vouchers/use", {"codes": []}),
        ("vouchers/use", {"codes": ["A" * 8] * 11}),
        ("vouchers/use", {"codes": ["TEA-0001", "tea0001"]}),
        ("redemptions", {"member_id": 2**63, "reward_id": 1}),
    ],
)
async def test_hostile_values_are_refused_with_a_reason(site: Site, path: str, body: dict[str, Any]) -> None:
    async with await site.api() as client:
        answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_vouchers_that_do_not_combine_are_all_left_alone(site: Site) -> None:
    member = await _member(site)
    async with await site.api() as client:
        first, second = await _issued(client, member), await _issued(client, member, stacking="any")
        refused = await _said(client, "vouchers/use", 409, codes=[first, second], key="k")
        assert refused["code"] == "vouchers_do_not_combine"
        third, fourth = await _issued(client, member, stacking="any"), second
        done = await _said(client, "vouchers/use", codes=[third, fourth], key="k", amount="15")
        assert done["discount"] == "15.00"
        other = await _said(client, "vouchers/use", 409, codes=[first], key="k")
        assert other["code"] == "use_key_reused"


async def test_many_tills_at_once_use_a_voucher_once(committed_site: Site) -> None:
    member = await _member(committed_site)
    async with await committed_site.api() as client:
        code = await _issued(client, member)
        uses = (client.post(f"{API}/vouchers/use", json={"codes": [code], "key": f"till-{n}"}) for n in range(20))
        answers = await asyncio.gather(*uses)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"voucher_used"}


async def test_the_last_one_goes_to_one_of_many(committed_site: Site) -> None:
    members = [await _member(committed_site, 60) for _ in range(8)]
    async with await committed_site.api() as client:
        reward = await _made(client, "rewards", GOODS, stock=1)
        body = {"reward_id": reward["id"]}
        wishes = (client.post(f"{API}/redemptions", json={**body, "member_id": one.id}) for one in members)
        answers = await asyncio.gather(*wishes)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    async with committed_site.deps.sessions() as session:
        assert len((await fulfilment.listing(session)).items) == 1
    balances = sorted([await _balance(committed_site, one) for one in members])
    assert balances == [10] + [60] * 7


async def test_codes_of_a_pool_are_made_ahead(site: Site) -> None:
    member = await _member(site)
    async with await site.api() as client:
        coupon = await _made(client, "coupons", TEN_OFF, code_source="pool")
        here = f"coupons/{coupon['id']}"
        assert await _said(client, f"{here}/codes", codes=["TEA-0001"]) == {"added": 1, "left": 1}
        made = {"count": 5003, "pattern": "tea-****-****"}
        assert await _said(client, f"{here}/codes/new", **made) == {"added": 5003, "left": 5004}
        for wrong in (
            {"count": 0},
            {"count": 100_001},
            {"count": 5, "pattern": "TEA-##"},
            {"count": 5, "pattern": "é*******"},
        ):
            refused = await _said(client, f"{here}/codes/new", 422, **wrong)
            assert refused["detail"]
        own = await _made(client, "coupons", TEN_OFF)
        assert (await _said(client, f"coupons/{own['id']}/codes/new", 422, count=1))["code"] == "invalid_coupon"
        code = (await _said(client, f"{here}/issue", member_id=member.id))["code"]
        lines = (await client.get(f"{API}/{here}/codes/file")).text.removeprefix("\ufeff").splitlines()
        assert (lines[0], lines[1], code) == ("code,is_taken", "TEA0001,true", "TEA0001")
        codes = [line.removesuffix(",false") for line in lines[2:]]
        assert len(codes) == len(set(codes)) == 5003
        assert all(len(one) == 11 and one.startswith("TEA") for one in codes)
    async with await site.api("coupons:read") as client:
        assert (await client.get(f"{API}/{here}/codes/file")).status_code == 403
    browser = await site.browser()
    page = f"/console/{here}"
    faulty = await browser.post(f"{page}/codes/new", count="many", pattern="TEA-****-****")
    assert (faulty.status_code, 'value="many"' in faulty.text) == (422, True)
    guessed = await browser.post(f"{page}/codes/new", count="5", pattern="TEA-#")
    assert (guessed.status_code, "could be guessed" in guessed.text) == (422, True)
    assert (await browser.post(f"{page}/codes/new", count="3", pattern="")).status_code == 303
    assert len((await browser.get(f"{page}/codes/file")).text.splitlines()) == 5008

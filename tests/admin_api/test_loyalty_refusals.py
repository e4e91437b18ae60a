"""What loyalty must refuse over the API: the status, words that say why, and not one row more than before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.coupons.service import holding
from crm.coupons.types import CodeSource
from crm.db import clock
from crm.events import service as events
from crm.points import service as points
from crm.referrals.service import links
from tests.acceptance.refusals import refused
from tests.admin_api.conftest import Site
from tests.factories.loyalty import issue, make_coupon, make_reward
from tests.factories.members import make_member
from tests.factories.orders import new_order
from tests.factories.points import assert_sound, give
from tests.factories.referrals import make_programme

_TABLES = (
    *("ledger_transactions", "ledger_entries", "ledger_keys", "point_lots", "lot_uses", "pending_points"),
    *("point_holds", "earning_rules", "earning_rule_versions", "earning_counters", "earning_replays"),
    *("tier_programmes", "tier_standings", "tier_history", "coupons", "coupon_codes", "coupon_member_counts"),
    *("vouchers", "voucher_codes", "voucher_keys", "voucher_log", "voucher_use_keys", "rewards"),
    *("reward_member_counts", "redemptions", "redemption_keys", "referrals", "referral_rewards", "orders", "events"),
)
_STATE = text(
    "SELECT"
    " (SELECT coalesce(sum(balance + 3 * debt + 7 * pending + 11 * held), 0)::bigint FROM point_accounts) AS held,"
    " (SELECT coalesce(sum(stock * 3 + redeemed), 0)::bigint FROM rewards) AS stock,"
    " (SELECT coalesce(sum(issued), 0)::bigint FROM coupons) AS issued,"
    " (SELECT string_agg(status || coalesce(used_key, ''), ',' ORDER BY id) FROM vouchers) AS vouchers,"
    " (SELECT string_agg(status || refunded, ',' ORDER BY id) FROM orders) AS orders"
)
HUGE, MORE_THAN_A_BIGINT = 10**9 + 1, 2**70
RULE = {"kind": "check_in", "name": "Daily", "parameters": {"points": 5}}
SILVER = {"key": "silver", "name": {"en": "Silver"}, "enter": "100", "keep": "80"}
GOLD = {"key": "gold", "name": {"en": "Gold"}, "enter": "500", "keep": "90"}
OVERLAPPING = {"measure": "spend", "window": "lifetime", "tiers": [SILVER, GOLD]}
LATER = "2400-01-01T00:00:00Z"


async def _state(session: AsyncSession) -> dict[str, Any]:
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in _TABLES)
    rows = {row[0]: row[1] for row in await session.execute(text(counted))}
    return rows | dict((await session.execute(_STATE)).mappings().one())


@asynccontextmanager
async def nothing_changed(site: Site) -> AsyncIterator[None]:
    """The block leaves every row of loyalty as it was, and the ledger sound."""
    async with site.deps.sessions() as session:
        before = await _state(session)
    yield
    async with site.deps.sessions() as session:
        assert await _state(session) == before
        await assert_sound(session)


async def _shop(site: Site) -> dict[str, Any]:
    """Two members, one with points, and one thing of each kind that can be refused; by the names of the requests."""
    async with site.deps.sessions.begin() as session:
        member, other = await make_member(session), await make_member(session)
        given = await give(session, member.id, 100)
        now = await clock.now(session)
        voucher = await issue(session, other.id, await make_coupon(session))
        await make_coupon(session, shared_code="OVER2025", ends_at=now - timedelta(days=1))
        pool = await make_coupon(session, code_source=CodeSource.POOL)
        empty = await make_reward(session, points=1, stock=0)
        await make_programme(session)
        return {
            "member": member.id,
            "other": other.id,
            "posting": str(given.transaction_id),
            "voucher": voucher.code,
            "pool": pool.id,
            "empty": empty.id,
            "own_code": await links.code_of(session, member.id),
        }


def _filled(value: Any, shop: dict[str, Any]) -> Any:
    """The request with names such as `{member}` put in place."""
    if isinstance(value, dict):
        return {name: _filled(item, shop) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, shop) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return shop[value[1:-1]]
    return value


Case = tuple[str, dict[str, Any], int, str, list[str]]
_GRANT = {"member_id": "{member}", "reason": "x"}
NEGATIVE_OR_HUGE: list[Case] = [
    ("members/{member}/points/adjust", {"points": -101, "reason": "x"}, 409, "insufficient_points", ["not enough"]),
    ("members/{member}/points/adjust", {"points": 0, "reason": "x"}, 422, "points_out_of_range", ["whole number"]),
    ("members/{member}/points/adjust", {"points": HUGE, "reason": "x"}, 422, "invalid_request", ["1000000000"]),
    ("members/{member}/points/adjust", {"points": -HUGE, "reason": "x"}, 422, "invalid_request", ["-1000000000"]),
    ("members/{member}/points/adjust", {"points": 1.5, "reason": "x"}, 422, "invalid_request", ["integer"]),
    ("points/pending", {**_GRANT, "points": -5}, 422, "invalid_request", ["points", "greater than or equal to 1"]),
    ("points/pending", {**_GRANT, "points": MORE_THAN_A_BIGINT}, 422, "invalid_request", ["1000000000"]),
    ("points/holds", {**_GRANT, "points": 0, "until": LATER}, 422, "invalid_request", ["greater than or equal to 1"]),
    ("points/holds", {**_GRANT, "points": 101, "until": LATER}, 422, "invalid_hold", ["366 days"]),
    ("earning-rules", {**RULE, "parameters": {"points": -5}}, 422, "invalid_rule", ["greater than or equal to 1"]),
    ("earning-rules", {**RULE, "parameters": {"points": HUGE}}, 422, "invalid_rule", ["1000000000"]),
    ("redemptions", {"member_id": "{member}", "reward_id": MORE_THAN_A_BIGINT}, 422, "invalid_request", ["reward_id"]),
]
FORMULAS: list[Case] = [
    ("earning-rules", {**RULE, "terms": {"formula": formula}}, 422, "invalid_rule", ["terms.formula", words])
    for formula, words in (
        ("event.nothing + 1", "has("),
        ("points / 0", "divides by zero"),
        ("1.0 / 0.0", "no finite number"),
        ("[1].map(a, [2].map(b, [3].map(c, c))).size()", "loop"),
        ("[1, 2].map(a, a", "cannot be read"),
        ("points * 1000000000000", "more than 1000000000"),
        ("0 - points", "less than nothing"),
        ("'many'", "not a number"),
        ("(" * 30 + "1" + ")" * 30, "nested"),
    )
]
OTHERS: list[Case] = [
    ("tiers/preview", OVERLAPPING, 422, "invalid_programme", ["tiers.1.keep", "overlap"]),
    ("redemptions", {"member_id": "{member}", "reward_id": "{empty}"}, 409, "reward_out_of_stock", ["last one"]),
    ("vouchers/claim", {"member_id": "{member}", "code": "over-2025"}, 409, "coupon_ended", ["time is over"]),
    ("vouchers/claim", {"member_id": "{member}", "code": "NOBODYS"}, 404, "coupon_not_found", ["typed right"]),
    ("vouchers/use", {"codes": ["{voucher}"], "member_id": "{member}"}, 409, "voucher_not_yours", ["another member"]),
    (
        "coupons/{pool}/codes",
        {"codes": ["TEA-0001", "TEA-0002", "tea 0001"]},
        422,
        "invalid_codes",
        ["line 3", "the same code as in line 1"],
    ),
    ("referrals", {"member_id": "{member}", "code": "{own_code}"}, 409, "own_referral_code", ["invite themselves"]),
    ("referrals", {"member_id": "{other}", "code": "i-nobody"}, 404, "referral_code_not_found", ["no personal link"]),
]


@pytest.mark.parametrize("cases", [NEGATIVE_OR_HUGE, FORMULAS, OTHERS], ids=["points", "formulas", "others"])
async def test_what_makes_no_sense_is_refused_with_words_and_nothing_is_half_done(
    site: Site, cases: list[Case]
) -> None:
    shop = await _shop(site)
    async with await site.api() as client:
        for path, body, status, code, words in cases:
            async with nothing_changed(site):
                address = f"/api/v1/{path.format(**shop)}"
                refused(await client.post(address, json=_filled(body, shop)), status, *words, code=code)


async def test_overlapping_tiers_are_no_draft(site: Site) -> None:
    async with await site.api() as client:
        async with nothing_changed(site):
            answer = await client.put("/api/v1/tiers/draft", json=OVERLAPPING)
            refused(answer, 422, "gold and silver overlap", code="invalid_programme")
        assert (await client.get("/api/v1/tiers")).json()["draft"] is None


async def _reverse_twice(client: httpx.AsyncClient, site: Site, path: str, body: dict[str, Any]) -> httpx.Response:
    """The first time it works; the second one is answered, and changes nothing."""
    first = await client.post(f"/api/v1/{path}", json={**body, "key": "first"})
    assert first.status_code in {200, 201}, first.text
    async with nothing_changed(site):
        return await client.post(f"/api/v1/{path}", json={**body, "key": "second"})


async def test_what_was_reversed_is_not_reversed_again(site: Site) -> None:
    shop = await _shop(site)
    order = new_order(shop["member"], "80")
    placed = {"member_id": shop["member"], "external_id": "A-1", "amount": "80.00", "currency": order.currency}
    async with await site.api() as client:
        made = await client.post("/api/v1/orders", json={**placed, "placed_at": order.placed_at.isoformat()})
        assert made.status_code == 201, made.text
        again = await _reverse_twice(client, site, "orders/refund", {"external_id": "A-1"})
        refused(again, 409, "refunded", code="order_refunded_before")
        body = {"transaction_id": shop["posting"], "reason": "mistake"}
        refused(await _reverse_twice(client, site, "points/reverse", body), 409, "before", code="already_reversed")
    async with site.deps.sessions() as session:
        assert await points.balance(session, shop["member"]) == 0


async def test_a_formula_that_fails_on_the_day_gives_nothing_and_tells_an_operator(site: Site) -> None:
    shop = await _shop(site)
    formula = "points / int(event.properties.seats)"
    rule = {"kind": "custom_event", "name": "Seats", "parameters": {"points": 60, "event_name": "booked"}}
    async with await site.api() as client:
        wrong = await client.post("/api/v1/earning-rules", json={**rule, "terms": {"formula": formula}})
        refused(wrong, 422, "seats", code="invalid_rule")
        guarded = f"has(event.properties.seats) ? {formula} : 0"
        made = await client.post("/api/v1/earning-rules", json={**rule, "terms": {"formula": guarded}})
        assert made.status_code == 201, made.text
        for seats, expected in (("0", 100), ("3", 120)):
            event = {"name": "booked", "member_id": shop["member"], "properties": {"seats": seats}}
            assert (await client.post("/api/v1/events", json=event)).status_code == 201
            await _award_all(site, shop["member"])
            balance = (await client.get(f"/api/v1/members/{shop['member']}/points")).json()["balance"]
            assert balance == expected
    async with site.deps.sessions() as session:
        found = await alerts.listing(session)
    told = [item.detail for item in found if item.kind == AlertKind.EARNING_FORMULA_FAILED]
    assert ["divides by zero" in detail for detail in told] == [True]


async def _award_all(site: Site, member_id: int) -> None:
    """What the worker does with the member's events; again it changes nothing."""
    async with site.deps.sessions.begin() as session:
        for event in await events.timeline(session, member_id, kinds=["custom"]):
            await points.award(session, event)


async def test_a_voucher_of_somebody_else_stays_theirs(site: Site) -> None:
    shop = await _shop(site)
    async with await site.api() as client:
        body = {"code": shop["voucher"], "member_id": shop["member"]}
        assert (await client.post("/api/v1/vouchers/check", json=body)).json()["verdict"] == "not_yours"
        used = await client.post("/api/v1/vouchers/use", json={"codes": [shop["voucher"]], "member_id": shop["other"]})
        assert used.status_code == 200
    async with site.deps.sessions() as session:
        assert (await holding.find(session, shop["voucher"])).member_id == shop["other"]


async def test_members_are_checked_in_claimed_for_and_bound_by_other_systems(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        await points.ensure_defaults(session)
        member = await make_member(session)
        await make_coupon(session, shared_code="SPRING26")
        await make_programme(session)
        code = await links.code_of(session, member.id)
        friend = await make_member(session)
    async with await site.api("check_ins:assist", "vouchers:issue", "referrals:write") as client:
        here = f"/api/v1/members/{member.id}/check-ins"
        done = [(await client.post(here)).json() for _ in range(2)]
        assert [(one["is_new"], one["streak"], one["points"]) for one in done] == [(True, 1, 5), (False, 1, 0)]
        assert (await client.post("/api/v1/members/987654321/check-ins")).status_code == 404
        claim = {"member_id": member.id, "code": "spring 26"}
        voucher = (await client.post("/api/v1/vouchers/claim", json=claim)).json()
        assert (voucher["source"], voucher["member_id"]) == ("shared_code", member.id)
        again = await client.post("/api/v1/vouchers/claim", json=claim)
        refused(again, 409, "as many", code="coupon_limit")
        bound = await client.post("/api/v1/referrals", json={"member_id": friend.id, "code": code})
        assert (bound.status_code, bound.json()["status"], bound.json()["referrer_id"]) == (201, "pending", member.id)
        late = await client.post("/api/v1/referrals", json={"member_id": friend.id, "code": code})
        refused(late, 409, "was here before", code="friend_known")

"""The pages of tiers: shown in both languages, filled in, refused with reasons, given by hand."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from crm.kit.clock import process_now
from crm.members.types import Member
from crm.operators.permissions import Role
from crm.orders import service as orders
from crm.tiers.service import programmes, standings
from crm.tiers.types import Window
from tests.admin_api.conftest import Site
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member
from tests.factories.orders import new_order
from tests.factories.tiers import evaluate_all, make_programme, rules, tier

HOSTILE = '"><img src=x onerror=alert(1)>林'
FORM = {
    "measure": "spend",
    "window": "rolling",
    "months": "12",
    "downgrade": "one_step",
    "grace_days": "30",
    "at_risk_days": "14",
    "key-0": "silver",
    "name_zh-0": "银卡",
    "name_en-0": "Silver",
    "enter-0": "100",
    "key-1": "gold",
    "name_en-1": "Gold",
    "enter-1": "500",
    "keep-1": "400",
    "multiplier-1": "1.5",
    "has_priority-1": "on",
}


async def _made(site: Site) -> Member:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session, display_name=HOSTILE)
        await orders.record(session, new_order(member.id, "600"))
        coupon = await make_coupon(session)
        gold = replace(tier("gold", "500", monthly_coupon_id=coupon.id), name={"en": HOSTILE})
        await make_programme(session, rules(tier("silver", "100"), gold, window=Window.LIFETIME))
        await evaluate_all(session)
        await programmes.save_draft(session, rules(), by="operator:1")
    return member


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_hostile_names_as_text(site: Site, locale: str) -> None:
    member = await _made(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    for path in (
        "tiers",
        "tiers/programme",
        "tiers/preview",
        "tiers/members",
        "tiers/members?tier=gold&only=risk",
        f"members/{member.id}/tier",
    ):
        page = await browser.get(f"/console/{path}")
        assert page.status_code == 200, (path, page.text[-2000:])
        assert "<img src=x" not in page.text, path


async def test_without_a_programme_the_pages_say_what_to_do(site: Site) -> None:
    browser = await site.browser()
    assert "No tier programme yet" in (await browser.get("/console/tiers")).text
    assert (await browser.get("/console/tiers/preview")).status_code == 404
    assert "Silver" in (await browser.get("/console/tiers/programme")).text


async def test_a_programme_is_made_looked_at_and_published(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/tiers/programme")
    for wrong, said in (
        ({"enter-1": "50", "keep-1": ""}, "gold must ask for more than silver"),
        ({"keep-1": "20"}, "overlap"),
        ({"enter-0": "lots"}, "This is not valid."),
        ({"key-0": "Silver!"}, "a key is 1 to 30"),
        ({"months": "900"}, "This number is too large."),
        ({"grace_days": "0"}, "at least 1 day"),
        ({"measure": "smiles"}, "This is not valid."),
        ({"monthly_coupon_id-0": "987654"}, "There is no such coupon."),
    ):
        answer = await browser.post("/console/tiers/programme", **{**FORM, **wrong})
        assert answer.status_code in {404, 422}, wrong
        assert said in answer.text, (wrong, answer.text[-3000:])
    made = await browser.post("/console/tiers/programme", **FORM)
    assert (made.status_code, made.headers["location"]) == (303, "/console/tiers/preview")
    async with site.deps.sessions() as session:
        draft = await programmes.draft(session)
        assert draft is not None
        assert [(item.key, item.keep, item.has_priority) for item in draft.rules.tiers] == [
            ("silver", Decimal(100), False),
            ("gold", Decimal(400), True),
        ]
    published = await browser.post(f"/console/tiers/publish/{draft.version}")
    assert published.status_code == 303
    assert "Counts now" in (await browser.get("/console/tiers")).text


async def test_a_tier_by_hand(site: Site) -> None:
    member = await _made(site)
    agent, marketer = await site.browser(Role.AGENT), await site.browser(Role.MARKETER)
    here = f"/console/members/{member.id}/tier"
    assert f"{here}/grant" in (await agent.get(here)).text
    assert f"{here}/grant" not in (await marketer.get(here)).text
    until = (process_now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    form = {"tier": "silver", "until": until, "reason": "Too many returns"}
    for wrong, said in (
        ({"until": "2020-01-01T08:00"}, "a grant ends in the future"),
        ({"until": "soon"}, "A time looks like"),
        ({"reason": ""}, "Fill this in."),
        ({"tier": "platinum"}, "there is no tier"),
    ):
        answer = await agent.post(f"{here}/grant", **{**form, **wrong})
        assert (answer.status_code, said in answer.text) == (422, True), (wrong, answer.text[-3000:])
    assert (await agent.post(f"{here}/grant", **form)).status_code == 303
    shown = await agent.get(here)
    assert "Too many returns" in shown.text
    assert (await agent.post(f"{here}/end-grant")).status_code == 303
    async with site.deps.sessions() as session:
        assert (await standings.standing(session, member.id)).tier == "gold"

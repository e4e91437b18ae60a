"""Terms of earning rules in the console: typed, tried on a member, replayed, told what is wrong."""

from decimal import Decimal

import pytest

from crm.brand import service as brand
from crm.points import earning_rules, jobs, replays
from crm.points.types import EarningRule
from tests.admin_api.conftest import Site
from tests.factories.members import make_member

FORM: dict[str, str | list[str]] = {
    "kind": "check_in",
    "name": "Daily",
    "parameter_points": "5",
    "parameter_expires_after_months": "12",
    "parameter_expires_round_to": "year",
    "term_when": "event.streak > 0",
    "term_formula": "points * 2",
    "term_stages": ["new", "loyal"],
    "term_tiers": "gold, silver",
    "term_tier_multipliers": "gold=2，silver=1.5",
    "term_birthday_multiplier": "3",
    "term_birthday_period": "month",
    "window_0_multiplier": "2",
    "window_0_weekdays": "6, 7",
    "window_0_from_time": "18:00",
    "window_0_until_time": "20:00",
    "cap_member_day": "50",
    "cap_over": "refuse",
    "term_is_once": "on",
    "told_en": "Come back for more",
    "term_priority": "7",
    "term_group": "daily",
    "term_stacking": "first",
}
TERMS = {
    "when": "event.streak > 0",
    "formula": "points * 2",
    "audience": {"stages": ["new", "loyal"], "tiers": ["gold", "silver"]},
    "tier_multipliers": {"gold": "2", "silver": "1.5"},
    "birthday_multiplier": "3",
    "birthday_period": "month",
    "windows": [{"weekdays": [6, 7], "from_time": "18:00:00", "until_time": "20:00:00"}],
    "caps": {"member_day": 50, "over": "refuse"},
    "is_once": True,
    "told": {"en": "Come back for more"},
    "priority": 7,
    "group": "daily",
    "stacking": "first",
}


async def _last(site: Site) -> EarningRule:
    async with site.deps.sessions() as session:
        return (await earning_rules.listing(session))[-1]


async def test_an_earning_rule_is_made_from_its_schema(site: Site) -> None:
    browser = await site.browser()
    form = {
        "kind": "order_rate",
        "name": "Orders",
        "parameter_points": "10",
        "parameter_per_amount": "99.50",
        "parameter_currency": "CNY",
        "valid_from": "2101-01-01T00:00",
    }
    assert (await browser.post("/console/earning-rules", **form)).status_code == 303
    async with site.deps.sessions() as session:
        rule = (await earning_rules.listing(session))[-1]
    assert (rule.parameters["per_amount"], rule.parameters["most_points"]) == ("99.50", None)
    here = f"/console/earning-rules/{rule.id}"
    page = (await browser.get(here)).text
    assert 'value="99.50"' in page
    assert 'value="2101-01-01T00:00"' in page
    refused = await browser.post(here, **{**form, "parameter_points": "0", "name": "Typed"})
    assert refused.status_code == 422
    assert 'value="Typed"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert (await browser.post(f"{here}/deactivate")).status_code == 303
    assert (await browser.post(f"{here}/activate")).status_code == 303
    async with site.deps.sessions() as session:
        assert (await earning_rules.get(session, rule.id)).version == 3
    assert (await browser.post("/console/earning-rules", kind="no_such", name="x")).status_code == 422


async def test_terms_survive_the_form(site: Site) -> None:
    browser = await site.browser()
    assert (await browser.post("/console/earning-rules", **FORM)).status_code == 303
    rule = await _last(site)
    assert (rule.terms, rule.parameters["expires_round_to"]) == (TERMS, "year")
    page = (await browser.get(f"/console/earning-rules/{rule.id}")).text
    for shown in ("points * 2", "gold=2, silver=1.5", 'value="6, 7"', 'value="18:00"', 'value="daily"'):
        assert shown in page
    assert (await browser.post(f"/console/earning-rules/{rule.id}", **FORM)).status_code == 303
    assert ((await _last(site)).terms, (await _last(site)).version) == (TERMS, 2)
    plain = {name: FORM[name] for name in ("kind", "name", "parameter_points")}
    assert (await browser.post(f"/console/earning-rules/{rule.id}", **plain)).status_code == 303
    assert (await _last(site)).terms == {}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"term_formula": "1 / 0"}, "divides by zero"),
        ({"term_tier_multipliers": "gold"}, "valid decimal"),
        ({"cap_member_day": "many"}, "valid integer"),
        ({"window_0_weekdays": "Monday"}, "valid integer"),
        ({"term_priority": "5000"}, "less than or equal to 1000"),
    ],
)
async def test_what_is_wrong_is_told_beside_its_field(site: Site, typed: dict[str, str], words: str) -> None:
    browser = await site.browser()
    refused = await browser.post("/console/earning-rules", **{**FORM, **typed})
    assert refused.status_code == 422
    assert words in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert 'value="Daily"' in refused.text


async def test_a_typed_rule_is_tried_and_replayed(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session, display_name="Mei <b>")
    browser = await site.browser()
    plain = {"kind": "check_in", "name": "Daily", "parameter_points": "5", "term_formula": "points * 3"}
    tried = await browser.post("/console/earning-rules/try", **plain, member_id=str(member.id))
    assert tried.status_code == 200
    assert "15 points for this member" in tried.text
    assert (await browser.post("/console/earning-rules/try", **plain, member_id="x")).status_code == 422
    begun = await browser.post("/console/earning-replays", **plain, days="7")
    assert begun.status_code == 303
    here = begun.headers["location"]
    assert "events so far" in (await browser.get(here)).text
    async with site.deps.sessions() as session:
        found = await replays.listing(session)
    await jobs.replay.run(site.deps.sessions, {"replay_id": found[0].id})
    async with site.deps.sessions.begin() as session:
        await brand.change(session, point_value=Decimal("0.1"))
    assert "With this rule" in (await browser.get(here)).text
    again = await browser.post("/console/earning-replays", **plain, days="7")
    await jobs.replay.run(site.deps.sessions, {"replay_id": found[0].id + 1})
    assert "It would cost nothing more" in (await browser.get(again.headers["location"])).text
    assert (await browser.get(f"{here}/file")).text.splitlines() == ["\ufeffmember_id,live,draft,difference"]
    assert "Daily" in (await browser.get("/console/earning-replays")).text
    assert (await browser.post(f"{here}/cancel")).status_code == 409
    wrong = await browser.post("/console/earning-replays", **{**plain, "term_formula": "1 / 0"}, days="7")
    assert wrong.status_code == 422
    assert "divides by zero" in wrong.text


async def test_the_budget_is_kept(site: Site) -> None:
    browser = await site.browser()
    assert (await browser.post("/console/earning-rules/budget", month_budget="500", over="refuse")).status_code == 303
    assert 'value="500"' in (await browser.get("/console/earning-rules")).text
    for wrong in ("0", "-5", "x"):
        assert (await browser.post("/console/earning-rules/budget", month_budget=wrong)).status_code == 422
    assert (await browser.post("/console/earning-rules/budget", month_budget="")).status_code == 303
    async with site.deps.sessions() as session:
        assert await earning_rules.budget(session) is None

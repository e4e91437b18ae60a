"""The pages of coupons, rewards, redemptions and the counter: shown, filled in, refused with reasons."""

import ast
from pathlib import Path

import pytest

import crm.coupons
import crm.rewards
from admin_api.console.locale import catalogue as translations
from crm.coupons.service import definitions, holding
from crm.coupons.types import VoucherStatus
from crm.members import service as members
from crm.operators.permissions import Role
from crm.rewards.service import catalogue, fulfilment
from crm.rewards.types import RedemptionStatus
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.admin_api.console.loyalty import ADDRESS, Loyalty, make_loyalty, picture
from tests.factories.tiers import make_programme

HOSTILE = '"><img src=x onerror=alert(1)>林'
COUPON = {"name_zh": "立减十元", "kind": "fixed", "value": "10", "minimum_spend": "50", "starts_at": "2026-03-01T08:00"}
REWARD = {"name_en": "Tin of tea", "kind": "goods", "points": "120", "stock": "3", "tier_limits": "gold: 3\nsilver = 1"}


async def _made(site: Site, name: str = HOSTILE) -> Loyalty:
    async with site.deps.sessions.begin() as session:
        return await make_loyalty(session, name)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_hostile_names_as_text(site: Site, locale: str) -> None:
    made = await _made(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    for path in made.pages:
        page = await browser.get(path)
        assert page.status_code == 200, (path, page.text[-2000:])
        assert "<img src=x" not in page.text, path
        assert ADDRESS not in page.text, path
    empty = await browser.get("/console/members/987654/vouchers")
    assert empty.status_code == 404


async def test_pages_without_anything_say_what_to_do(site: Site) -> None:
    browser = await site.browser()
    for path, said in (("coupons", "No coupons yet"), ("rewards", "No rewards yet"), ("redemptions", "Nobody took")):
        assert said in (await browser.get(f"/console/{path}")).text


async def test_operators_see_only_the_forms_that_they_may_send(site: Site) -> None:
    made = await _made(site)
    marketer, agent = await site.browser(Role.MARKETER), await site.browser(Role.AGENT)
    coupon, one = f"/console/coupons/{made.coupon.id}", f"/console/redemptions/{made.redemption.id}"
    held = f"/console/members/{made.member.id}/vouchers"
    assert f'action="{coupon}/switch"' in (await marketer.get(coupon)).text
    assert f'action="{coupon}/switch"' not in (await agent.get(coupon)).text
    assert f'action="{one}/cancel"' in (await agent.get(one)).text
    assert "Take it back" not in (await marketer.get(one)).text
    assert f'action="{held}"' not in (await marketer.get(held)).text
    assert "/console/counter" not in (await marketer.get("/console/coupons")).text
    assert (await marketer.client.get("/console/counter")).status_code == 403


async def test_a_coupon_is_made_changed_and_switched_off(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/coupons/new")
    for wrong, said in (
        ({"value": "-10"}, "This is not valid."),
        ({"value": "1e9"}, "This number is too large."),
        ({"name_zh": " "}, "a coupon needs a name"),
        ({"kind": "gift"}, "a gift has no value"),
        ({"valid_days": "soon"}, "Enter a whole number."),
        ({"ends_at": "2026-02-01T08:00"}, "the end must be later"),
        ({"starts_at": "yesterday"}, "A time looks like"),
        ({"pattern": "TEA"}, "could be guessed"),
    ):
        answer = await browser.post("/console/coupons", **{**COUPON, **wrong})
        assert (answer.status_code, said in answer.text) == (422, True), wrong
        assert wrong.get("name_zh", "立减十元") in answer.text
    made = await browser.post("/console/coupons", **COUPON, shared_code="spring 26")
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    page = await browser.get(here)
    assert "2026-03-01T08:00" in page.text
    again = await browser.post("/console/coupons", **COUPON, shared_code="SPRING26")
    assert again.status_code == 422
    changed = {**COUPON, "kind": "percent", "value": "12.50", "pattern": "TEA-****-****", "shared_code": ""}
    assert (await browser.post(here, **changed)).status_code == 303
    refused = await browser.post(here, **{**changed, "value": "0"})
    assert refused.status_code == 422
    assert 'value="TEA-****-****"' in refused.text
    assert (await browser.post(f"{here}/switch")).status_code == 303
    async with site.deps.sessions() as session:
        coupon = await definitions.get(session, int(here.rsplit("/", 1)[1]))
    assert (str(coupon.terms.value), coupon.terms.kind, coupon.pattern) == ("12.50", "fixed", "TEA-****-****")
    assert (coupon.shared_code, coupon.is_active) == (None, False)


async def test_codes_are_pasted_or_taken_from_a_file(site: Site) -> None:
    made = await _made(site)
    browser = await site.browser()
    here = f"/console/coupons/{made.pool.id}"
    await browser.get(here)
    faulty = await browser.post(f"{here}/codes", pasted="TEA-0001\nx\ntea 0001\n\nTEA-0002")
    assert faulty.status_code == 422
    assert "line 2" in faulty.text
    assert "the same code as in line 1" in faulty.text
    assert "TEA-0002" in faulty.text
    await browser.post("/console/locale", locale="zh-CN", next="/console/")
    chinese = await browser.post(f"{here}/codes", pasted="TEA-0001\ntea 0001")
    assert "与第 1 行的券码相同" in chinese.text
    for data, status in ((b"\xff\xfe\x00", 422), (b"", 422), ("\ufeffTEA-0001\r\nTEA-0002\r\n".encode(), 303)):
        answer = await browser.client.post(
            f"{here}/codes", data={"csrf_token": browser.token}, files={"file": ("codes.csv", data, "text/csv")}
        )
        assert answer.status_code == status, data
    known = await browser.post(f"{here}/codes", pasted="TEA-0002\nTEA-0003")
    assert "TEA0002" in known.text
    async with site.deps.sessions() as session:
        assert (await definitions.get(session, made.pool.id)).codes_left == 2


async def test_a_reward_is_made_changed_pictured_and_stocked(site: Site) -> None:
    browser = await site.browser()
    async with site.deps.sessions.begin() as session:
        await make_programme(session)
    await browser.get("/console/rewards/new")
    for wrong, said in (
        ({"points": "-5"}, "This number is too small."),
        ({"points": "99999999999"}, "This number is too large."),
        ({"points": ""}, "Enter a whole number."),
        ({"kind": "voucher"}, "a voucher reward names its coupon"),
        ({"kind": "voucher", "coupon_id": "987654"}, "There is no such coupon."),
        ({"stock": "-1"}, "This number is too small."),
        ({"tier_limits": "gold"}, "A limit of a tier looks like"),
        ({"name_en": ""}, "a reward needs a name"),
    ):
        answer = await browser.post("/console/rewards", **{**REWARD, **wrong})
        assert (answer.status_code in {404, 422}, said in answer.text) == (True, True), (wrong, answer.text[-3000:])
    made = await browser.post("/console/rewards", **REWARD, tiers="gold, silver", needs_address="true")
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    assert (await browser.client.get(f"{here}/picture")).status_code == 404
    for data, status in ((b"no picture", 422), (b"", 422), (picture(), 303)):
        answer = await browser.client.post(
            f"{here}/picture", data={"csrf_token": browser.token}, files={"picture": ("tea.png", data, "image/png")}
        )
        assert answer.status_code == status, data
    assert (await browser.client.get(f"{here}/picture")).headers["content-type"].startswith("image/")
    for stock, status in (("-1", 422), ("many", 422), ("7", 303)):
        assert (await browser.post(f"{here}/stock", stock=stock)).status_code == status
    assert (await browser.post(here, **{**REWARD, "points": "0"})).status_code == 422
    assert (await browser.post(here, **{**REWARD, "points": "90", "amount": "9.90"})).status_code == 303
    assert (await browser.post(f"{here}/switch")).status_code == 303
    async with site.deps.sessions() as session:
        reward = await catalogue.get(session, int(here.rsplit("/", 1)[1]))
    assert (reward.price.points, str(reward.price.amount), reward.stock, reward.is_active) == (90, "9.90", 7, False)
    assert (reward.access.tier_limits, reward.needs_address) == ({"gold": 3, "silver": 1}, True)


async def test_goods_go_their_way_and_the_address_is_revealed_on_request(site: Site) -> None:
    made = await _made(site)
    browser = await site.browser()
    here = f"/console/redemptions/{made.redemption.id}"
    await browser.get(here)
    assert ADDRESS in (await browser.post(f"{here}/address")).text
    assert (await browser.post(f"{here}/status", status="nowhere")).status_code == 422
    assert (await browser.post(f"{here}/status", status="shipped", tracking="SF123")).status_code == 303
    assert (await browser.post(f"{here}/status", status="prepared")).status_code == 409
    late = await browser.post(f"{here}/cancel", explanation="changed their mind")
    assert (late.status_code, "too far on" in late.text) == (409, True)
    async with site.deps.sessions() as session:
        done = await fulfilment.get(session, made.redemption.id)
    assert (done.status, done.tracking) == (RedemptionStatus.SHIPPED, "SF123")


async def test_a_redemption_is_taken_back_with_a_reason(site: Site) -> None:
    made = await _made(site)
    browser = await site.browser(Role.AGENT)
    here = f"/console/redemptions/{made.redemption.id}"
    await browser.get(here)
    assert (await browser.post(f"{here}/cancel", explanation=" ")).status_code == 422
    assert (await browser.post(f"{here}/cancel", explanation="out of stock")).status_code == 303
    async with site.deps.sessions() as session:
        assert (await fulfilment.get(session, made.redemption.id)).status is RedemptionStatus.CANCELLED


async def test_a_voucher_is_issued_once_by_hand_and_taken_away(site: Site) -> None:
    made = await _made(site)
    browser = await site.browser(Role.AGENT)
    here = f"/console/members/{made.member.id}/vouchers"
    await browser.get(here)
    for _ in range(2):
        assert (await browser.post(here, coupon_id=str(made.coupon.id), key="click")).status_code == 303
    assert (await browser.post(here, coupon_id="", key="k")).status_code == 422
    empty = await browser.post(here, coupon_id=str(made.pool.id), key="k")
    assert (empty.status_code, "have been given out" in empty.text) == (409, True)
    async with site.deps.sessions() as session:
        held = await holding.usable(session, made.member.id)
    assert len(held) == 2
    one = f"/console/vouchers/{held[-1].id}"
    assert (await browser.post(f"{one}/cancel", explanation="")).status_code == 422
    assert (await browser.post(f"{one}/cancel", explanation="wrong person")).status_code == 303
    assert "wrong person" in (await browser.get(one)).text


def _verdict(browser_page: str) -> str:
    return browser_page.partition('data-verdict="')[2].partition('"')[0]


async def _looked_up(browser: Browser, code: str, **fields: str) -> str:
    return (await browser.post("/console/counter", code=code, **fields)).text


async def test_the_counter_tells_uses_once_and_takes_back(site: Site) -> None:
    made = await _made(site, "林小满")
    browser = await site.browser(Role.AGENT)
    code = made.voucher.code
    await browser.get("/console/counter")
    assert _verdict(await _looked_up(browser, "NOBODY-KNOWS")) == "unknown"
    assert (await browser.post("/console/counter", code="", amount="x")).status_code == 422
    async with site.deps.sessions.begin() as session:
        other = (await make_loyalty(session)).member
    assert _verdict(await _looked_up(browser, code, member_id=str(other.id))) == "not_yours"
    page = await _looked_up(browser, f" {code.lower()} ", amount="25.00")
    assert _verdict(page) == "valid"
    assert "林**" in page
    assert "林小满" not in page
    assert "10.00" in page
    key = page.partition('name="key" value="')[2].partition('"')[0]
    for _ in range(2):
        used = await browser.post("/console/counter/use", code=code, key=key, amount="25.00", reference="R-1")
        assert (used.status_code, _verdict(used.text)) == (200, "done")
    second = await browser.post("/console/counter/use", code=code, key="another")
    assert (second.status_code, _verdict(second.text)) == (409, "used")
    assert (await browser.post("/console/counter/undo", code=code, explanation=" ")).status_code == 422
    undone = await browser.post("/console/counter/undo", code=code, explanation="wrong bill")
    assert _verdict(undone.text) == "valid"
    replayed = await browser.post("/console/counter/use", code=code, key=key)
    assert _verdict(replayed.text) == "valid"
    async with site.deps.sessions() as session:
        assert (await holding.find(session, code)).status is VoucherStatus.ISSUED
        assert (await members.get(session, other.id)).id == other.id


async def test_the_counter_says_when_a_bill_is_too_small(site: Site) -> None:
    made = await _made(site)
    browser = await site.browser()
    here = f"/console/coupons/{made.coupon.id}"
    await browser.get(here)
    assert (await browser.post(here, name_en="Ten off", value="10", minimum_spend="50")).status_code == 303
    page = await _looked_up(browser, made.voucher.code, amount="49.99")
    assert "below the voucher" in page
    assert "/console/counter/use" not in page
    refused = await browser.post("/console/counter/use", code=made.voucher.code, amount="49.99", key="k")
    assert refused.status_code == 409


def _raised_sentences() -> set[str]:
    """Sentences that services of loyalty raise; those that are put together are left to the English reader."""
    found = set()
    for package in (crm.coupons, crm.rewards):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    said = node.exc.args[0]
                    found |= {str(said.value)} if isinstance(said, ast.Constant) else set()
    return found


def test_what_services_say_is_said_in_chinese_too() -> None:
    of_members = {"there is no offer with this code; look whether it was typed right"}
    said = _raised_sentences() - of_members
    assert len(said) > 15
    assert said - set(translations("zh-CN")) == set()

"""The pages of referrals: shown in both languages, filled in, refused with reasons, decided, taken back."""

import pytest

from crm.operators.permissions import Role
from crm.points import service as points
from crm.referrals.service import programmes, standing
from crm.referrals.types import Gift, Level, Limits, Referral, Status
from tests.admin_api.conftest import Site
from tests.factories.referrals import befriend, make_programme, make_referrer

HOSTILE = '"><img src=x onerror=alert(1)>林'
FORM = {
    "name": "Bring a friend",
    "headline_zh": "好茶成双",
    "headline_en": "Tea for two",
    "act": "order",
    "minimum_order": "50",
    "referrer_points": "100",
    "friend_points": "50",
    "levels": "3: 300\n10：1000",
    "qualify_days": "30",
    "per_hour": "10",
    "per_day": "30",
}


async def _made(site: Site) -> Referral:
    async with site.deps.sessions.begin() as session:
        await make_programme(session, limits=Limits(per_hour=1))
        referrer = await make_referrer(session, HOSTILE)
        await befriend(session, referrer, HOSTILE)
        return await befriend(session, referrer, HOSTILE)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_hostile_names_as_text(site: Site, locale: str) -> None:
    doubtful = await _made(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    for path in (
        "referrals",
        "referrals/new",
        "referrals/all",
        "referrals/all?status=review",
        f"referrals/{doubtful.programme_id}",
        f"members/{doubtful.referrer_id}/referrals",
        f"members/{doubtful.friend_id}/referrals",
    ):
        page = await browser.get(f"/console/{path}")
        assert page.status_code == 200, (path, page.text[-2000:])
        assert "<img src=x" not in page.text, path


async def test_without_anything_the_pages_say_so(site: Site) -> None:
    browser = await site.browser()
    assert "No programme yet" in (await browser.get("/console/referrals")).text
    assert "No referrals here" in (await browser.get("/console/referrals/all?status=nonsense")).text
    assert (await browser.get("/console/referrals/404404")).status_code == 404


async def test_a_programme_is_made_changed_and_ended(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/referrals/new")
    for wrong, said in (
        ({"levels": "many"}, "A level looks like"),
        ({"levels": "3: 5\n3: 6"}, "levels ask for more and more friends"),
        ({"referrer_points": "-5"}, "This number is too small."),
        ({"act": "smile"}, "This is not valid."),
        ({"name": ""}, "Fill this in."),
        ({"referrer_points": "", "friend_points": "", "levels": ""}, "give something"),
        ({"referrer_coupon_id": "987654"}, "there is no coupon"),
    ):
        answer = await browser.post("/console/referrals", **{**FORM, **wrong})
        assert (answer.status_code, said in answer.text) == (422, True), (wrong, answer.text[-3000:])
    made = await browser.post("/console/referrals", **FORM)
    assert made.status_code == 303
    here = made.headers["location"]
    async with site.deps.sessions() as session:
        (programme,) = await programmes.listing(session)
    assert programme.terms.levels == (Level(3, Gift(300)), Level(10, Gift(1000)))
    assert "3: 300" in (await browser.get(here)).text
    overlapping = await browser.post("/console/referrals", **FORM)
    assert overlapping.status_code == 409
    assert (await browser.post(here, **{**FORM, "friend_points": "60"})).status_code == 303
    assert (await browser.post(f"{here}/switch", is_active="false")).status_code == 303
    async with site.deps.sessions() as session:
        changed = await programmes.get(session, programme.id)
    assert (changed.is_active, changed.terms.friend) == (False, Gift(60))


async def test_the_queue_and_taking_back(site: Site) -> None:
    doubtful = await _made(site)
    marketer, analyst = await site.browser(Role.MARKETER), await site.browser(Role.ANALYST)
    queue, tree = "/console/referrals/all?status=review", f"/console/members/{doubtful.referrer_id}/referrals"
    decide = f"/console/referrals/all/{doubtful.id}"
    assert f"{decide}/approve" in (await marketer.get(queue)).text
    assert f"{decide}/approve" not in (await analyst.get(queue)).text
    assert "clawback" not in (await analyst.get(tree)).text
    assert (await marketer.post(f"{decide}/approve", reason="")).status_code == 422
    assert (await marketer.post(f"{decide}/approve", reason="I know them")).status_code == 303
    assert (await marketer.post(f"{decide}/reject", reason="Too late")).status_code == 409
    assert "2 referrals become void; 300 points of 3 members" in (await marketer.get(tree)).text
    assert (await marketer.post(f"{tree}/clawback", reason="")).status_code == 422
    assert (await marketer.post(f"{tree}/clawback", reason="Fakes")).status_code == 303
    assert "become void" not in (await marketer.get(tree)).text
    async with site.deps.sessions() as session:
        assert (await standing.get(session, doubtful.id)).status is Status.VOID
        assert await points.balance(session, doubtful.referrer_id) == 0

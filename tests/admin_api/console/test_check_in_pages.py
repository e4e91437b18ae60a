"""The pages of check-ins: shown in both languages, filled in, refused with reasons."""

from datetime import timedelta

import pytest

from crm.check_ins import cards, leaderboards, programmes, service
from crm.check_ins.types import NewMilestone
from crm.db import clock
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site
from tests.factories.check_ins import allow
from tests.factories.members import make_member

HOSTILE = '"><img src=x onerror=alert(1)>'
FORM = {
    "days_back": "7",
    "card_price": "50",
    "most_cards": "5",
    "cards_for": "order_placed 1\n\nsurvey_completed 2",
    "insurance": "both",
    "passes_per_month": "1",
    "has_leaderboard": "on",
    "places": "",
}


async def _made(site: Site) -> tuple[int, int]:
    """A member with a card on the board, and a milestone."""
    async with site.deps.sessions.begin() as session:
        member = await make_member(session, display_name=HOSTILE)
        await service.check_in(session, member.id)
        await allow(session)
        milestone = await programmes.add_milestone(
            session, NewMilestone(7, points=5, cards=1, badge={"en": HOSTILE[:30]})
        )
        await leaderboards.join(session, member.id)
        await cards.give_by_hand(session, member.id, 1, reason=HOSTILE, key="k", by="operator:1")
    return member.id, milestone.id


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_hostile_names_as_text(site: Site, locale: str) -> None:
    member_id, milestone_id = await _made(site)
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="/console/")
    for path in (
        "check-ins",
        "check-ins/milestones/new",
        f"check-ins/milestones/{milestone_id}",
        "check-ins/leaderboard",
        "check-ins/leaderboard?board=streak",
        "check-ins/leaderboard?board=nonsense",
        f"members/{member_id}/check-ins",
        f"members/{member_id}/check-ins?month=2026-02",
        f"members/{member_id}/check-ins?month=nonsense",
    ):
        page = await browser.get(f"/console/{path}")
        assert page.status_code == 200, path
        assert "<img src=x" not in page.text, path


async def test_settings_are_chosen(site: Site) -> None:
    browser = await site.browser()
    saved = await browser.post("/console/check-ins", **FORM)
    assert saved.status_code == 303, saved.text[-3000:]
    async with site.deps.sessions() as session:
        found = await programmes.current(session)
    assert (found.days_back, found.card_price, found.cards_for) == (7, 50, {"order_placed": 1, "survey_completed": 2})
    assert (found.insurance.value, found.has_leaderboard, found.places) == ("both", True, 10)
    assert found.has_made_up_milestones is False
    page = await browser.get("/console/check-ins")
    assert "survey_completed 2" in page.text
    for wrong, said in (
        ({"days_back": "many"}, "Enter a whole number."),
        ({"days_back": "93"}, "This number is too large."),
        ({"cards_for": "order_placed"}, "a line each"),
        ({"cards_for": "checked_in 1"}, "cannot give cards"),
        ({"passes_per_month": ""}, "passes_per_month of 1 or more"),
    ):
        refused = await browser.post("/console/check-ins", **{**FORM, **wrong})
        assert (refused.status_code, said in refused.text) == (422, True), wrong


async def test_a_milestone_is_made_changed_and_switched_off(site: Site) -> None:
    browser = await site.browser()
    empty = await browser.post("/console/check-ins/milestones", day="7")
    assert (empty.status_code, "gives points" in empty.text) == (422, True)
    made = await browser.post("/console/check-ins/milestones", day="7", points="30", badge_zh="茶友", is_repeated="on")
    assert made.status_code == 303, made.text[-3000:]
    async with site.deps.sessions() as session:
        milestone = (await programmes.milestones(session))[0]
    assert (milestone.day, milestone.points, milestone.is_repeated, milestone.badge) == (7, 30, True, {"zh-CN": "茶友"})
    taken = await browser.post("/console/check-ins/milestones", day="7", points="30")
    assert (taken.status_code, "already" in taken.text) == (409, True)
    here = f"/console/check-ins/milestones/{milestone.id}"
    assert (await browser.post(here, day="8", cards="2")).status_code == 303
    assert (await browser.post(f"{here}/switch", is_active="false")).status_code == 303
    assert (await browser.post(here, day="1", cards="2")).status_code == 422
    async with site.deps.sessions() as session:
        milestone = await programmes.milestone(session, milestone.id)
    assert (milestone.day, milestone.points, milestone.cards, milestone.is_active) == (8, 0, 2, False)


async def test_helping_a_member_on_their_page(site: Site) -> None:
    member_id, _ = await _made(site)
    async with site.deps.sessions() as session:
        now = await clock.now(session)
    browser = await site.browser(Role.AGENT)
    here = f"/console/members/{member_id}/check-ins"
    assert (await browser.post(f"{here}/cards", count="2", reason="Sorry")).status_code == 303
    assert (await browser.post(f"{here}/cards", count="99", reason="Sorry")).status_code == 409
    assert (await browser.post(f"{here}/cards", count="x", reason="")).status_code == 422
    yesterday = (now - timedelta(days=1)).date().isoformat()
    assert (await browser.post(f"{here}/make-ups", day=yesterday, why="Sorry")).status_code == 409
    assert (await browser.post(f"{here}/make-ups", day="", why="")).status_code == 422
    assert (await browser.post(f"/console/check-ins/leaderboard/{member_id}/remove")).status_code == 303
    assert "Nobody is on it yet" in (await browser.get("/console/check-ins/leaderboard")).text
    assert (await browser.post("/console/check-ins", **FORM)).status_code == 403
    async with site.deps.sessions() as session:
        assert await cards.held(session, member_id) == 3

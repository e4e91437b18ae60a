"""Who may pay for faster sending, and how a bot's updates arrive, over the API and by form."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from pydantic import HttpUrl

from admin_api.app import create_app
from admin_api.deps import AdminDeps
from crm.config.settings import PublicSettings, Settings
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site
from tests.factories.bots import make_bot
from tests.factories.campaigns import make_campaign
from tests.factories.members import make_contact


async def _campaign(site: Site) -> int:
    async with site.deps.sessions.begin() as session:
        await make_contact(session)
        return (await make_campaign(session)).id


async def test_paying_needs_its_own_permission(site: Site) -> None:
    campaign_id = await _campaign(site)
    path = f"/api/v1/campaigns/{campaign_id}"
    async with await site.api("campaigns:read", "campaigns:launch") as client:
        plan = (await client.get(f"{path}/plan")).json()
        assert (plan["stars"], plan["reachable"]) == (1, 1)
        assert plan["seconds"] == pytest.approx(0.04)
        refused = await client.post(f"{path}/launch", json={"stars_cap": 5})
        assert (refused.status_code, refused.json()["code"]) == (403, "missing_permission")
        assert "campaigns:pay" in refused.json()["detail"]
    async with await site.api("campaigns:read", "campaigns:launch", "campaigns:pay") as client:
        for wrong in (0, -1, 10**9, "many", 1.5):
            assert (await client.post(f"{path}/launch", json={"stars_cap": wrong})).status_code == 422
        launched = (await client.post(f"{path}/launch", json={"stars_cap": 5})).json()
        assert (launched["stars_cap"], launched["stars_spent"]) == (5, 0.0)


async def test_a_marketer_sees_no_way_to_pay(site: Site) -> None:
    campaign_id = await _campaign(site)
    page = f"/console/campaigns/{campaign_id}"
    for role, is_offered in ((Role.OWNER, True), (Role.MARKETER, False)):
        browser = await site.browser(role)
        shown = await browser.client.get(page)
        assert ("Pay for faster sending" in shown.text) is is_offered


async def test_how_updates_arrive_is_chosen_per_bot(site: Site, deps: AdminDeps) -> None:
    async with site.deps.sessions.begin() as session:
        bot, page = await make_bot(session), await make_bot(session, "webchat")
    async with await site.api() as client:
        refused = await client.patch(f"/api/v1/bots/{bot.id}", json={"mode": "webhook"})
        assert refused.status_code == 422
        assert "SIYU_PUBLIC_URL" in refused.json()["detail"]
        for wrong, bot_id in (("socket", bot.id), ("carrier pigeon", bot.id), ("webhook", page.id)):
            answer = await client.patch(f"/api/v1/bots/{bot_id}", json={"mode": wrong})
            assert answer.status_code == 422
    settings = Settings(_env_file=None, public=PublicSettings(url=HttpUrl("https://siyu.example")))
    public = replace(deps, settings=settings, metrics=CollectorRegistry())
    async with await Site(create_app(public), public).api() as client:
        changed = await client.patch(f"/api/v1/bots/{bot.id}", json={"mode": "webhook"})
        assert changed.json()["mode"] == "webhook"
        added = await client.post("/api/v1/bots", json={"channel": "webchat", "name": "Shop"})
        assert added.json()["mode"] == "socket"

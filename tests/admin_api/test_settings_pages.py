"""The settings pages: what they show to whom, and what their forms do."""

import io

import pytest
from PIL import Image

from admin_api.deps import BotAccount
from crm.bots import service as bots
from crm.brand import service as brands
from crm.kit.errors import InvalidError
from crm.operators import chats, service
from crm.operators.permissions import Role
from tests.admin_api.conftest import MakeSite, Site
from tests.factories.members import make_contact

SETTINGS = ["account", "brand", "bots", "operators", "api-keys", "dead-letters"]
XSS = "<script>alert(1)</script>"


@pytest.mark.parametrize("page", SETTINGS)
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_is_shown_in_both_languages(site: Site, page: str, locale: str) -> None:
    browser = await site.browser()
    await browser.post("/console/locale", locale=locale, next="")
    answer = await browser.get(f"/console/settings/{page}")
    assert answer.status_code == 200
    assert f'lang="{locale}"' in answer.text


async def _brand_form(site: Site, **changes: str) -> dict[str, str]:
    async with site.deps.sessions() as session:
        brand = await brands.get(session)
    form = {
        "name": brand.name,
        "time_zone": brand.time_zone,
        "currency": brand.currency,
        "default_locale": brand.default_locale,
        "has_zh": "true",
        "has_en": "true",
        "terms_zh": brand.terms["zh-CN"],
        "terms_en": brand.terms["en"],
    }
    return {**form, **changes}


async def test_the_brand_is_saved(site: Site) -> None:
    browser = await site.browser()
    form = await _brand_form(
        site, name="云上茶 Cloud Tea", quiet_start="22:00", quiet_end="08:30", cap_limit="3", cap_days="7"
    )
    assert (await browser.post("/console/settings/brand", **form)).status_code == 303
    page = (await browser.get("/console/settings/brand")).text
    async with site.deps.sessions() as session:
        brand = await brands.get(session)
    assert "云上茶 Cloud Tea" in page
    assert "Saved." in page
    assert (brand.quiet_hours.end.minute, brand.frequency_cap.days) == (30, 7)  # type: ignore[union-attr] # was saved
    assert "Saved." not in (await browser.get("/console/settings/brand")).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"currency": "XXQ"},
        {"name": "   "},
        {"quiet_start": "22:00"},
        {"cap_limit": "many", "cap_days": "7"},
        {"embed_origins": "shop.example/path"},
        {"terms_en": ""},
    ],
)
async def test_a_wrong_brand_is_shown_again_with_the_reason(site: Site, wrong: dict[str, str]) -> None:
    browser = await site.browser()
    answer = await browser.post("/console/settings/brand", **await _brand_form(site, **wrong))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    async with site.deps.sessions() as session:
        assert (await brands.get(session)).name == brands.DEFAULT.name


async def test_a_logo_is_taken_shown_and_removed(site: Site) -> None:
    browser = await site.browser()
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(picture, "PNG")
    fields = {"csrf_token": browser.token}
    upload = {"logo": ("logo.png", picture.getvalue(), "image/png")}
    assert (await browser.client.post("/console/settings/brand/logo", data=fields, files=upload)).status_code == 303
    async with site.client() as anybody:
        shown = await anybody.get("/console/logo")
    assert shown.headers["content-type"].startswith("image/")
    fake = {"logo": ("logo.png", b"<svg onload=alert(1)>", "image/png")}
    assert (await browser.client.post("/console/settings/brand/logo", data=fields, files=fake)).status_code == 422
    assert (await browser.client.post("/console/settings/brand/logo", data=fields)).status_code == 303
    async with site.client() as anybody:
        assert (await anybody.get("/console/logo")).status_code == 404


async def test_a_bot_is_added_after_its_token_was_checked(make_site: MakeSite) -> None:
    async def check(channel: str, token: str) -> BotAccount:
        if token != "123:good":
            raise InvalidError("Telegram does not know this token; copy it again from @BotFather.")
        return BotAccount("Cloud Tea", "cloud_tea_bot")

    site = make_site(check_bot_token=check)
    browser = await site.browser()
    refused = await browser.post("/console/settings/bots", channel="telegram", token="123:bad")
    assert refused.status_code == 422
    assert "BotFather" in refused.text
    assert "123:bad" not in refused.text
    added = await browser.post("/console/settings/bots", channel="telegram", token=" 123:good ")
    page = (await browser.get(added.headers["location"])).text
    assert "@cloud_tea_bot" in page
    assert "123:good" not in page
    async with site.deps.sessions() as session:
        (bot,) = await bots.listing(session)
        assert await bots.token(session, bot.id) == "123:good"


async def test_a_bot_is_stopped_and_started(site: Site) -> None:
    browser = await site.browser()
    added = await browser.post("/console/settings/bots", channel="webchat", name="Shop window")
    here = added.headers["location"]
    await browser.post(f"{here}/stop")
    assert "Stopped" in (await browser.get(here)).text
    await browser.post(f"{here}/start")
    assert "Active" in (await browser.get(here)).text
    wrong = await browser.post(here, name="Shop", bulk_rate="fast")
    assert wrong.status_code == 422
    assert (await browser.post(here, name=XSS, bulk_rate="12.5")).status_code == 303
    assert XSS not in (await browser.get(here)).text


async def test_an_api_key_is_shown_once(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/settings/api-keys")
    made = await browser.post("/console/settings/api-keys", name="Till", scope=["orders:write"], lifetime="30")
    secret = made.text.split("<code>siyu_")[1].split("</code>")[0]
    assert f"siyu_{secret}" not in (await browser.get("/console/settings/api-keys")).text
    async with site.client(Authorization=f"Bearer siyu_{secret}") as till:
        assert (await till.get("/api/v1/brand")).status_code == 403
    refused = await browser.post("/console/settings/api-keys", name="Till", lifetime="30")
    assert refused.status_code == 422
    assert 'value="Till"' in refused.text


async def test_a_chat_is_linked_by_its_code(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/settings/account")
    page = (await browser.post("/console/settings/account/chats/code")).text
    code = page.split("/link OP-")[1][:9]
    assert browser.operator is not None
    async with site.deps.sessions.begin() as session:
        contact = await make_contact(session)
        linked = await chats.redeem_code(
            session, contact.member.id, f"op-{code.lower()}", identity_id=contact.identity.id
        )
        found = await service.linked_identities(session, browser.operator.id)
    assert linked.operator_name == "Lin"
    assert [one.identity_id for one in found] == [contact.identity.id]
    assert contact.identity.display_name in (await browser.get("/console/settings/account")).text
    done = await browser.post(f"/console/settings/account/chats/{contact.identity.id}/unlink")
    assert done.status_code == 303


async def test_pages_hide_what_the_role_may_not_do(site: Site) -> None:
    auditor = await site.browser(Role.AUDITOR)
    page = (await auditor.get("/console/settings/operators")).text
    assert "Invite an operator" not in page
    assert "***@shop.example" in page
    analyst = await site.browser(Role.ANALYST)
    page = (await analyst.get("/console/settings/account")).text
    assert "/console/settings/operators" not in page


async def test_an_owner_cannot_be_the_last_to_leave(site: Site) -> None:
    owner = await site.browser()
    assert owner.operator is not None
    path = f"/console/settings/operators/{owner.operator.id}"
    assert (await owner.post(f"{path}/disable")).status_code == 409
    assert (await owner.post(f"{path}/role", role="agent")).status_code == 409
    assert (await owner.post(f"{path}/role", role="emperor")).status_code == 422


async def test_an_admin_cannot_touch_an_owner(site: Site) -> None:
    owner, admin = await site.browser(), await site.browser(Role.ADMIN)
    assert owner.operator is not None
    assert admin.operator is not None
    refused = await admin.post(f"/console/settings/operators/{owner.operator.id}/disable")
    risen = await admin.post(f"/console/settings/operators/{admin.operator.id}/role", role="owner")
    assert refused.status_code == risen.status_code == 403
    assert (await owner.get("/console/settings/account")).status_code == 200


async def test_an_invitation_for_a_known_address_is_refused(site: Site) -> None:
    owner = await site.browser()
    assert owner.operator is not None
    await owner.get("/console/settings/operators")
    path = "/console/settings/operators/invitations"
    assert (await owner.post(path, email=owner.operator.email, role="agent")).status_code == 409
    assert (await owner.post(path, email="no address", role="agent")).status_code == 422

"""What the forms of a member's page do: details, tags, points, consents, revealing, merging."""

from crm.audit import service as audit
from crm.consent import service as consent
from crm.members import service as members
from crm.operators.permissions import Role
from crm.points import service as points
from crm.tags import service as tags
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import Site
from tests.admin_api.console.people import ADDRESS, DOCUMENT, EMAIL, PHONE, Shown, make_shown
from tests.factories.members import make_contact


async def _opened(site: Site, role: Role = Role.OWNER) -> tuple[Shown, Browser]:
    async with site.deps.sessions.begin() as session:
        shown = await make_shown(session)
    browser = await site.browser(role)
    await browser.post("/console/locale", locale="en", next="")
    await browser.get(shown.path)
    return shown, browser


async def _actions(site: Site) -> list[str]:
    async with site.deps.sessions() as session:
        return [found.entry.action for found in await audit.latest(session)]


async def test_personal_data_is_revealed_by_an_audited_click(site: Site) -> None:
    shown, browser = await _opened(site, Role.AGENT)
    answer = await browser.post(f"{shown.path}/reveal")
    assert all(secret in answer.text for secret in (PHONE, EMAIL, DOCUMENT, ADDRESS))
    assert "member.reveal" in await _actions(site)
    part = await browser.client.post(
        f"{shown.path}/reveal", headers={"HX-Request": "true", "X-CSRF-Token": browser.token}
    )
    assert PHONE in part.text
    assert "<html" not in part.text
    assert PHONE not in (await browser.get(shown.path)).text


async def test_details_and_attributes_are_changed(site: Site) -> None:
    shown, browser = await _opened(site)
    page = await browser.get(f"{shown.path}/edit")
    version = page.text.split('name="version" value="')[1].split('"')[0]
    form = {
        "display_name": "Ann <b>",
        "locale": "zh-CN",
        "time_zone": "Asia/Tokyo",
        "birthday": "1990-12-31",
        "version": version,
        "attribute_favourite": "Oolong",
        "attribute_document": "",
    }
    assert (await browser.post(f"{shown.path}/edit", **form)).status_code == 303
    async with site.deps.sessions() as session:
        member = await members.get(session, shown.member_id)
        kept = await members.personal_attributes(session, shown.member_id)
    assert (member.display_name, member.locale, str(member.birthday)) == ("Ann <b>", "zh-CN", "1990-12-31")
    assert (member.attributes, kept) == ({"favourite": "Oolong"}, {"document": DOCUMENT})
    stale = await browser.post(f"{shown.path}/edit", **form)
    assert stale.status_code == 409
    assert "changed meanwhile" in stale.text


async def test_a_wrong_form_keeps_what_was_typed_and_changes_nothing(site: Site) -> None:
    shown, browser = await _opened(site)
    for wrong in (
        {"phone": "not a phone"},
        {"email": "nobody"},
        {"time_zone": "Mars/Olympus"},
        {"birthday": "31.12.1990"},
        {"attribute_favourite": "Coffee"},
    ):
        answer = await browser.post(f"{shown.path}/edit", display_name="Typed name", locale="en", **wrong)
        assert answer.status_code == 422, wrong
        assert "Typed name" in answer.text
        assert next(iter(wrong.values())) in answer.text or "attribute_favourite" in wrong
        assert 'role="alert"' in answer.text
    async with site.deps.sessions() as session:
        assert (await members.get(session, shown.member_id)).display_name == "林小满"


async def test_tags_are_put_on_and_taken_off(site: Site) -> None:
    shown, browser = await _opened(site)
    assert (await browser.post(f"{shown.path}/tags", tag=["vip:gold", "new，老客"])).status_code == 303
    assert (await browser.post(f"{shown.path}/tags/remove", tag="from:window")).status_code == 303
    refused = await browser.post(f"{shown.path}/tags", tag="fine, :broken")
    assert refused.status_code == 422
    assert ":broken" in refused.text
    async with site.deps.sessions() as session:
        found = {item.tag for item in await tags.of_member(session, shown.member_id)}
    assert found == {"likes:林小满", "vip:gold", "new", "老客"}


async def test_points_are_adjusted_once_per_form(site: Site) -> None:
    shown, browser = await _opened(site)
    form = {"direction": "take", "amount": "20", "explanation": "Wrong scan", "key": "form-1"}
    for _ in range(2):
        assert (await browser.post(f"{shown.path}/points/adjust", **form)).status_code == 303
    for wrong in ({"amount": "many"}, {"amount": "0"}, {"amount": "101"}, {"explanation": ""}):
        answer = await browser.post(f"{shown.path}/points/adjust", **{**form, "amount": "5", "key": "form-2", **wrong})
        assert answer.status_code in {409, 422}, wrong
        assert "data-open-at-start" in answer.text
    async with site.deps.sessions() as session:
        summary = await points.summary(session, shown.member_id)
    assert (summary.balance, summary.entries[0].reason) == (100, "Wrong scan")
    assert "points.adjust" in await _actions(site)


async def test_a_consent_is_withdrawn_for_the_member(site: Site) -> None:
    shown, browser = await _opened(site)
    channel = shown.contact.identity.channel
    assert (await browser.post(f"{shown.path}/consents/withdraw", channel=channel, topic="news")).status_code == 303
    assert (await browser.post(f"{shown.path}/consents/withdraw", channel="fax", topic="x")).status_code == 303
    async with site.deps.sessions() as session:
        found = await consent.status(session, shown.member_id)
    assert [(item.is_given, item.source) for item in found] == [(False, "operator")]


async def test_profiles_are_merged_and_taken_apart(site: Site) -> None:
    shown, browser = await _opened(site)
    async with site.deps.sessions.begin() as session:
        other = (await make_contact(session, display_name="Second self")).member
    page = await browser.get(f"{shown.path}/merge?query=Second")
    assert "Second self" in page.text
    merged = await browser.post(f"{shown.path}/merge", drop_member_id=str(other.id), query="Second")
    assert merged.status_code == 303
    kept = await browser.get(f"/console/members/{other.id}")
    assert f'href="{shown.path}"' in kept.text
    for wrong in (str(shown.member_id), "nobody", "987654321"):
        assert (await browser.post(f"{shown.path}/merge", drop_member_id=wrong)).status_code in {404, 409, 422}
    page = await browser.get(f"{shown.path}/merge")
    undo = page.text.split('action="/console/members/merges/')[1].split('"')[0]
    assert (await browser.post(f"/console/members/merges/{undo}")).status_code == 303
    assert (await browser.post(f"/console/members/merges/{undo}")).status_code == 409
    async with site.deps.sessions() as session:
        assert (await members.get(session, other.id)).merged_into_id is None

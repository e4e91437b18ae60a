"""Members through the API: found, changed, tagged, merged, and their personal data kept close."""

import pytest

from crm.audit import service as audit
from crm.members import service as members
from crm.members.types import Contact
from crm.operators.permissions import Role
from tests.admin_api.conftest import Site
from tests.factories.members import make_contact

PATH = "/api/v1/members"


async def _contact(site: Site, name: str = "Li Hua", address: str | None = None) -> Contact:
    async with site.deps.sessions.begin() as session:
        return await make_contact(session, display_name=name, address=address)


async def test_members_are_found_by_name_phone_and_address(site: Site) -> None:
    contact = await _contact(site, "林小满", "4815162342")
    await _contact(site, "Amelia")
    async with await site.api() as client:
        await client.patch(f"{PATH}/{contact.member.id}", json={"phone": "+86 138 1234 5678"})
        for query in ("小满", "13812345678", "+86 138-1234-5678", "5678", "4815162342"):
            found = (await client.get(PATH, params={"query": query})).json()
            assert [item["id"] for item in found["items"]] == [contact.member.id], query
            assert found["next_cursor"] is None
            assert found["items"][0]["phone_masked"] == "138****5678"


async def test_a_member_is_shown_with_everything_but_personal_data(site: Site) -> None:
    contact = await _contact(site, address="4815162342")
    here = f"{PATH}/{contact.member.id}"
    async with await site.api() as owner, await site.api("members:read") as reader:
        await owner.patch(here, json={"phone": "+8613812345678", "email": "hua@shop.example"})
        await owner.post(f"{here}/tags", json={"tag": "likes:oolong"})
        full, masked = (await owner.get(here)).json(), (await reader.get(here)).json()
        refused = await reader.post(f"{here}/reveal")
        revealed = (await owner.post(f"{here}/reveal")).json()
    assert full["points_balance"] == 0
    assert [tag["tag"] for tag in full["tags"]] == ["likes:oolong"]
    assert full["identities"][0]["address"] == "4815162342"
    assert masked["identities"][0]["address"] == "***2342"
    assert "13812345678" not in str(full)
    assert "hua@shop" not in str(full)
    assert refused.status_code == 403
    assert (revealed["phone"], revealed["email"]) == ("+8613812345678", "hua@shop.example")
    async with site.deps.sessions() as session:
        actions = [found.entry.action for found in await audit.latest(session)]
    assert "member.reveal" in actions


@pytest.mark.parametrize("role", [Role.ANALYST, Role.MARKETER, Role.APPROVER, Role.AUDITOR])
async def test_roles_without_reveal_see_no_personal_data_anywhere(site: Site, role: Role) -> None:
    contact = await _contact(site, address="4815162342")
    here = f"{PATH}/{contact.member.id}"
    async with site.deps.sessions.begin() as session:
        await members.set_phone(session, contact.member.id, "+8613812345678", is_verified=True)
        await members.set_email(session, contact.member.id, "hua@shop.example")
    browser = await site.browser(role)
    for path in (PATH, here, f"{here}/timeline", f"{here}/points", f"{PATH}?query=13812345678", "/api/v1/orders"):
        text = (await browser.client.get(path)).text
        assert "13812345678" not in text
        assert "hua@shop.example" not in text
        assert "4815162342" not in text


async def test_a_change_is_all_or_nothing(site: Site) -> None:
    contact = await _contact(site)
    here = f"{PATH}/{contact.member.id}"
    async with await site.api() as client:
        wrong = await client.patch(here, json={"display_name": "Someone", "phone": "not a phone"})
        stale = await client.patch(here, json={"display_name": "Someone", "expected_version": 999})
        unknown = await client.patch(here, json={"time_zone": "Mars/Olympus"})
        name = (await client.get(here)).json()["display_name"]
        long = await client.patch(here, json={"display_name": "🍵" * 10_000})
    assert (wrong.status_code, stale.status_code, unknown.status_code) == (422, 409, 422)
    assert name == "Li Hua"
    assert len(long.json()["display_name"]) == 64


async def test_a_member_that_is_not_there(site: Site) -> None:
    async with await site.api() as client:
        for path in ("", "/timeline", "/conversation", "/points", "/points/entries", "/merges"):
            answer = await client.get(f"{PATH}/987654321{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "member_not_found"), path
        tagged = await client.post(f"{PATH}/987654321/tags", json={"tag": "vip"})
    assert tagged.status_code == 404


async def test_the_timeline_shows_what_was_reported(site: Site) -> None:
    contact = await _contact(site)
    event = {"name": "workshop_booked", "member_id": contact.member.id, "properties": {"seats": 2}, "key": "w-1"}
    order = {
        "member_id": contact.member.id,
        "external_id": "T-2041",
        "amount": "168.00",
        "currency": "CNY",
        "placed_at": "2026-02-01T10:00:00+08:00",
        "items": [{"name": "Oolong", "quantity": 2}],
    }
    async with await site.api() as client:
        reported = [(await client.post("/api/v1/events", json=event)).status_code for _ in range(2)]
        ordered = [(await client.post("/api/v1/orders", json=order)).status_code for _ in range(2)]
        timeline = (await client.get(f"{PATH}/{contact.member.id}/timeline", params={"limit": 2})).json()
        rest = await client.get(
            f"{PATH}/{contact.member.id}/timeline", params={"limit": 200, "cursor": timeline["next_cursor"]}
        )
        member = (await client.get(f"{PATH}/{contact.member.id}")).json()
    kinds = [item["kind"] for item in [*timeline["items"], *rest.json()["items"]]]
    assert reported == ordered == [201, 200]
    assert kinds.count("custom") == kinds.count("order_placed") == 1
    assert (member["orders_count"], member["orders_total"]) == (1, "168.00")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "-1"},
        {"amount": "1.234"},
        {"amount": "NaN"},
        {"currency": "EUR"},
        {"placed_at": "2026-02-01T10:00:00"},
        {"placed_at": "9999-12-31T23:59:59-12:00"},
        {"member_id": 987654321},
        {"external_id": ""},
        {"surprise": True},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(site: Site, change: dict[str, object]) -> None:
    contact = await _contact(site)
    order = {
        "member_id": contact.member.id,
        "external_id": "T-1",
        "amount": "10.00",
        "currency": "CNY",
        "placed_at": "2026-02-01T10:00:00+08:00",
    }
    async with await site.api() as client:
        answer = await client.post("/api/v1/orders", json={**order, **change})
        listed = (await client.get("/api/v1/orders")).json()["items"]
    assert answer.status_code in {404, 422}
    assert listed == []


async def test_points_are_corrected_and_never_below_zero(site: Site) -> None:
    contact = await _contact(site)
    here = f"{PATH}/{contact.member.id}/points"
    async with await site.api() as client:
        for _ in range(2):
            await client.post(f"{here}/adjust", json={"points": 50, "reason": "A mistake of ours", "key": "c-1"})
        refused = await client.post(f"{here}/adjust", json={"points": -51, "reason": "Too much"})
        summary = (await client.get(here)).json()
        entries = (await client.get(f"{here}/entries")).json()["items"]
    assert refused.status_code == 409
    assert refused.json()["balance"] == 50
    assert summary["balance"] == 50
    assert [entry["points"] for entry in entries] == [50]


async def test_two_profiles_are_merged_and_taken_apart(site: Site) -> None:
    keep, drop = await _contact(site, "Keep"), await _contact(site, "Drop")
    async with await site.api() as client:
        await client.post(f"{PATH}/{drop.member.id}/tags", json={"tag": "vip"})
        path = f"{PATH}/{keep.member.id}/merges"
        merged = await client.post(path, json={"drop_member_id": drop.member.id})
        joined = (await client.get(f"{PATH}/{keep.member.id}")).json()
        itself = await client.post(path, json={"drop_member_id": keep.member.id})
        undone = await client.post(f"{PATH}/merges/{merged.json()['id']}/undo")
        apart = (await client.get(f"{PATH}/{keep.member.id}")).json()
    assert merged.status_code == 201
    assert len(joined["identities"]) == 2
    assert [tag["tag"] for tag in joined["tags"]] == ["vip"]
    assert itself.status_code in {409, 422}
    assert undone.status_code == 200
    assert (len(apart["identities"]), apart["tags"]) == (1, [])

"""A member's own details: changes, phones, e-mail, zones, attributes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.service import timeline
from crm.kit.errors import DomainError
from crm.members import attributes, policy, service
from crm.members.errors import (
    AttributeTaken,
    InvalidAttribute,
    InvalidEmail,
    InvalidMember,
    InvalidPhone,
    MemberChanged,
    UnknownAttribute,
    UnknownLocale,
    UnknownTimeZone,
)
from crm.members.types import MemberChanges
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.members import make_member

PHONE, EMAIL = "+8613800138000", "li.hua@example.org"


async def test_changes_are_written_together_and_announced_by_name(session: AsyncSession) -> None:
    member = await make_member(session)
    changes = MemberChanges(display_name=" 小 明 ", locale="zh-CN", birthday=date(1990, 2, 28))
    changed = await service.change(session, member.id, changes, by="operator:1", expected_version=member.version)
    assert (changed.display_name, changed.locale, changed.birthday) == ("小 明", "zh-CN", date(1990, 2, 28))
    assert changed.version == member.version + 1
    assert (await profiles.get(session, member.id)).locale == "zh-CN"
    newest = (await timeline(session, member.id))[0]
    assert newest.data == {
        "changed": ["birthday", "display_name", "locale"],
        "filled": ["birthday", "display_name"],
        "by": "operator:1",
    }
    with pytest.raises(MemberChanged):
        await service.change(session, member.id, changes, by="operator:2", expected_version=member.version)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (MemberChanges(display_name="\u200b \x00"), InvalidMember),
        (MemberChanges(locale="fr"), UnknownLocale),
        (MemberChanges(time_zone="Mars/Base"), UnknownTimeZone),
        (MemberChanges(time_zone="../etc/passwd"), UnknownTimeZone),
        (MemberChanges(birthday=date(1800, 1, 1)), InvalidMember),
        (MemberChanges(birthday=date(9999, 1, 1)), InvalidMember),
        (MemberChanges(display_name="Fine", attributes={"unheard": 1}), UnknownAttribute),
    ],
)
async def test_a_bad_change_changes_nothing(
    session: AsyncSession, changes: MemberChanges, error: type[DomainError]
) -> None:
    member = await make_member(session)
    with pytest.raises(error):
        await service.change(session, member.id, changes, by="member")
    assert await service.get(session, member.id) == member


async def test_personal_data_is_sealed_and_masked(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.set_phone(session, member.id, "138 0013 8000", is_verified=True)
    shown = await service.set_email(session, member.id, " Li.Hua@Example.ORG ")
    assert (shown.phone_masked, shown.is_phone_verified, shown.email_masked) == (
        "138****8000",
        True,
        "l****@example.org",
    )
    assert await service.phone(session, member.id) == PHONE
    assert await service.email(session, member.id) == EMAIL
    dump = (await session.execute(text("SELECT members::text FROM members"))).scalar_one()
    for plain in (PHONE, "13800138000", EMAIL):
        assert plain not in dump
        assert plain.encode().hex() not in dump


async def test_verification_belongs_to_the_number(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.set_phone(session, member.id, PHONE, is_verified=True)
    assert (await service.set_phone(session, member.id, "13800138000", is_verified=False)).is_phone_verified
    assert not (await service.set_phone(session, member.id, "+8613900139000", is_verified=False)).is_phone_verified


@pytest.mark.parametrize("phone", ["", "12", "hello", "+86138001380001234", "１３８" * 20, "x" * 10_000, "\x00", "999"])
async def test_a_phone_that_is_no_phone_is_refused(session: AsyncSession, phone: str) -> None:
    member = await make_member(session)
    with pytest.raises(InvalidPhone, match="country code"):
        await service.set_phone(session, member.id, phone, is_verified=False)
    assert await service.phone(session, member.id) is None


@pytest.mark.parametrize(
    "email", ["", "a@b", "a b@example.org", "a@example..org", "a@@example.org", "x" * 300 + "@a.cn"]
)
async def test_an_address_that_is_none_is_refused(session: AsyncSession, email: str) -> None:
    member = await make_member(session)
    with pytest.raises(InvalidEmail):
        await service.set_email(session, member.id, email)


@pytest.mark.parametrize(
    ("hint", "locale"),
    [("zh-hans", "zh-CN"), ("en-GB", "en"), ("EN_us", "en"), ("fr", "zh-CN"), (None, "zh-CN"), ("", "zh-CN")],
)
def test_the_language_follows_the_hint(hint: str | None, locale: str) -> None:
    assert policy.locale_for(hint, ["zh-CN", "en"], "zh-CN") == locale


def test_phones_are_masked() -> None:
    assert policy.masked_phone("+447911123456") == "+44****3456"


async def test_a_lead_changes_zone_at_once_a_member_from_the_next_local_day(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member = await make_member(session)
    assert (await service.zone(session, member.id)).key == "Asia/Shanghai"
    lead = await service.change(session, member.id, MemberChanges(time_zone="Europe/London"), by="member")
    assert (lead.time_zone, lead.zone_changes_at) == ("Europe/London", None)
    assert await service.mark_signed_up(session, member.id)
    assert not await service.mark_signed_up(session, member.id)
    moved = await service.change(session, member.id, MemberChanges(time_zone="Asia/Tokyo"), by="member")
    assert (moved.time_zone, moved.next_time_zone) == ("Europe/London", "Asia/Tokyo")
    assert moved.zone_changes_at == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert (await service.zone(session, member.id)).key == "Europe/London"
    await at(session, "2026-03-02T00:00+00:00")
    assert (await service.zone(session, member.id)).key == "Asia/Tokyo"
    there = await service.get(session, member.id)
    assert (there.time_zone, there.next_time_zone, there.zone_changes_at) == ("Asia/Tokyo", None, None)


async def test_choosing_the_present_zone_takes_a_pending_change_back(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.change(session, member.id, MemberChanges(time_zone="Asia/Tokyo"), by="member")
    await service.mark_signed_up(session, member.id)
    pending = await service.change(session, member.id, MemberChanges(time_zone=None), by="member")
    assert pending.zone_changes_at is not None
    back = await service.change(session, member.id, MemberChanges(time_zone="Asia/Tokyo"), by="member")
    assert (back.time_zone, back.zone_changes_at) == ("Asia/Tokyo", None)


async def test_signing_up_is_in_the_profile(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.mark_signed_up(session, member.id)
    signed_up_at = (await service.get(session, member.id)).signed_up_at
    assert signed_up_at is not None
    assert (await profiles.get(session, member.id)).signed_up_at == signed_up_at


async def _define_all(session: AsyncSession) -> None:
    label = {"en": "Label"}
    await attributes.define(session, "city", label=label, type="text")
    await attributes.define(session, "cups", label=label, type="number")
    await attributes.define(session, "since", label=label, type="date")
    await attributes.define(session, "vegan", label=label, type="boolean")
    await attributes.define(session, "taste", label=label, type="choice", choices=["tea", "coffee"])
    await attributes.define(session, "real_name", label=label, type="text", is_personal=True)


async def test_attributes_are_a_merge_patch_and_personal_ones_are_sealed(session: AsyncSession) -> None:
    await _define_all(session)
    member = await make_member(session)
    first: dict[str, Any] = {"city": "杭州", "cups": 2.5, "taste": "tea", "vegan": True, "since": "2020-02-29"}
    await service.change(session, member.id, MemberChanges(attributes={**first, "real_name": "李华之"}), by="member")
    second = await service.change(session, member.id, MemberChanges(attributes={"city": None, "cups": 3}), by="member")
    assert second.attributes == {"cups": 3, "taste": "tea", "vegan": True, "since": "2020-02-29"}
    assert await service.personal_attributes(session, member.id) == {"real_name": "李华之"}
    dump = (await session.execute(text("SELECT members::text FROM members"))).scalar_one()
    assert "李华之" not in dump
    gone = await service.change(session, member.id, MemberChanges(attributes={"real_name": None}), by="member")
    assert gone.attributes == second.attributes
    assert await service.personal_attributes(session, member.id) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("city", 1),
        ("city", "x" * 2001),
        ("cups", "3"),
        ("cups", True),
        ("cups", float("nan")),
        ("since", "2021-02-29"),
        ("vegan", "yes"),
        ("taste", "beer"),
        ("city", {"nested": []}),
    ],
)
async def test_a_value_of_the_wrong_type_is_refused(session: AsyncSession, key: str, value: object) -> None:
    await _define_all(session)
    member = await make_member(session)
    with pytest.raises(InvalidAttribute, match=key):
        await service.change(session, member.id, MemberChanges(attributes={key: value}), by="member")


async def test_definitions_are_checked_and_archived(session: AsyncSession) -> None:
    await _define_all(session)
    with pytest.raises(AttributeTaken):
        await attributes.define(session, "city", label={"en": "City"}, type="text")
    for key, kind, choices in (
        ("City", "text", None),
        ("x", "colour", None),
        ("x", "choice", []),
        ("1a", "text", None),
    ):
        with pytest.raises(InvalidAttribute):
            await attributes.define(session, key, label={"en": "X"}, type=kind, choices=choices)
    await attributes.change_definition(session, "city", is_archived=True)
    assert "city" not in {item.key for item in await attributes.definitions(session)}
    member = await make_member(session)
    with pytest.raises(UnknownAttribute):
        await service.change(session, member.id, MemberChanges(attributes={"city": "x"}), by="member")

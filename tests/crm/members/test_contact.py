"""First contact, being seen again, and whether messages arrive."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import driver_of
from crm.db.session import Sessions
from crm.events.service import timeline
from crm.members import addresses, service
from crm.members.errors import AddressTaken, IdentityNotFound, InvalidMember, MemberNotFound
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.bots import make_bot
from tests.factories.members import make_contact


async def test_a_stranger_becomes_a_lead_with_identity_and_profile(session: AsyncSession) -> None:
    contact = await make_contact(session, display_name="李华", username="lihua", locale_hint="zh-hans")
    assert contact.is_new
    assert (contact.member.display_name, contact.member.locale) == ("李华", "zh-CN")
    assert not contact.member.is_signed_up
    profile = await profiles.get(session, contact.member.id)
    assert (profile.stage, profile.points_balance, profile.is_reachable) == ("lead", 0, True)
    assert [entry.kind for entry in await timeline(session, contact.member.id)] == ["member_created"]


async def test_the_same_account_comes_back_as_the_same_member(session: AsyncSession) -> None:
    bot = await make_bot(session)
    first = await make_contact(session, bot=bot, address="42")
    again = await make_contact(session, bot=bot, address="42", display_name="Hua Li", username="hua")
    assert not again.is_new
    assert again.member.id == first.member.id
    assert (again.identity.display_name, again.identity.username) == ("Hua Li", "hua")
    assert (await service.identity(session, first.identity.id)).display_name == "Hua Li"
    other = await make_contact(session, bot=await make_bot(session), address="42")
    assert other.member.id != first.member.id


async def test_a_known_account_costs_one_statement(session: AsyncSession) -> None:
    bot = await make_bot(session)
    await make_contact(session, bot=bot, address="42")
    statements: list[str] = []

    def note(record: Any) -> None:
        statements.append(record.query)

    with (await driver_of(session)).query_logger(note):
        await make_contact(session, bot=bot, address="42")
        await asyncio.sleep(0)
    assert len(statements) == 1


async def test_being_seen_is_noted_every_five_minutes(session: AsyncSession, at: At) -> None:
    bot = await make_bot(session)
    first = await at(session, "2026-03-01T08:00+00:00")
    contact = await make_contact(session, bot=bot, address="42")
    await at(session, "2026-03-01T08:04+00:00")
    await make_contact(session, bot=bot, address="42")
    assert (await service.get(session, contact.member.id)).last_seen_at == first
    later = await at(session, "2026-03-01T08:05+00:00")
    await make_contact(session, bot=bot, address="42")
    assert (await service.get(session, contact.member.id)).last_seen_at == later
    assert (await profiles.get(session, contact.member.id)).last_seen_at == later
    latest = await at(session, "2026-03-01T08:06+00:00")
    await service.touch(session, contact.identity.id)
    assert (await service.identity(session, contact.identity.id)).last_seen_at == latest


async def test_two_first_contacts_at_once_make_one_member(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        bot = await make_bot(session)

    async def contact() -> int:
        async with committed_sessions.begin() as own:
            return (await make_contact(own, bot=bot, address="42")).member.id

    found = await asyncio.gather(*(contact() for _ in range(8)))
    assert len(set(found)) == 1
    async with committed_sessions() as session:
        for table in ("members", "profiles", "events"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("👩‍👩‍👧‍👦 Family", "👩‍👩‍👧‍👦 Family"),
        ("\u202eevil\u2066", "evil"),
        ("a\x00b\u200bc", "abc"),
        ("x" * 10_000, "x" * 64),
        ("lone \ud800", "lone ?"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("{{7*7}}", "{{7*7}}"),
        ("=1+1", "=1+1"),
        ("\x00", ""),
    ],
)
async def test_hostile_names_are_stored_literally(session: AsyncSession, name: str, shown: str) -> None:
    contact = await make_contact(session, display_name=name)
    assert (await service.get(session, contact.member.id)).display_name == shown


@pytest.mark.parametrize("address", ["", "  ", "\x00", "x" * 257])
async def test_a_senseless_address_is_refused(session: AsyncSession, address: str) -> None:
    bot = await make_bot(session)
    with pytest.raises(InvalidMember):
        await service.ensure_identity(session, bot_id=bot.id, channel="telegram", address=address)


async def test_a_blocked_member_is_reachable_again_by_writing(session: AsyncSession) -> None:
    bot = await make_bot(session)
    contact = await make_contact(session, bot=bot, address="42")
    await service.set_reachable(session, contact.identity.id, False, "blocked")
    await service.set_reachable(session, contact.identity.id, False, "blocked")
    assert not (await profiles.get(session, contact.member.id)).is_reachable
    stay = await service.ensure_identity(session, bot_id=bot.id, channel="telegram", address="42", revives=False)
    assert (stay.identity.is_reachable, stay.identity.unreachable_reason) == (False, "blocked")
    back = await make_contact(session, bot=bot, address="42")
    assert back.identity.is_reachable
    assert (await profiles.get(session, contact.member.id)).is_reachable
    changes = await timeline(session, contact.member.id, kinds=["reachability_changed"])
    assert [entry.data["is_reachable"] for entry in changes] == [True, False]


async def test_a_migrated_chat_keeps_its_member(session: AsyncSession) -> None:
    bot = await make_bot(session)
    contact = await make_contact(session, bot=bot, address="42")
    taken = await make_contact(session, bot=bot, address="43")
    await addresses.migrate(session, contact.identity.id, "-1001234567890")
    assert (await make_contact(session, bot=bot, address="-1001234567890")).member.id == contact.member.id
    with pytest.raises(AddressTaken):
        await addresses.migrate(session, taken.identity.id, "-1001234567890")


async def test_members_of_a_demo_bot_are_demo_data(session: AsyncSession) -> None:
    bot = await make_bot(session, is_demo=True)
    assert (await make_contact(session, bot=bot)).member.is_demo


async def test_what_is_not_there_is_named(session: AsyncSession) -> None:
    with pytest.raises(MemberNotFound):
        await service.get(session, 2**62)
    with pytest.raises(IdentityNotFound):
        await service.identity(session, 2**62)

"""A new secret: everything is found before, while and after it is sealed anew; then the older secret can go."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crm.bots import service as bots
from crm.bots.errors import TokenTaken
from crm.conversations import journal, wakes
from crm.conversations import service as conversations
from crm.conversations.types import Direction, JournalEntry, NewMessage, Place
from crm.db import rotation, sealed
from crm.db.base import Base
from crm.db.session import Sessions, Surroundings, make_sessions
from crm.imports import staging
from crm.inbox import service as inbox
from crm.kit.crypto import SealBrokenError, Vault
from crm.kit.discovery import modules_named
from crm.members import bulk, linking, merging
from crm.members import service as members
from crm.members.models import MemberRow
from crm.operators import idempotency, links
from crm.operators import service as operators
from crm.operators.permissions import Role
from crm.operators.types import StoredResponse
from crm.points import service as points
from crm.tickets import service as tickets
from runtime.commands.secrets import rotate_all
from tests.conftest import SECRET
from tests.factories.members import find_members, make_contact, make_member
from tests.factories.operators import PASSWORD

NEWER = b"another secret that only tests know"
PHONE, EMAIL, TOKEN = "+8613800138000", "hua@example.com", "123456:" + "a" * 35
UNKEYED = {
    "audit_log.hash": "chain of the log",
    "media.data": "pictures that were sent or shown",
    "imports.fingerprint": "digest of a file",
    "referral_devices.fingerprint": "keyed, but only compared with others of its time; a rotation begins anew",
    "operator_sessions.token_hash": "digest of 256 random bits",
    "operator_links.token_hash": "digest of 256 random bits",
    "api_keys.token_hash": "digest of 256 random bits",
    "idempotency_keys.body_hash": "digest, to notice another body",
    "operator_chat_codes.code_hash": "lives ten minutes",
    "link_codes.code_index": "lives ten minutes, and is looked up under every secret in use",
    "ledger_entries.hash": "chain of the ledger",
    "point_accounts.last_hash": "chain of the ledger",
    "ledger_checkpoints.digest": "chain of the checkpoints",
    "ledger_checkpoints.signature": "append-only: a new checkpoint speaks for those before it",
    "ledger_checkpoint_heads.hash": "chain of the ledger",
}
"""Binary columns that no rotation touches, and why."""


@pytest.fixture
def before(committed_sessions: Sessions) -> Sessions:
    """As it was."""
    return committed_sessions


@pytest.fixture
def during(committed_sessions: Sessions, committed_engine: AsyncEngine, surroundings: Surroundings) -> Sessions:
    """With the new secret, the older one still known."""
    return make_sessions(committed_engine, replace(surroundings, vault=Vault(NEWER, SECRET)))


@pytest.fixture
def after(committed_sessions: Sessions, committed_engine: AsyncEngine, surroundings: Surroundings) -> Sessions:
    """With the new secret alone."""
    return make_sessions(committed_engine, replace(surroundings, vault=Vault(NEWER)))


async def _fill(session: AsyncSession) -> dict[str, int]:
    bot = await bots.add(session, channel="telegram", name="Tea", token=TOKEN)
    identity = (await make_contact(session, bot=bot)).identity
    hua = identity.member_id
    other = await make_member(session)
    await members.set_phone(session, hua, PHONE, is_verified=True)
    await members.set_email(session, other.id, EMAIL)
    merge_id = await merging.merge(session, hua, other.id, by="operator:1")
    await operators.create(session, email=EMAIL, name="Lin", role=Role.OWNER, password=PASSWORD)
    await links.issue_password_reset(session, 1)
    await links.invite(session, email="new@example.com", role=Role.AGENT, acting=Role.OWNER)
    stored = StoredResponse(200, "application/json", b"{}")
    await idempotency.keep(session, principal="a:1", key="k: {x}", operation="o", body=b"", response=stored)
    await tickets.request_person(session, hua, identity_id=identity.id, note="call me")
    await inbox.store(session, bot_id=bot.id, update_key="1", chat_key="5", payload=b"raw")
    talk = await conversations.load(session, identity.id, bot_id=bot.id, chat_key="5")
    await conversations.record(session, identity.id, [NewMessage(Direction.IN, "text", "hello")])
    entry = JournalEntry(path="a/{b}", occurrence=1, position=1, is_effect=False, value="x")
    await journal.write(session, talk.id, 1, added=[entry], removed=[])
    await wakes.report(session, str(Place(talk.id, 1, 1)), {"done": True})
    kept = await staging.upload(session, b"name,phone\nLi,13900139000\n", filename="a.csv", by="operator:1")
    await points.earn(session, hua, 5, rule="r", key="k")
    await points.checkpoint(session)
    return {"hua": hua, "other": other.id, "merge": merge_id, "bot": bot.id, "talk": talk.id, "import": kept.id}


async def _all_is_found(sessions: Sessions, ids: dict[str, int]) -> None:
    async with sessions() as session:
        for query in (PHONE, EMAIL, "8000"):
            assert await find_members(session, query) == [ids["hua"]]
        assert await bulk.by_phones(session, [PHONE]) == {PHONE: [ids["hua"]]}
        assert await members.phone(session, ids["hua"]) == PHONE
        path = await bots.webhook_path_secret(session, ids["bot"])
        assert await bots.find_by_path(session, path) is not None
        assert await bots.token(session, ids["bot"]) == TOKEN
        assert (await operators.authenticate(session, email=EMAIL, password=PASSWORD)).email == EMAIL
        with pytest.raises(TokenTaken):
            await bots.add(session, channel="telegram", name="Twice", token=TOKEN)
        replayed = await idempotency.claim(session, principal="a:1", key="k: {x}", operation="o", body=b"")
        assert replayed is not None
        assert [one.note for one in (await tickets.listing(session)).items] == ["call me"]
        taken = await inbox.next_for_chat(session, ids["bot"], "5")
        assert taken is not None
        assert taken.payload == b"raw"
        assert [one.value for one in await journal.entries(session, ids["talk"], 1)] == ["x"]
        assert [one.value for one in await wakes.due(session)] == [{"result": {"done": True}}]
        assert (await staging.sheet(session, ids["import"])).rows_total == 1
        assert [one.text for one in await conversations.transcript(session, ids["hua"])] == ["hello"]
        assert (await points.verify(session)).is_clean


async def test_all_is_found_before_while_and_after(before: Sessions, during: Sessions, after: Sessions) -> None:
    async with before.begin() as session:
        ids = await _fill(session)
    await _all_is_found(before, ids)
    await _all_is_found(during, ids)
    assert await rotate_all(during) == 0
    await _all_is_found(during, ids)
    await _all_is_found(after, ids)
    async with after.begin() as session:
        await merging.undo(session, ids["merge"], by="operator:1")
    async with after() as session:
        assert await find_members(session, EMAIL) == [ids["other"]]
    async with before() as session:
        with pytest.raises(SealBrokenError):
            await members.phone(session, ids["hua"])


async def test_an_interrupted_rotation_goes_on_where_it_was(before: Sessions, during: Sessions) -> None:
    async with before.begin() as session:
        wanted = [await make_member(session) for _ in range(7)]
        for number, member in enumerate(wanted):
            await members.set_phone(session, member.id, f"+861380013800{number}", is_verified=False)
    phone = next(item for item in sealed.registry() if item.name == "members.phone_sealed")
    async with during.begin() as session:
        for member in wanted[2:5]:
            await members.set_phone(session, member.id, PHONE, is_verified=False)
    async with during() as session:
        assert await rotation.count_left(session, phone) == 4
    assert (await rotation.rotate(during, phone, batch=2)).resealed == 4
    assert (await rotation.rotate(during, phone, batch=2)).resealed == 0
    async with during() as session:
        assert await rotation.count_left(session, phone) == 0


async def test_what_no_key_opens_is_named_and_left(
    before: Sessions, after: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    async with before.begin() as session:
        member = await make_member(session)
        await members.set_phone(session, member.id, PHONE, is_verified=False)
        kept = await session.scalar(select(MemberRow.phone_sealed))
    assert await rotate_all(after) == 1
    assert f"members.phone:{member.id} opens with none" in capsys.readouterr().out
    async with before() as session:
        assert await session.scalar(select(MemberRow.phone_sealed)) == kept


async def test_a_link_code_of_the_older_secret_still_joins(before: Sessions, during: Sessions) -> None:
    async with before.begin() as session:
        bot = await bots.add(session, channel="telegram", name="Tea", token=None)
        one = (await make_contact(session, bot=bot, address="1")).identity
        other = (await make_contact(session, bot=bot, address="2")).identity
        code = (await linking.issue_link_code(session, one.member_id, identity_id=one.id)).code
    async with during.begin() as session:
        found = await linking.redeem_link_code(session, other.member_id, code, identity_id=other.id)
    assert found.merged_member_id is not None


def _binary_columns() -> Iterator[str]:
    for _ in modules_named("crm", "models"):
        pass
    for table in Base.metadata.tables.values():
        yield from (f"{table.name}.{column.name}" for column in table.c if isinstance(column.type, LargeBinary))


def test_every_binary_column_is_rotated_or_needs_no_key() -> None:
    known = {item.name for item in sealed.registry()}
    known |= {f"{item.table.name}.{one.column}" for item in sealed.registry() for one in item.indexes}
    assert set(_binary_columns()) == known | set(UNKEYED)
    assert not known & set(UNKEYED)


def test_places_are_made_of_columns() -> None:
    for item in sealed.registry():
        assert {*item.needed, item.column, *(one.column for one in item.indexes)} <= set(item.table.c.keys())
        assert item.needed, f"{item.name} is bound to no row"


def test_uuids_stand_in_places_as_services_write_them() -> None:
    number = UUID(int=5)
    assert "{id}".format_map({"id": number}) == str(number)

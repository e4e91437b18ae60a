"""Accounts, one-time links, chats and clearing away."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.operators import chats, links, service, sessions
from crm.operators.errors import (
    ChatCodeWrongError,
    EmailTakenError,
    LastOwnerError,
    LinkNotFoundError,
    SetupDoneError,
    WrongPasswordError,
)
from crm.operators.jobs import clear_expired
from crm.operators.permissions import Role
from crm.operators.policy import is_address_allowed, masked_email, sign_in_delay
from crm.operators.types import LinkPurpose, Operator
from tests.conftest import At
from tests.factories.members import make_contact
from tests.factories.operators import PASSWORD, make_operator

START = "2026-03-01T08:00+08:00"


async def test_an_operator_signs_in_by_any_spelling_of_the_address(session: AsyncSession) -> None:
    await make_operator(session, email="Lin@Shop.example")
    found = await service.authenticate(session, email=" lin@SHOP.example", password=PASSWORD)
    assert found.email == "lin@shop.example"
    assert found.last_signed_in_at is not None
    with pytest.raises(EmailTakenError):
        await make_operator(session, email="LIN@shop.example")


async def test_the_address_is_sealed(session: AsyncSession) -> None:
    await make_operator(session, email="lin@shop.example")
    rows = (await session.execute(text("SELECT operators::text FROM operators"))).scalars().all()
    assert "lin@shop" not in "".join(rows)
    assert b"lin@shop".hex() not in "".join(rows)


async def test_a_disabled_operator_cannot_sign_in(session: AsyncSession) -> None:
    await make_operator(session)
    operator = await make_operator(session, role=Role.AGENT)
    token = await sessions.open_session(session, operator.id, ip="127.0.0.1", user_agent="x")
    assert await sessions.resolve(session, token) is not None
    await service.disable(session, operator.id, acting=Role.OWNER)
    assert await sessions.resolve(session, token) is None
    with pytest.raises(WrongPasswordError):
        await service.authenticate(session, email=operator.email, password=PASSWORD)
    await service.enable(session, operator.id, acting=Role.OWNER)
    assert await sessions.resolve(session, token) is None


async def test_two_owners_cannot_both_leave(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        owners = [await make_operator(session), await make_operator(session)]

    async def leave(operator: Operator) -> bool:
        try:
            async with committed_sessions.begin() as own:
                await service.disable(own, operator.id, acting=Role.OWNER)
        except LastOwnerError:
            return False
        return True

    assert sorted(await asyncio.gather(*map(leave, owners))) == [False, True]


async def test_the_setup_link_is_one_and_ends(session: AsyncSession, at: At) -> None:
    await at(session, START)
    first, second = await links.issue_setup(session), await links.issue_setup(session)
    with pytest.raises(LinkNotFoundError):
        await links.look(session, first.token, LinkPurpose.SETUP)
    with pytest.raises(LinkNotFoundError):
        await links.look(session, second.token, LinkPurpose.INVITATION)
    await at(session, "2026-03-02T08:01+08:00")
    with pytest.raises(LinkNotFoundError):
        await links.look(session, second.token, LinkPurpose.SETUP)


async def test_there_is_no_setup_once_there_is_an_operator(session: AsyncSession) -> None:
    issued = await links.issue_setup(session)
    await make_operator(session)
    with pytest.raises(SetupDoneError):
        await links.issue_setup(session)
    with pytest.raises(SetupDoneError):
        await links.complete_setup(session, issued.token, email="m@shop.example", name="Mallory", password=PASSWORD)


async def test_one_setup_link_makes_one_operator_even_at_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        token = (await links.issue_setup(session)).token

    async def set_up(number: int) -> bool:
        try:
            async with committed_sessions.begin() as own:
                address = f"lin{number}@shop.example"
                await links.complete_setup(own, token, email=address, name="Lin", password=PASSWORD)
        except (SetupDoneError, LinkNotFoundError):
            return False
        return True

    assert sum(await asyncio.gather(*(set_up(number) for number in range(6)))) == 1


async def test_a_second_invitation_ends_the_first(session: AsyncSession) -> None:
    first = await links.invite(session, email="mo@shop.example", role=Role.AGENT, acting=Role.OWNER)
    second = await links.invite(session, email="MO@shop.example", role=Role.ANALYST, acting=Role.OWNER)
    with pytest.raises(LinkNotFoundError):
        await links.accept_invitation(session, first.token, name="Mo", password=PASSWORD)
    joined = await links.accept_invitation(session, second.token, name="Mo", password=PASSWORD)
    assert joined.role is Role.ANALYST
    assert await links.pending(session) == []


async def test_a_chat_code_works_once_and_for_ten_minutes(session: AsyncSession, at: At) -> None:
    await at(session, START)
    operator, contact = await make_operator(session), await make_contact(session)
    code = await chats.issue_code(session, operator.id)
    who = {"identity_id": contact.identity.id}
    with pytest.raises(ChatCodeWrongError):
        await chats.redeem_code(session, contact.member.id, "OP-AAAA-AAAA", **who)
    await chats.redeem_code(session, contact.member.id, code.code.replace("-", " "), **who)
    with pytest.raises(ChatCodeWrongError):
        await chats.redeem_code(session, contact.member.id, code.code, **who)
    late = await chats.issue_code(session, operator.id)
    await at(session, "2026-03-01T08:11+08:00")
    with pytest.raises(ChatCodeWrongError):
        await chats.redeem_code(session, contact.member.id, late.code, **who)
    assert len(await service.linked_identities(session, operator.id)) == 1


async def test_what_has_expired_is_cleared_away(sessions: Sessions, at: At) -> None:
    async with sessions.begin() as session:
        operator = await make_operator(session)
    async with sessions.begin() as session:
        await at(session, "2020-01-01T00:00Z")
        issued = await links.issue_password_reset(session, operator.id)
        await chats.issue_code(session, operator.id)
    async with sessions.begin() as session:
        await session.execute(text("SELECT set_config('siyu.now', '', true)"))
        fresh = await links.issue_password_reset(session, operator.id)
        assert issued.token != fresh.token
    assert await clear_expired.run(sessions) == 0
    async with sessions() as session:
        await links.look(session, fresh.token, LinkPurpose.PASSWORD_RESET)
        left = (await session.execute(text("SELECT count(*) FROM operator_links"))).scalar_one()
        codes = (await session.execute(text("SELECT count(*) FROM operator_chat_codes"))).scalar_one()
    assert (left, codes) == (1, 0)


@pytest.mark.parametrize(
    ("failures", "least", "most"), [(0, 0, 0), (3, 0, 0), (4, 1, 1), (10, 60, 900), (40, 900, 900)]
)
def test_waits_double_and_have_an_end(failures: int, least: int, most: int) -> None:
    assert least <= sign_in_delay(failures, free=4) <= most


@pytest.mark.parametrize(
    ("address", "networks", "is_allowed"),
    [
        ("10.1.2.3", [], True),
        ("10.1.2.3", ["10.1.0.0/16"], True),
        ("10.2.2.3", ["10.1.0.0/16"], False),
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], True),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("unknown", ["10.1.0.0/16"], False),
    ],
)
def test_addresses_are_matched(address: str, networks: list[str], is_allowed: bool) -> None:
    assert is_address_allowed(address, networks) is is_allowed


def test_addresses_are_masked() -> None:
    assert masked_email("lin@shop.example") == "l***@shop.example"

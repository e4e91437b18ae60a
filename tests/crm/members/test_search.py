"""The list of members: what a query finds, filters, and pages."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.paging import InvalidCursor, InvalidLimit
from crm.members import service
from crm.members.types import MemberQuery
from crm.profiles import service as profiles
from tests.factories.bots import make_bot
from tests.factories.members import find_members, make_contact, make_member


@pytest.fixture
async def hua(session: AsyncSession) -> int:
    """A member who can be found in every way, beside two others."""
    bot = await make_bot(session)
    await make_member(session, bot=bot, display_name="王小明")
    hua = await make_contact(session, bot=bot, address="700123", display_name="李华 100%", username="HuaLi_88")
    await make_member(session, bot=bot, display_name="Someone")
    await service.set_phone(session, hua.member.id, "+8613800138000", is_verified=True)
    await service.set_email(session, hua.member.id, "hua@example.org")
    return hua.member.id


@pytest.mark.parametrize(
    "query",
    [
        "李华",
        "华 1",
        "100%",
        "huali_88",
        "@HuaLi",
        "700123",
        "+8613800138000",
        "138 0013 8000",
        "8000",
        "HUA@example.org",
    ],
)
async def test_a_member_is_found_by(session: AsyncSession, hua: int, query: str) -> None:
    assert await find_members(session, query) == [hua]


@pytest.mark.parametrize(
    "query", ["%%%", "_", "8001", "+8613800138001", "\\", "7001", "'; DROP TABLE members; --", "\x00x\x00y"]
)
async def test_what_fits_nobody_finds_nobody(session: AsyncSession, hua: int, query: str) -> None:
    found = await find_members(session, query)
    assert found == ([hua] if query == "_" else [])


async def test_pages_follow_each_other_without_gap_or_double(session: AsyncSession) -> None:
    bot = await make_bot(session)
    made = [(await make_member(session, bot=bot)).id for _ in range(5)]
    seen: list[int] = []
    cursor = None
    while True:
        page = await service.page(session, MemberQuery(limit=2, cursor=cursor))
        seen += [item.id for item in page.items]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == made[::-1]


async def test_a_strange_cursor_or_limit_is_refused(session: AsyncSession) -> None:
    with pytest.raises(InvalidCursor):
        await service.page(session, MemberQuery(cursor="nonsense"))
    with pytest.raises(InvalidLimit):
        await service.page(session, MemberQuery(limit=0))


async def test_filters_narrow_the_list(session: AsyncSession, hua: int) -> None:
    await profiles.record(session, hua, stage="loyal", tag_ids=[3, 7], first_source_id=5)
    for query in (
        MemberQuery(stage="loyal"),
        MemberQuery(tag=7),
        MemberQuery(source_id=5),
        MemberQuery(query="李", tag=3, channel="telegram"),
    ):
        assert [item.id for item in (await service.page(session, query)).items] == [hua]
    for query in (MemberQuery(tag=8), MemberQuery(channel="webchat"), MemberQuery(stage="churned")):
        assert (await service.page(session, query)).items == []


async def test_a_line_shows_what_a_list_needs(session: AsyncSession, hua: int) -> None:
    await profiles.record(session, hua, points_balance=120)
    line = (await service.page(session, MemberQuery(query="李华"))).items[0]
    assert (line.phone_masked, line.points_balance, line.channels, line.stage) == (
        "138****8000",
        120,
        ["telegram"],
        "lead",
    )

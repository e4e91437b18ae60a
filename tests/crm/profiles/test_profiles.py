"""Profiles: facts are recorded by their owners and read by everyone."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.profiles import service
from crm.profiles.errors import ProfileNotFound
from crm.profiles.views import profiles
from tests.factories.members import make_member


async def test_what_is_recorded_is_read(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.record(session, member.id, stage="new", points_balance=12, multiplier=Decimal("1.5"), tag_ids=[2, 1])
    profile = await service.get(session, member.id)
    assert (profile.stage, profile.points_balance, profile.multiplier, profile.tag_ids) == (
        "new",
        12,
        Decimal("1.500"),
        [2, 1],
    )


async def test_nobody_has_no_profile(session: AsyncSession) -> None:
    with pytest.raises(ProfileNotFound):
        await service.record(session, 2**62, streak=1)
    with pytest.raises(ProfileNotFound):
        await service.get(session, 2**62)


async def test_the_view_shows_active_members_only(session: AsyncSession) -> None:
    member = await make_member(session)
    await make_member(session)
    await service.record(session, member.id, is_active=False)
    assert (await session.execute(select(func.count()).select_from(profiles))).scalar_one() == 1


async def test_members_of_a_tag_are_found_through_the_index(session: AsyncSession) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    query = select(profiles.c.member_id).where(profiles.c.tag_ids.overlap([3]))
    compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = await session.scalars(text(f"EXPLAIN {compiled}"))
    assert "ix_profiles_tag_ids" in "".join(plan.all())

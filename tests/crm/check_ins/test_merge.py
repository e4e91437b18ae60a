"""Merging profiles joins their check-ins into one streak, and undo takes them apart."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import service
from crm.members import merging
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.members import make_member


async def test_days_are_joined_and_come_apart_again(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T01:00Z")
    keep, drop = await make_member(session), await make_member(session)
    for member, days in ((keep, (1, 3)), (drop, (2, 3, 4))):
        for day in days:
            await at(session, f"2026-03-{day:02}T01:00Z")
            await service.check_in(session, member.id)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    found = await service.calendar(session, keep.id)
    assert (found.days, found.streak, found.total) == ([1, 2, 3, 4], 4, 4)
    profile = await profiles.get(session, keep.id)
    assert (profile.streak, profile.check_ins_count) == (4, 4)
    assert not (await service.check_in(session, keep.id)).is_new
    await merging.undo(session, merge_id, by="operator:1")
    found = await service.calendar(session, keep.id)
    assert (found.days, found.total) == ([1, 3], 2)
    assert (await service.calendar(session, drop.id)).days == [2, 3, 4]

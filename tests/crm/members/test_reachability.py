"""Many accounts at once that cannot be reached any more: marked, announced once, and told to the profiles."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import reachability
from crm.members import service as members
from crm.profiles.views import profiles
from tests.factories.bots import make_bot
from tests.factories.members import make_contact

_EVENTS = text("SELECT data ->> 'reason' FROM events WHERE kind = 'reachability_changed' AND member_id = :member")


async def _is_reachable(session: AsyncSession, member_id: int) -> bool:
    query = select(profiles.c.is_reachable).where(profiles.c.member_id == member_id)
    return bool((await session.execute(query)).scalar_one())


async def test_all_are_marked_and_announced_once(session: AsyncSession) -> None:
    bot = await make_bot(session)
    gone, left, moved = [await make_contact(session, bot=bot, address=str(number)) for number in (71, 72, 73)]
    await session.execute(
        text("UPDATE identities SET member_id = :member WHERE id = :id"),
        {"member": left.member.id, "id": moved.identity.id},
    )
    for _ in range(2):
        await reachability.note_unreachable(session, {gone.identity.id: "blocked", left.identity.id: "deactivated"})
    found = await members.identity(session, gone.identity.id)
    assert (found.is_reachable, found.unreachable_reason) == (False, "blocked")
    assert not await _is_reachable(session, gone.member.id)
    assert await _is_reachable(session, left.member.id), "another account of theirs can be reached"
    for contact, reason in ((gone, "blocked"), (left, "deactivated")):
        assert (await session.scalars(_EVENTS, {"member": contact.member.id})).all() == [reason]


async def test_both_accounts_of_a_member_at_once(session: AsyncSession) -> None:
    bot = await make_bot(session)
    one, other = [await make_contact(session, bot=bot, address=str(number)) for number in (81, 82)]
    await session.execute(
        text("UPDATE identities SET member_id = :member WHERE id = :id"),
        {"member": one.member.id, "id": other.identity.id},
    )
    await reachability.note_unreachable(session, {one.identity.id: "blocked", other.identity.id: "blocked"})
    assert not await _is_reachable(session, one.member.id)
    assert len((await session.scalars(_EVENTS, {"member": one.member.id})).all()) == 2


async def test_nobody_changes_nothing(session: AsyncSession) -> None:
    one = await make_contact(session)
    await reachability.note_unreachable(session, {})
    assert await _is_reachable(session, one.member.id)

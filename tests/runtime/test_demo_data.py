"""The tea shop is made through the real services."""

from datetime import timedelta

from sqlalchemy import func, select, text

from crm.coupons.service import holding
from crm.db import clock
from crm.db.base import Base
from crm.db.session import Sessions
from crm.draws.service import definitions as draws
from crm.draws.service import playing, verifying
from crm.draws.types import DrawStatus
from crm.missions.service import definitions as missions
from crm.points import liability
from crm.points import service as points
from crm.profiles.views import profiles
from crm.referrals.service import programmes as referrals
from crm.rewards.service import catalogue, redeeming
from crm.tiers.service import programmes as tiers
from crm.tiers.service import standings
from runtime.demo_data.filling import fill, is_filled
from runtime.demo_data.people import people
from runtime.demo_data.removing import remove
from tests.factories.members import make_contact


def test_the_same_people_each_time() -> None:
    assert people(50) == people(50)
    assert {person.locale for person in people(50)} == {"zh-CN", "en"}


async def test_a_small_shop_is_filled_once_and_its_ledger_is_clean(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await session.execute(text("SELECT set_config('siyu.now', (now() - interval '200 days')::text, true)"))
        await points.ensure_defaults(session)
    assert await fill(committed_sessions, count=12) == 12
    assert await fill(committed_sessions, count=12) == 0
    async with committed_sessions() as session:
        rewards = await catalogue.listing(session)
        assert len(rewards) == 5
        assert all(reward.photo_media_id for reward in rewards)
        assert sum(reward.redeemed for reward in rewards) > 0
        assert {draw.status for draw in await draws.listing(session)} == {DrawStatus.OPEN, DrawStatus.CLOSED}
        assert len(await missions.listing(session)) == 2
        assert [item.is_active for item in await referrals.listing(session)] == [True]
        assert set(await standings.counts(session)) > {"", "silver"}
        closed = (await draws.listing(session, [DrawStatus.CLOSED]))[0]
        assert (await verifying.of_draw(session, closed.id)).is_right
        assert any(item.expired for item in (await liability.report(session)).history)
    assert await is_filled(committed_sessions)
    async with committed_sessions() as session:
        query = select(func.count(), func.sum(profiles.c.points_balance), func.sum(profiles.c.orders_count))
        members, balance, orders = (await session.execute(query)).one()
        assert members == 12
        assert balance > 0
        assert orders > 0
        report = await points.verify(session)
        assert report.is_clean, report.problems


async def test_the_shop_is_removed_without_a_trace_and_the_real_member_stays(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await points.ensure_defaults(session)
        real = await make_contact(session, display_name="Real")
        await points.earn(session, real.member.id, 50, rule="manual", key="real")
    before = await _rows(committed_sessions)
    await fill(committed_sessions, count=12)
    async with committed_sessions.begin() as session:
        await points.checkpoint(session)
    assert await remove(committed_sessions) == 12
    assert await remove(committed_sessions) == 0
    left = {name: count for name, count in (await _rows(committed_sessions)).items() if count > before.get(name, 0)}
    allowed = {"audit_log", "ledger_checkpoints", "ledger_checkpoint_heads", "tags", "event_handoffs"}
    assert set(left) <= allowed, left
    async with committed_sessions() as session:
        assert await points.balance(session, real.member.id) == 50
        report = await points.verify(session)
        assert report.is_clean, report.problems


async def test_what_a_real_member_took_of_the_demo_shelf_stays_theirs(committed_sessions: Sessions) -> None:
    await fill(committed_sessions, count=1)
    async with committed_sessions.begin() as session:
        real = (await make_contact(session, display_name="Real")).member
        await points.earn(session, real.id, 500, rule="manual", key="real")
        cup = (await catalogue.listing(session))[0]
        taken = await redeeming.redeem(session, real.id, cup.id, key="real")
    await remove(committed_sessions)
    async with committed_sessions() as session:
        (kept,) = await catalogue.listing(session)
        assert (kept.id, kept.is_active) == (cup.id, False)
        (voucher,) = await holding.usable(session, real.id)
        assert voucher.id == taken.voucher_id


async def test_what_a_real_member_took_part_in_is_kept_and_switched_off(committed_sessions: Sessions) -> None:
    await fill(committed_sessions, count=12)
    async with committed_sessions.begin() as session:
        real = (await make_contact(session, display_name="Real")).member
        (packets,) = await draws.listing(session, [DrawStatus.OPEN])
        played = await playing.play(session, real.id, packets.id, key="real")
        until = await clock.now(session) + timedelta(days=365)
        await standings.grant(session, real.id, "gold", until=until, reason="A friend", by="operator:1")
    await remove(committed_sessions)
    async with committed_sessions() as session:
        (kept,) = await draws.listing(session)
        assert (kept.id, kept.status, kept.plays) == (packets.id, DrawStatus.CLOSED, played.position)
        assert (await verifying.of_draw(session, kept.id)).is_right
        assert await tiers.live(session) is not None
        assert (await standings.standing(session, real.id)).tier == "gold"
        report = await points.verify(session)
        assert report.is_clean, report.problems


async def _rows(sessions: Sessions) -> dict[str, int]:
    async with sessions() as session:
        found = {}
        for table in Base.metadata.sorted_tables:
            found[table.name] = await session.scalar(select(func.count()).select_from(table)) or 0
        return found

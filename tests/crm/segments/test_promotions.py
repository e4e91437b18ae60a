"""Segments that earning rules ask for are written down to the profiles, differences only."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.catalogue import CustomEvent
from crm.points import earning_rules
from crm.points import service as points
from crm.profiles import service as profiles
from crm.segments import promotions, service
from tests.factories.members import make_member

STREAK = {"all": [{"condition": "points_balance", "at_least": 5}]}
VISIT = {"points": 10, "event_name": "visit"}


async def _visit(session: AsyncSession, member_id: int) -> list[int]:
    recorded = await events.publish(session, CustomEvent(member_id=member_id, name="visit"))
    return [award.points for award in await points.award(session, recorded)]


async def test_a_rule_is_for_the_members_of_its_segment(session: AsyncSession) -> None:
    inside, outside = await make_member(session), await make_member(session)
    await points.earn(session, inside.id, 5, rule="gift", key="gift")
    segment = await service.create(session, name="Savers", rule=STREAK)
    rule = await earning_rules.create(
        session, kind="custom_event", name="x", parameters=VISIT, terms={"audience": {"segment_ids": [segment.id]}}
    )
    assert await _visit(session, inside.id) == []
    assert await promotions.refresh(session) == 1
    assert await promotions.refresh(session) == 0
    assert (await profiles.get(session, inside.id)).segment_ids == [segment.id]
    assert [await _visit(session, one.id) for one in (inside, outside)] == [[10], []]
    await service.archive(session, segment.id)
    assert await promotions.refresh(session) == 1
    assert await _visit(session, inside.id) == []
    await service.archive(session, segment.id, is_archived=False)
    assert await promotions.refresh(session) == 1
    await earning_rules.change(session, rule.id, is_active=False)
    assert await promotions.refresh(session) == 1
    assert (await profiles.get(session, inside.id)).segment_ids == []

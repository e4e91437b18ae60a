"""The first page's figures are those of the members, in the brand's days."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crm.analytics import service
from crm.analytics.types import Dashboard, DayCount
from crm.brand import service as brands
from crm.campaigns import launching
from crm.events.catalogue import CheckedIn, MemberSignedUp
from crm.events.service import publish
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.campaigns import make_campaign
from tests.factories.members import make_member

NOON = "2026-03-01T12:00+08:00"


def _check_in(member_id: int) -> CheckedIn:
    return CheckedIn(member_id=member_id, local_date=date(2026, 3, 1), streak=1)


async def test_an_empty_house_has_zeros(session: AsyncSession, at: At) -> None:
    await at(session, NOON)
    found = await service.dashboard(session)
    figures = {name: value for name, value in vars(found).items() if isinstance(value, int)}
    assert set(figures.values()) == {0}
    assert [found.joined_by_day[0].day, found.joined_by_day[-1].day] == [date(2026, 1, 31), date(2026, 3, 1)]
    assert len(found.joined_by_day) == len(found.checked_in_by_day) == 30


async def test_members_are_counted_by_the_brands_days(session: AsyncSession, at: At) -> None:
    now = await at(session, NOON)
    today, yesterday, long_ago, lead, gone = [(await make_member(session)).id for _ in range(5)]
    midnight = datetime(2026, 2, 28, 16, tzinfo=UTC)
    joined = {today: midnight, yesterday: midnight - timedelta(microseconds=1), long_ago: now - timedelta(days=40)}
    for member_id, moment in joined.items():
        await profiles.record(session, member_id, signed_up_at=moment, last_seen_at=moment, points_balance=10)
        await publish(session, MemberSignedUp(member_id=member_id, channel="telegram"), occurred_at=moment)
        await publish(session, _check_in(member_id), occurred_at=moment)
    await profiles.record(session, yesterday, is_reachable=False)
    await profiles.record(session, lead, last_seen_at=now)
    await profiles.record(session, gone, is_active=False, signed_up_at=now, points_balance=999)
    found = await service.dashboard(session)
    assert (found.members, found.leads, found.joined_today, found.joined_this_week) == (3, 1, 1, 2)
    assert (found.checked_in_today, found.checked_in_yesterday, found.active_this_week) == (1, 1, 3)
    assert (found.reachable, found.points_outstanding) == (2, 30)
    shown = [{item.day.isoformat(): item.count for item in days if item.count} for days in _charts(found)]
    assert shown == [{"2026-02-28": 1, "2026-03-01": 1}] * 2


async def test_the_day_is_that_of_the_brand(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T06:00+08:00")
    member_id = (await make_member(session)).id
    await publish(session, _check_in(member_id), occurred_at=now)
    await brands.change(session, time_zone="America/New_York")
    found = await service.dashboard(session)
    assert (found.checked_in_by_day[-1].day, found.checked_in_today) == (date(2026, 2, 28), 1)


async def test_running_campaigns_are_counted(session: AsyncSession) -> None:
    await make_member(session)
    campaigns = [await make_campaign(session) for _ in range(2)]
    for campaign in campaigns:
        await launching.launch(session, campaign.id, by="operator:1")
    await launching.pause(session, campaigns[0].id)
    await make_campaign(session)
    assert (await service.dashboard(session)).campaigns_running == 1


def _charts(found: Dashboard) -> tuple[list[DayCount], list[DayCount]]:
    return found.joined_by_day, found.checked_in_by_day

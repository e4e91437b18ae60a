"""Journeys that begin with a day of the year or with an event: once for each cause, with words about it."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.db import clock
from crm.events.catalogue import CustomEvent, TagAdded
from crm.events.loyalty import PointsExpiring, TierAtRisk
from crm.events.service import publish
from crm.events.types import Event
from crm.journeys import contents, service, shipped
from crm.journeys.advancing import advance_due
from crm.journeys.enrolling import enroll_by_event, enroll_yearly
from crm.journeys.errors import InvalidJourneyError
from crm.journeys.nodes.send import SendParameters
from crm.journeys.nodes.wait_until import WaitUntilParameters
from crm.journeys.triggers import AnyTrigger, DateProperty, DateTrigger, EventTrigger, SignedUpTrigger, samples
from crm.journeys.types import JourneyStatus
from crm.messages.content import compile_content, tidy
from crm.messages.types import ChannelTraits, Recipient
from crm.points import service as points
from runtime.contents import ContentRenderer
from tests.conftest import At
from tests.factories.deliveries import make_topic
from tests.factories.journeys import SEND, graph, make_journey, ways
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member

TRAITS = ChannelTraits("telegram")


async def _born(
    session: AsyncSession, born: date | None, zone: str = "Asia/Shanghai", joined: str = "2020-01-01"
) -> int:
    member = await make_member(session)
    values = {"id": member.id, "born": born, "zone": zone, "joined": datetime.fromisoformat(f"{joined}T04:00+00:00")}
    await session.execute(text("UPDATE members SET birthday = :born, time_zone = :zone WHERE id = :id"), values)
    await session.execute(text("UPDATE profiles SET signed_up_at = :joined WHERE member_id = :id"), values)
    return member.id


async def _yearly(session: AsyncSession, offset_days: int = 0, kind: str = "birthday", at: str = "10:00") -> int:
    trigger = DateTrigger(date=DateProperty(kind), offset_days=offset_days, at=time.fromisoformat(at))
    return (await make_journey(session, graph("a", a=SEND), trigger=trigger)).id


@pytest.mark.parametrize(
    ("born", "now", "offset", "enters"),
    [
        (date(1990, 5, 20), "2026-05-20T10:00+08:00", 0, True),
        (date(1990, 5, 20), "2026-05-20T23:59+08:00", 0, True),
        (date(1990, 5, 20), "2026-05-20T09:59+08:00", 0, False),
        (date(1990, 5, 20), "2026-05-21T10:00+08:00", 0, False),
        (date(1990, 5, 20), "2026-05-13T10:00+08:00", -7, True),
        (date(1990, 5, 20), "2026-05-23T10:00+08:00", 3, True),
        (date(1990, 1, 3), "2025-12-27T10:00+08:00", -7, True),
        (date(1992, 2, 29), "2026-02-28T10:00+08:00", 0, True),
        (date(1992, 2, 29), "2026-03-01T10:00+08:00", 0, False),
        (date(1992, 2, 29), "2028-02-28T10:00+08:00", 0, False),
        (date(1992, 2, 29), "2028-02-29T10:00+08:00", 0, True),
        (date(1992, 2, 28), "2028-02-28T10:00+08:00", 0, True),
        (None, "2026-05-20T10:00+08:00", 0, False),
    ],
)
async def test_birthdays(
    session: AsyncSession, at: At, *, born: date | None, now: str, offset: int, enters: bool
) -> None:
    await at(session, now)
    member_id = await _born(session, born)
    journey_id = await _yearly(session, offset)
    assert await enroll_yearly(session) == int(enters)
    assert await enroll_yearly(session) == 0
    assert set(await ways(session, journey_id)) == ({member_id} if enters else set())


async def test_each_member_by_their_own_clock_and_every_year(session: AsyncSession, at: At) -> None:
    await at(session, "2026-05-20T00:30+00:00")
    far, near = await _born(session, date(1990, 5, 20), "America/Los_Angeles"), await _born(session, date(1990, 5, 20))
    journey_id = await _yearly(session, at="08:30")
    assert await enroll_yearly(session) == 1
    assert set(await ways(session, journey_id)) == {near}
    await at(session, "2026-05-20T15:30+00:00")
    assert await enroll_yearly(session) == 1
    assert set(await ways(session, journey_id)) == {near, far}
    await session.execute(text("UPDATE members SET birthday = '1990-06-20'"))
    await at(session, "2026-06-20T15:30+00:00")
    assert await enroll_yearly(session) == 0, "a birthday that is moved gives no second one"
    await at(session, "2027-06-20T15:30+00:00")
    assert await enroll_yearly(session) == 2


async def test_anniversaries_begin_with_the_first_year(session: AsyncSession, at: At) -> None:
    await at(session, "2026-05-20T10:00+08:00")
    today, before = await _born(session, None, joined="2026-05-20"), await _born(session, None, joined="2023-05-20")
    journey_id = await _yearly(session, kind="sign_up")
    assert await enroll_yearly(session) == 1
    assert (today in await ways(session, journey_id), before in await ways(session, journey_id)) == (False, True)
    said = await contents.facts(session, f"{journey_id}.1.a", [(before, 0), (today, 0)])
    assert said == {(before, 0): {"on": "2026-05-20", "years": 3}}


async def _happens(session: AsyncSession, event: Event) -> int:
    return await enroll_by_event(session, await publish(session, event))


def _expiring(member_id: int, points: int = 80, days: int = 7) -> PointsExpiring:
    at = datetime(2026, 5, 1, 16, tzinfo=UTC)
    return PointsExpiring(member_id=member_id, points=points, at=at, on=date(2026, 5, 2), days=days)


async def test_an_event_enters_each_time_with_its_own_words(session: AsyncSession, at: At) -> None:
    await at(session, "2026-04-25T10:00+08:00")
    member = await make_member(session)
    await make_topic(session)
    words = "{{ trigger.points|number }} until {{ trigger.on|day }} {{ trigger.at|day }}"
    plan = graph("a", a={"kind": "send", "parameters": {"message": {"text": {"en": words}}}})
    wanted = EventTrigger(event="points_expiring", where={"days": 7}, at_least={"points": 50})
    journey = await make_journey(session, plan, trigger=wanted)
    first = await publish(session, _expiring(member.id, 80))
    assert [await enroll_by_event(session, first) for _ in range(2)] == [1, 0]
    assert await _happens(session, _expiring(member.id, 90)) == 1
    assert await _happens(session, _expiring(member.id, 49)) == 0
    assert await _happens(session, _expiring(member.id, 90, days=1)) == 0
    while await advance_due(session):
        pass
    rows = await session.execute(text("SELECT step, source_id FROM delivery_states ORDER BY step"))
    assert [tuple(row) for row in rows] == [(0, f"{journey.id}.1.a"), (1, f"{journey.id}.1.a")]
    batch = await ContentRenderer().load(session, "journey", f"{journey.id}.1.a", [(member.id, 0), (member.id, 1)])
    shown = [batch.render(member.id, "en", TRAITS, step).text_html for step in (0, 1)]
    assert shown == ["80 until May 2 May 2", "90 until May 2 May 2"]


async def test_a_journey_rests(session: AsyncSession, at: At) -> None:
    await at(session, "2026-04-01T10:00+08:00")
    member = await make_member(session)
    journey = await make_journey(
        session, graph("a", a=SEND), trigger=EventTrigger(event="points_expiring", rest_days=3)
    )
    taken = []
    for day in range(1, 9):
        await at(session, f"2026-04-0{day}T10:00+08:00")
        taken.append(await _happens(session, _expiring(member.id)))
    assert taken == [1, 0, 0, 1, 0, 0, 1, 0]
    await service.pause(session, journey.id)
    await at(session, "2026-05-01T10:00+08:00")
    assert await _happens(session, _expiring(member.id)) == 0


async def test_only_what_somebody_waits_for_is_handed_over(session: AsyncSession) -> None:
    member = await make_member(session)

    async def waiting() -> list[str]:
        query = "SELECT kind FROM event_wishes WHERE subscriber = 'journeys.event'"
        return list(await session.scalars(text(query)))

    journey = await make_journey(session, graph("a", a=SEND), trigger=EventTrigger(event="tag_added"), is_active=False)
    assert await waiting() == []
    await service.activate(session, journey.id)
    assert await waiting() == ["tag_added"]
    await service.change(session, journey.id, trigger=EventTrigger(event="custom", where={"name": "tasting"}))
    assert await waiting() == ["custom"]
    assert await _happens(session, TagAdded(member_id=member.id, tag="tea", source="test")) == 0
    assert await _happens(session, CustomEvent(member_id=member.id, name="visit")) == 0
    assert await _happens(session, CustomEvent(member_id=member.id, name="tasting")) == 1
    assert await _happens(session, CustomEvent(member_id=None, name="tasting")) == 0
    await service.pause(session, journey.id)
    assert await waiting() == []


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ({"kind": "event", "event": "nothing"}, "list of events"),
        ({"kind": "event", "event": "journey_ended"}, "list of events"),
        ({"kind": "event", "event": "points_expiring", "where": {"colour": "red"}}, "has no field 'colour'"),
        ({"kind": "event", "event": "custom", "at_least": {"properties": 1}}, "has no field 'properties'"),
        ({"kind": "event", "event": "points_earned"}, "rest"),
        ({"kind": "event", "event": "tag_added", "rest_days": -1}, "greater than or equal to 0"),
        ({"kind": "date", "date": "wedding"}, "birthday"),
        ({"kind": "date", "date": "birthday", "offset_days": 61}, "60"),
        ({"kind": "date", "date": "birthday", "at": "10:00+08:00"}, "without an offset"),
        ({"kind": "date", "date": "birthday", "at": "25:00"}, "hour"),
    ],
)
def test_a_wrong_trigger_says_why(trigger: dict[str, Any], words: str) -> None:
    kind = EventTrigger if trigger["kind"] == "event" else DateTrigger
    with pytest.raises(ValidationError, match=words):
        kind.model_validate(trigger)


@pytest.mark.parametrize(
    ("trigger", "is_fine"),
    [
        (EventTrigger(event="points_expiring"), True),
        (EventTrigger(event="tag_added"), False),
        (DateTrigger(date=DateProperty.BIRTHDAY), False),
        (SignedUpTrigger(), False),
    ],
)
async def test_texts_say_only_what_the_trigger_knows(session: AsyncSession, trigger: AnyTrigger, is_fine: bool) -> None:
    plan = graph("a", a={"kind": "send", "parameters": {"message": {"text": {"en": "{{ trigger.points }} left"}}}})
    await make_topic(session)
    if is_fine:
        await service.create(session, name="Reminder", trigger=trigger, graph=plan)
        return
    with pytest.raises(InvalidJourneyError, match=r"no variable trigger\.points"):
        await service.create(session, name="Reminder", trigger=trigger, graph=plan)


async def test_gifts_are_given_once_for_each_time(session: AsyncSession, at: At) -> None:
    await at(session, "2026-04-25T10:00+08:00")
    await make_topic(session)
    member = await make_member(session)
    coupon = await make_coupon(session, limit_per_member=1)
    plan = graph(
        "points",
        points={"kind": "give_points", "parameters": {"points": 50, "reason": "birthday"}, "exits": {"next": "coupon"}},
        coupon={
            "kind": "give_coupon",
            "parameters": {"coupon_id": coupon.id},
            "exits": {"next": "yes", "refused": "no"},
        },
        yes=SEND,
        no=SEND,
    )
    journey = await make_journey(session, plan, trigger=EventTrigger(event="custom"))
    for _ in range(2):
        assert await _happens(session, CustomEvent(member_id=member.id, name="gift")) == 1
        while await advance_due(session):
            pass
    assert await points.balance(session, member.id) == 100
    rows = await session.scalars(text("SELECT source_id FROM delivery_states ORDER BY step"))
    assert list(rows) == [f"{journey.id}.1.yes", f"{journey.id}.1.no"], "the second voucher was refused"
    entries = (await points.statement(session, member.id)).items
    assert [entry.reason for entry in entries] == ["birthday", "birthday"]


@pytest.mark.parametrize(
    ("now", "zone", "weekdays", "due"),
    [
        ("2026-05-20T08:00+08:00", "Asia/Shanghai", [], "2026-05-20T10:00+08:00"),
        ("2026-05-20T12:00+08:00", "Asia/Shanghai", [], "2026-05-20T12:00+08:00"),
        ("2026-05-20T20:00+08:00", "Asia/Shanghai", [], "2026-05-21T10:00+08:00"),
        ("2026-05-20T12:00+08:00", "Asia/Shanghai", [1, 5], "2026-05-22T10:00+08:00"),
        ("2026-05-20T21:00+08:00", "Asia/Shanghai", [3], "2026-05-27T10:00+08:00"),
        ("2026-05-20T12:00+08:00", "America/Los_Angeles", [], "2026-05-20T10:00-07:00"),
        ("2026-03-29T00:30+01:00", "Europe/Berlin", [], "2026-03-29T10:00+02:00"),
    ],
)
def test_waiting_until_a_time_of_day(now: str, zone: str, weekdays: list[int], due: str) -> None:
    parameters = WaitUntilParameters(weekdays=weekdays)
    assert parameters.due(datetime.fromisoformat(now), ZoneInfo(zone)) == datetime.fromisoformat(due)


async def test_members_of_one_batch_wait_until_their_own_morning(session: AsyncSession, at: At) -> None:
    await at(session, "2026-05-20T00:00+00:00")
    east, west = await _born(session, None), await _born(session, None, "America/New_York")
    plan = graph("until", until={"kind": "wait_until", "parameters": {}, "exits": {"next": "a"}}, a=SEND)
    await make_journey(session, plan, trigger=EventTrigger(event="custom"))
    for member_id in (east, west):
        await _happens(session, CustomEvent(member_id=member_id, name="x"))
    await advance_due(session)
    rows = await session.execute(text("SELECT member_id, due_at FROM enrollments"))
    assert {row.member_id: row.due_at for row in rows} == {
        east: datetime.fromisoformat("2026-05-20T10:00+08:00"),
        west: datetime.fromisoformat("2026-05-20T10:00-04:00"),
    }


async def test_shipped_journeys_come_once_and_stay_as_operators_left_them(session: AsyncSession) -> None:
    await make_topic(session)
    assert await shipped.ensure_defaults(session) == len(shipped.SHIPPED)
    found = {item.shipped_key: item for item in (await service.listing(session)).items}
    on = {key for key, item in found.items() if item.status is JourneyStatus.ACTIVE}
    assert on == {key for key, item in shipped.SHIPPED.items() if item.is_on}
    assert {item.status for item in found.values()} == {JourneyStatus.ACTIVE, JourneyStatus.DRAFT}
    gone, renamed = found["birthday"], found["tier_at_risk"]
    await service.archive(session, gone.id)
    await service.change(session, renamed.id, name="Ours")
    assert await shipped.ensure_defaults(session) == 0
    left = {item.shipped_key: item.name for item in (await service.listing(session)).items}
    assert ("birthday" in left, left["tier_at_risk"]) == (False, "Ours")
    assert (await service.activate(session, found["sign_up_anniversary"].id)).status is JourneyStatus.ACTIVE


async def test_without_the_news_topic_they_wait_for_an_operator(session: AsyncSession) -> None:
    await consent.change_topic(session, "news", is_archived=True)
    await shipped.ensure_defaults(session)
    assert {item.status for item in (await service.listing(session)).items} == {JourneyStatus.DRAFT}


@pytest.mark.parametrize(("locale", "words"), [("en", "to stay"), ("zh-CN", "就能保住")])
async def test_a_shipped_text_speaks_of_its_cause(session: AsyncSession, locale: str, words: str) -> None:
    await make_topic(session)
    await shipped.ensure_defaults(session)
    member = await make_member(session)
    await session.execute(text("UPDATE members SET locale = :locale"), {"locale": locale})
    ends_at = datetime(2026, 6, 30, 16, tzinfo=UTC)
    risk = TierAtRisk(
        member_id=member.id, tier="gold", next_tier=None, measure="points", missing=Decimal(120), ends_at=ends_at
    )
    assert await _happens(session, risk) == 1
    (journey,) = [item for item in await service.active(session) if item.shipped_key == "tier_at_risk"]
    batch = await ContentRenderer().load(session, "journey", f"{journey.id}.1.send", [(member.id, 0)])
    said = batch.render(member.id, locale, TRAITS, 0).text_html
    assert words in said
    assert "120" in said
    assert ("Jul 1" in said) == (locale == "en")


async def test_months_of_a_long_journey_are_sources_of_their_own(session: AsyncSession, at: At) -> None:
    await at(session, "2026-01-10T10:00+08:00")
    journey = await make_journey(session, graph("a", a=SEND), trigger=EventTrigger(event="custom"))
    stem = contents.stem(journey.id, 1, "a")
    later = await clock.now(session) + timedelta(days=40)
    assert await contents.source_of(session, stem, await clock.now(session)) == stem
    assert await contents.source_of(session, stem, later) == f"{stem}.202602"
    shown = await contents.content(session, f"{stem}.202602")
    assert shown == await contents.content(session, stem)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("key", shipped.SHIPPED)
def test_every_shipped_text_reads_well(key: str, locale: str) -> None:
    item = shipped.SHIPPED[key]
    content = SendParameters.model_validate(item.graph.nodes["send"].parameters).message
    ready = compile_content(tidy(content), tap_prefix="j:1.1.send", default_locale="en")
    begun = {**samples(item.trigger), "coupon": {"en": "Ten off", "zh-CN": "立减十元"}, "missing": 120}
    said = ready.render(Recipient(locale, {"name": "Lin"}, {"name": "Tea & Co"}, begun), TRAITS)
    assert "Lin" in said.text_html
    assert all(sign not in said.text_html for sign in ("{", "}", "None", "…", "  "))
    assert ("May" in said.text_html or "5月" in said.text_html) == (
        "trigger.on" in str(content) or key == "tier_at_risk"
    )

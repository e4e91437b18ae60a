"""Small populations of whom everything is known, put into the tables at once, for rules to be asked about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.base import Base
from tests.factories.bots import make_bot
from tests.factories.deliveries import make_topic
from tests.factories.surveys import make_survey

TABLES = Base.metadata.tables
SURVEY = "tea"


@dataclass(frozen=True)
class Person:
    """One member; times are days before now."""

    locale: str = "en"
    stage: str = "lead"
    signed_up: int | None = None
    last_seen: int | None = None
    points: int = 0
    check_ins: frozenset[int] = frozenset()
    orders: tuple[tuple[int, int, str], ...] = ()
    """Days ago, amount in hundredths, status."""
    tags: Mapping[str, int] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """(channel, topic) -> given."""
    identities: tuple[tuple[str, bool], ...] = ()
    """Channel, reachable."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[int | None, int | None] = (None, None)
    is_finished: bool = False
    """The survey."""
    answers: Mapping[str, Any] | None = None
    badges: frozenset[int] = frozenset()
    missions: Mapping[int, int | None] = field(default_factory=dict)
    """Mission -> days since it was completed; None: begun only."""
    activities: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    """Activity, the first of which is over and the second to come -> status of the registration, days since then."""
    vouchers: tuple[tuple[int, str, int | None], ...] = ()
    """Coupon, status, days until it runs out."""
    friends: tuple[str, ...] = ()
    """Where the referral of each invited friend stands."""
    tier: tuple[str | None, int, bool] | None = None
    """Key, since how many days, at risk."""


async def populate(session: AsyncSession, people: Sequence[Person], now: datetime) -> list[int]:
    """Their ids, in order."""
    rows = [{"display_name": "Li Hua", "locale": one.locale, "attributes": dict(one.attributes)} for one in people]
    ids = await _insert(session, "members", rows, answering="id")
    known = list(zip(ids, people, strict=True))
    tag_ids = await _tags(session, known, now)
    await _insert(session, "profiles", [_profile(key, one, tag_ids, now) for key, one in known])
    await _contacts(session, known, now)
    await _deeds(session, known, now)
    await _answers(session, known, now)
    await _missions(session, known, now)
    await _activities(session, known, now)
    return ids


async def _insert(
    session: AsyncSession, table: str, rows: Sequence[Mapping[str, Any]], *, answering: str | None = None
) -> list[int]:
    if not rows:
        return []
    statement = insert(TABLES[table])
    if answering is None:
        await session.execute(statement, [dict(row) for row in rows])
        return []
    made = await session.execute(
        statement.returning(TABLES[table].c[answering], sort_by_parameter_order=True), [dict(row) for row in rows]
    )
    return list(made.scalars())


Known = Sequence[tuple[int, Person]]


async def _friends(session: AsyncSession, known: Known, now: datetime) -> None:
    """Friends are members too, but have no profile, so that no rule finds them."""
    invited = [(key, status) for key, one in known for status in one.friends]
    if not invited:
        return
    programme = {"name": "Bring a friend", "act": "sign_up", "per_hour": 10, "per_day": 30}
    (programme_id,) = await _insert(session, "referral_programmes", [programme], answering="id")
    rows = [{"display_name": "Friend", "locale": "en", "attributes": {}} for _ in invited]
    ids = await _insert(session, "members", rows, answering="id")
    referrals = [
        {
            "id": uuid4(),
            "friend_id": friend_id,
            "referrer_id": key,
            "programme_id": programme_id,
            "status": status,
            "joined_at": now,
        }
        for friend_id, (key, status) in zip(ids, invited, strict=True)
    ]
    await _insert(session, "referrals", referrals)


def _profile(key: int, one: Person, tag_ids: Mapping[str, int], now: datetime) -> dict[str, Any]:
    paid = [(_ago(now, days), amount) for days, amount, status in one.orders if status == "paid"]
    days = sorted(one.check_ins)
    return {
        "member_id": key,
        "locale": one.locale,
        "stage": one.stage,
        "signed_up_at": None if one.signed_up is None else _ago(now, one.signed_up),
        "last_seen_at": None if one.last_seen is None else _ago(now, one.last_seen),
        "points_balance": one.points,
        "streak": next((number for number, day in enumerate(days) if day != days[0] + number), len(days)),
        "last_check_in_on": _day(now, days[0]) if days else None,
        "check_ins_count": len(days),
        "orders_count": len(paid),
        "orders_total": Decimal(sum(amount for _, amount in paid)) / 100,
        "first_order_at": min((at for at, _ in paid), default=None),
        "last_order_at": max((at for at, _ in paid), default=None),
        "tag_ids": sorted(tag_ids[tag] for tag in one.tags),
        "first_source_id": one.sources[0],
        "last_source_id": one.sources[1],
        "is_reachable": any(is_reachable for _, is_reachable in one.identities),
    }


async def _tags(session: AsyncSession, known: Known, now: datetime) -> dict[str, int]:
    names = sorted({tag for _, one in known for tag in one.tags})
    split = [tag.rpartition(":") for tag in names]
    rows = [{"group_name": group, "name": name} for group, _, name in split]
    tag_ids = dict(zip(names, await _insert(session, "tags", rows, answering="id"), strict=True))
    carried = [
        {"member_id": key, "tag_id": tag_ids[tag], "source": "test", "added_at": _ago(now, days)}
        for key, one in known
        for tag, days in one.tags.items()
    ]
    await _insert(session, "member_tags", carried)
    return tag_ids


async def _contacts(session: AsyncSession, known: Known, now: datetime) -> None:
    bot = await make_bot(session)
    await make_topic(session)
    identities = [
        {
            "member_id": key,
            "bot_id": bot.id,
            "channel": channel,
            "address": f"{key}.{number}",
            "display_name": "",
            "is_reachable": is_reachable,
        }
        for key, one in known
        for number, (channel, is_reachable) in enumerate(one.identities)
    ]
    await _insert(session, "identities", identities)
    consents = [
        {"member_id": key, "channel": channel, "topic": topic, "is_given": is_given, "text_version": "1", "source": "t"}
        for key, one in known
        for (channel, topic), is_given in one.consents.items()
    ]
    await _insert(session, "consent_states", [{**row, "at": now} for row in consents])


async def _deeds(session: AsyncSession, known: Known, now: datetime) -> None:
    check_ins = [
        {"member_id": key, "local_date": _day(now, days), "checked_in_at": _ago(now, days), "zone": "UTC", "streak": 1}
        for key, one in known
        for days in one.check_ins
    ]
    await _insert(session, "check_ins", check_ins)
    orders = [
        {
            "id": key * 100 + number,
            "placed_at": _ago(now, days),
            "member_id": key,
            "external_id": f"{key}.{number}",
            "source": "shop",
            "amount": Decimal(amount) / 100,
            "currency": "CNY",
            "status": status,
        }
        for key, one in known
        for number, (days, amount, status) in enumerate(one.orders)
    ]
    await _insert(session, "orders", orders)
    vouchers = [
        {
            "id": uuid4(),
            "issued_at": now,
            "coupon_id": coupon_id,
            "member_id": key,
            "code": "TEST",
            "status": status,
            "valid_from": now,
            "expires_at": None if days is None else _ago(now, -days),
            "source": "test",
        }
        for key, one in known
        for coupon_id, status, days in one.vouchers
    ]
    await _insert(session, "vouchers", vouchers)
    await _friends(session, known, now)
    standings = [
        {
            "member_id": key,
            "tier": one.tier[0],
            "since": _ago(now, one.tier[1]),
            "risk_ends_at": now if one.tier[2] else None,
        }
        for key, one in known
        if one.tier is not None
    ]
    await _insert(session, "tier_standings", standings)


async def _missions(session: AsyncSession, known: Known, now: datetime) -> None:
    numbers = sorted({number for _, one in known for number in (*one.badges, *one.missions)})
    badges = [{"id": number, "name": {"en": "Badge"}, "emoji": "*"} for number in numbers]
    missions = [
        {"id": number, "name": {"en": "Mission"}, "steps": [], "window": "once", "rewards": {}} for number in numbers
    ]
    for table, rows in (("badges", badges), ("missions", missions)):
        if rows:
            await session.execute(upsert(TABLES[table]).on_conflict_do_nothing(), rows)
    held = [
        {"badge_id": badge_id, "member_id": key, "earned_at": now, "given_for": "test"}
        for key, one in known
        for badge_id in one.badges
    ]
    await _insert(session, "member_badges", held)
    progress = [
        {
            "mission_id": mission_id,
            "member_id": key,
            "window": "once",
            "counts": [1],
            "completed_at": None if days is None else _ago(now, days),
        }
        for key, one in known
        for mission_id, days in one.missions.items()
    ]
    await _insert(session, "mission_progress", progress)


async def _activities(session: AsyncSession, known: Known, now: datetime) -> None:
    numbers = sorted({number for _, one in known for number in one.activities})
    activities = [
        {
            "id": number,
            "name": {"en": "Activity"},
            "starts_at": _ago(now, 60),
            "ends_at": _ago(now, 3 if number == 1 else -3),
            "status": "published",
            "door_code": str(number),
        }
        for number in numbers
    ]
    if activities:
        await session.execute(upsert(TABLES["activities"]).on_conflict_do_nothing(), activities)
    registrations = [
        {
            "activity_id": number,
            "member_id": key,
            "status": status,
            "code": str(key),
            "turn": key,
            "registered_at": _ago(now, days + 1),
            "changed_at": _ago(now, days),
            "changed_by": "member",
        }
        for key, one in known
        for number, (status, days) in one.activities.items()
    ]
    await _insert(session, "activity_registrations", registrations)


async def _answers(session: AsyncSession, known: Known, now: datetime) -> None:
    asked = [(key, one) for key, one in known if one.answers is not None]
    if not asked:
        return
    survey_id = (await make_survey(session, SURVEY)).id
    rows = [
        {
            "survey_id": survey_id,
            "version": 1,
            "member_id": key,
            "attempt": 1,
            "started_at": now,
            "completed_at": now if one.is_finished else None,
        }
        for key, one in asked
    ]
    ids = await _insert(session, "survey_responses", rows, answering="id")
    answers = [
        {"response_id": response_id, "question": question, "survey_id": survey_id, "member_id": key, "value": value}
        for response_id, (key, one) in zip(ids, asked, strict=True)
        for question, value in (one.answers or {}).items()
    ]
    await _insert(session, "survey_answers", [{**row, "answered_at": now} for row in answers])


def _ago(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _day(now: datetime, days: int) -> date:
    return now.date() - timedelta(days=days)


def names(ids: Sequence[int], found: Iterable[int]) -> list[int]:
    """Positions of the found members in the population."""
    return sorted(ids.index(member_id) for member_id in found if member_id in ids)

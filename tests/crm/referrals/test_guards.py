"""What speaks against referrals: phones, devices, speed, rings; the review queue; merges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.base import Base
from crm.kit.crypto import Vault
from crm.members import merging
from crm.points import service as points
from crm.referrals.errors import NotInReview, ReasonMissing, ReferralNotFound
from crm.referrals.service import devices, guards, qualifying, standing
from crm.referrals.types import Flag, Limits, Referral, Status
from tests.factories.members import make_member
from tests.factories.referrals import (
    befriend,
    give_phone,
    invite,
    make_programme,
    make_referrer,
    sign_up,
)

TABLES = Base.metadata.tables
PHONE, OTHER = "+8613800138000", "+8613900139000"


def _flags(referral: Referral) -> list[Flag]:
    return [doubt.flag for doubt in referral.doubts]


async def test_the_same_phone_is_the_same_person(session: AsyncSession) -> None:
    await make_programme(session)
    referrer = await make_referrer(session)
    await give_phone(session, referrer, PHONE)
    friend, _ = await invite(session, referrer)
    await give_phone(session, friend, PHONE, is_verified=False)
    referral = await sign_up(session, friend)
    assert referral is not None
    assert (referral.status, referral.reason, _flags(referral)) == (Status.REJECTED, "self_referral", [Flag.SELF])
    assert await points.balance(session, referrer) == await points.balance(session, friend) == 0


async def test_a_phone_of_somebody_else_is_looked_at(session: AsyncSession) -> None:
    await make_programme(session)
    referrer, bystander = await make_referrer(session), await make_referrer(session)
    await give_phone(session, bystander, OTHER)
    friend, _ = await invite(session, referrer)
    await give_phone(session, friend, OTHER)
    referral = await sign_up(session, friend)
    assert referral is not None
    assert (referral.status, _flags(referral)) == (Status.REVIEW, [Flag.SHARED_PHONE])
    assert await points.balance(session, referrer) == 0


async def test_a_shared_device_is_looked_at(session: AsyncSession, vault: Vault) -> None:
    await make_programme(session)
    referrer = await make_referrer(session)
    one, two = devices.fingerprint(vault, "10.0.0.1", "Browser"), devices.fingerprint(vault, "10.0.0.2", "Browser")
    assert "10.0.0.1" not in one
    await devices.note(session, referrer, one)
    found = []
    for mark in (one, two, two):
        friend, _ = await invite(session, referrer)
        await devices.note(session, friend, mark)
        await devices.note(session, friend, mark)
        referral = await sign_up(session, friend)
        assert referral is not None
        found.append((referral.status, _flags(referral)))
    doubted = (Status.REVIEW, [Flag.SHARED_DEVICE])
    assert found == [doubted, (Status.QUALIFIED, []), doubted]


async def test_many_friends_in_an_hour_are_looked_at(session: AsyncSession) -> None:
    await make_programme(session, limits=Limits(per_hour=2))
    referrer = await make_referrer(session)
    statuses = [(await befriend(session, referrer)).status for _ in range(4)]
    assert statuses == [Status.QUALIFIED, Status.QUALIFIED, Status.REVIEW, Status.REVIEW]
    queue = await standing.page(session, status=Status.REVIEW)
    assert [doubt.detail for item in queue.items for doubt in item.doubts] == ["4 in an hour", "3 in an hour"]


async def test_an_operator_decides_once(session: AsyncSession) -> None:
    await make_programme(session, limits=Limits(per_hour=1))
    referrer = await make_referrer(session)
    await befriend(session, referrer)
    good, bad = await befriend(session, referrer), await befriend(session, referrer)
    with pytest.raises(ReasonMissing):
        await qualifying.approve(session, good.id, reason=" \x00", by="operator:1")
    approved = await qualifying.approve(session, good.id, reason="I know them", by="operator:1")
    assert (approved.status, approved.decided_by, approved.reason) == (Status.QUALIFIED, "operator:1", "I know them")
    rejected = await qualifying.reject(session, bad.id, reason="A fake", by="operator:1")
    assert rejected.status is Status.REJECTED
    assert await points.balance(session, referrer) == 200
    assert await points.balance(session, bad.friend_id) == 0
    for decide in (qualifying.approve, qualifying.reject):
        with pytest.raises(NotInReview):
            await decide(session, good.id, reason="Again", by="operator:1")
        with pytest.raises(ReferralNotFound):
            await decide(session, uuid4(), reason="Who?", by="operator:1")


async def test_a_merge_shows_that_somebody_invited_themselves(session: AsyncSession) -> None:
    await make_programme(session)
    referrer = await make_referrer(session)
    referral = await befriend(session, referrer)
    merge_id = await merging.merge(session, referrer, referral.friend_id, by="operator:1")
    doubted = await standing.get(session, referral.id)
    assert (doubted.status, _flags(doubted), doubted.friend_id) == (Status.REVIEW, [Flag.SELF], referrer)
    await merging.undo(session, merge_id, by="operator:1")
    back = await standing.get(session, referral.id)
    assert (back.status, back.friend_id, back.referrer_id) == (Status.QUALIFIED, referral.friend_id, referrer)


async def test_refusing_after_a_merge_takes_the_rewards_back(session: AsyncSession) -> None:
    await make_programme(session)
    referrer = await make_referrer(session)
    referral = await befriend(session, referrer)
    await merging.merge(session, referrer, referral.friend_id, by="operator:1")
    assert await points.balance(session, referrer) == 150
    await qualifying.reject(session, referral.id, reason="Invited themselves", by="operator:1")
    assert await points.balance(session, referrer) == 0


@dataclass(frozen=True)
class People:
    """Who invited whom, and who shares a phone or a device; by number."""

    inviters: Mapping[int, int] = field(default_factory=dict)
    phones: Mapping[int, int] = field(default_factory=dict)
    marks: frozenset[tuple[int, int]] = frozenset()


MANY = 7
_NUMBERS = st.integers(0, MANY - 1)
PEOPLE = st.builds(
    People,
    inviters=st.dictionaries(_NUMBERS, _NUMBERS, max_size=MANY),
    phones=st.dictionaries(_NUMBERS, st.integers(0, 2), max_size=4),
    marks=st.frozensets(st.tuples(_NUMBERS, st.integers(0, 2)), max_size=4),
)


def ring_of(people: People, start: int) -> list[int]:
    """The same in plain Python: up from `start`, to themselves or to a forebear who shares something with them."""
    path = [start]
    while path[-1] in people.inviters:
        forebear = people.inviters[path[-1]]
        if forebear == start or (len(path) > 1 and forebear not in path and _are_one(people, start, forebear)):
            return [*path, forebear]
        if forebear in path:
            return []
        path.append(forebear)
    return []


def _are_one(people: People, one: int, other: int) -> bool:
    has_phone = one in people.phones and people.phones[one] == people.phones.get(other)
    marks = [{mark for number, mark in people.marks if number == who} for who in (one, other)]
    return has_phone or bool(marks[0] & marks[1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE)
async def test_rings_are_those_that_a_plain_search_finds(session: AsyncSession, people: People) -> None:
    if not (ids := session.info.setdefault("ring_people", [])):
        ids += [(await make_member(session)).id for _ in range(MANY)]
        ids.append((await make_programme(session)).id)
    await _draw(session, people, ids)
    for number in range(MANY):
        found = [ids.index(member_id) for member_id in await guards.ring_of(session, ids[number])]
        assert found == ring_of(people, number)


async def _draw(session: AsyncSession, people: People, ids: list[int]) -> None:
    now = await clock.now(session)
    for table in ("referrals", "referral_devices"):
        await session.execute(delete(TABLES[table]))
    await session.execute(update(TABLES["members"]).values(phone_index=None))
    for number, phone in people.phones.items():
        own = TABLES["members"].c.id == ids[number]
        await session.execute(update(TABLES["members"]).where(own).values(phone_index=bytes([phone])))
    marked = [{"member_id": ids[who], "fingerprint": bytes([mark]), "seen_at": now} for who, mark in people.marks]
    row = {"programme_id": ids[MANY], "status": "pending", "joined_at": now}
    invited = [
        {"id": uuid4(), "friend_id": ids[friend], "referrer_id": ids[referrer], **row}
        for friend, referrer in people.inviters.items()
    ]
    for table, rows in (("referral_devices", marked), ("referrals", invited)):
        if rows:
            await session.execute(insert(TABLES[table]), rows)


async def test_a_ring_of_invitations_is_looked_at(session: AsyncSession) -> None:
    await make_programme(session)
    top = await make_referrer(session)
    await give_phone(session, top, PHONE)
    middle = (await befriend(session, top)).friend_id
    friend, _ = await invite(session, middle)
    await give_phone(session, friend, PHONE)
    referral = await sign_up(session, friend)
    assert referral is not None
    assert referral.status is Status.REVIEW
    (ring,) = islice((doubt for doubt in referral.doubts if doubt.flag is Flag.RING), 1)
    assert ring.detail == f"{top} → {middle} → {friend}"

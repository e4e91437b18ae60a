"""The gates: who of a chunk may be sent to now, judged and recorded in one transaction."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.brand import service as brands
from crm.brand.types import Brand
from crm.consent import views as consent
from crm.db import clock
from crm.db.prepared import Prepared
from crm.deliveries import capping, log
from crm.deliveries.derived import LATEST
from crm.deliveries.leases import Lease
from crm.deliveries.models import BulkDeliveryRow
from crm.deliveries.policy import Candidate, Gates, Result, judge, part_of
from crm.deliveries.types import MessageClass, Reason
from crm.members import views as members
from crm.members.own_days import own_zone

_OPEN = ["deferred", "retry", "repeat", "requeued"]
Position = tuple[int, int]
"""(member id, step): the order inside a chunk."""


@dataclass(frozen=True)
class Window:
    """A part of a chunk, judged."""

    passed: list[Candidate]
    refused: list[Result]
    last: Position | None
    """Where the next window goes on; None when the chunk is through."""


async def judge_window(
    session: AsyncSession, lease: Lease, after: Position, limit: int, channels: frozenset[str]
) -> Window:
    """Judge the next `limit` open deliveries of the chunk after `after`; the verdicts against sending are recorded."""
    brand = await brands.get(session)
    gates = _gates(lease, brand, await clock.now(session), channels)
    rows = await _candidates(has_history=lease.has_history).fetch(
        session,
        chunk=lease.chunk_id,
        broadcast=lease.broadcast_id,
        month=lease.source_month,
        topic=lease.topic,
        first=lease.first_member_id,
        last=lease.last_member_id,
        after_member=after[0],
        after_step=after[1],
        most=limit + 1,
        channels=sorted(channels),
    )
    candidates = [Candidate(*row) for row in rows[:limit]]
    passed: list[Candidate] = []
    refused: list[Result] = []
    for candidate in candidates:
        verdict = judge(candidate, gates)
        if verdict is None:
            passed.append(candidate)
        else:
            refused.append(verdict)
    if lease.message_class is MessageClass.MARKETING and brand.frequency_cap is not None and passed:
        # A message counts once, however many parts it has.
        asked = [candidate for candidate in passed if not part_of(candidate.step)]
        granted = await capping.grant(session, asked, brand.frequency_cap)
        capped = {candidate.delivery_id for candidate in asked} - granted
        refused += [_capped(candidate) for candidate in passed if candidate.delivery_id in capped]
        passed = [candidate for candidate in passed if candidate.delivery_id not in capped]
    await log.append(session, lease, refused)
    last = candidates[-1] if len(rows) > limit else None
    return Window(passed, refused, None if last is None else (last.member_id, last.step))


def _gates(lease: Lease, brand: Brand, now: datetime, channels: frozenset[str]) -> Gates:
    quiet = brand.quiet_hours
    return Gates(
        now=now,
        message_class=lease.message_class,
        send_before=lease.send_before,
        quiet_start=quiet.start if quiet else None,
        quiet_end=quiet.end if quiet else None,
        default_zone=brand.time_zone,
        channels=channels,
    )


def _capped(candidate: Candidate) -> Result:
    return Result(candidate.delivery_id, candidate.identity_id, "suppressed", Reason.FREQUENCY_CAP)


class _P:
    """The parameters of the statement."""

    chunk = bindparam("chunk", type_=BigInteger)
    broadcast, topic = bindparam("broadcast", type_=BigInteger), bindparam("topic", type_=Text)
    month = bindparam("month", type_=Date)
    first, last = bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    after_member, after_step = bindparam("after_member", type_=BigInteger), bindparam("after_step", type_=Integer)
    most = bindparam("most", type_=Integer)
    channels = bindparam("channels", type_=ARRAY(Text))


def _open(*, has_history: bool) -> Any:
    """The next open deliveries of the chunk, by its range of members in the primary key."""
    delivery = BulkDeliveryRow
    tries, doubts = literal(0, Integer), literal(0, Integer)
    query = select(delivery.id, delivery.member_id, delivery.step)
    if has_history:
        latest = (
            select(LATEST).where(LATEST.c.chunk_id == _P.chunk, LATEST.c.source_month == _P.month).subquery("latest")
        )
        query = query.add_columns(
            func.coalesce(latest.c.tries, 0).label("tries"), func.coalesce(latest.c.doubts, 0).label("doubts")
        )
        query = query.outerjoin(latest, latest.c.delivery_id == delivery.id).where(
            func.coalesce(latest.c.outcome, "requeued") == any_(literal(_OPEN, ARRAY(Text))),
            func.coalesce(latest.c.not_before <= func.siyu_now(), true()),
        )
    else:
        query = query.add_columns(tries.label("tries"), doubts.label("doubts"))
    return (
        query.where(
            delivery.broadcast_id == _P.broadcast,
            delivery.source_month == _P.month,
            delivery.chunk_id == _P.chunk,
            delivery.member_id.between(_P.first, _P.last),
            func.row(delivery.member_id, delivery.step) > func.row(_P.after_member, _P.after_step),
        )
        .order_by(delivery.member_id, delivery.step)
        .limit(_P.most)
        .cte("open")
        .prefix_with("MATERIALIZED")
    )


def _people(opened: Any) -> Any:
    """The open deliveries with whom they are for now: who was merged is the member into whom they were merged."""
    member = members.members.c
    person = func.coalesce(member.merged_into_id, member.id).label("person_id")
    joined = opened.join(members.members, member.id == opened.c.member_id)
    return select(opened, person).select_from(joined).cte("people")


def _has_own(people: Any) -> Any:
    """Whether somebody merged is reached by another delivery of the source: the other's own, or an older profile's."""
    other = members.members.alias("other").c
    delivery = BulkDeliveryRow
    is_same_person = or_(
        delivery.member_id == people.c.person_id,
        and_(other.merged_into_id == people.c.person_id, delivery.member_id < people.c.member_id),
    )
    twin = exists().where(
        delivery.broadcast_id == _P.broadcast,
        delivery.source_month == _P.month,
        delivery.step == people.c.step,
        delivery.member_id == other.id,
        or_(other.id == people.c.person_id, other.merged_into_id == people.c.person_id),
        is_same_person,
    )
    return case((people.c.person_id != people.c.member_id, twin), else_=false())


def _contacts(people: Any) -> Any:
    """Per member the identity to use: one that can be reached, has consent, and was active last.

    Looked up member by member: joined as a whole, a chunk's contacts would be compared with all of its members.
    """
    identity, bot, given = members.identities.c, bots.bots.c, consent.current.c
    agreed = func.coalesce(given.is_given, false())
    is_usable = and_(identity.is_reachable, bot.status == "active", identity.channel == any_(_P.channels))
    return (
        select(
            identity.id.label("identity_id"),
            identity.bot_id,
            identity.channel,
            identity.address,
            identity.is_reachable,
            agreed.label("is_consented"),
            bot.status.label("bot_status"),
            bot.bulk_paused_until,
            bot.bulk_rate,
        )
        .join_from(members.identities, bots.bots, bot.id == identity.bot_id)
        .outerjoin(
            consent.current,
            and_(given.member_id == identity.member_id, given.channel == identity.channel, given.topic == _P.topic),
        )
        .where(identity.member_id == people.c.person_id)
        .order_by(is_usable.desc(), agreed.desc(), identity.last_seen_at.desc(), identity.id)
        .limit(1)
        .lateral("contacts")
    )


@functools.cache
def _candidates(*, has_history: bool) -> Prepared:
    people = _people(_open(has_history=has_history))
    contacts = _contacts(people)
    contact, person = contacts.c, members.members.alias("person").c
    return Prepared(
        select(
            people.c.id,
            people.c.member_id,
            people.c.step,
            people.c.tries,
            people.c.doubts,
            people.c.person_id,
            _has_own(people).label("has_own"),
            (person.status == "active").label("is_active"),
            person.locale,
            own_zone(person, func.siyu_now()).label("zone"),
            contact.identity_id,
            contact.bot_id,
            contact.channel,
            contact.address,
            contact.is_reachable,
            contact.is_consented,
            contact.bot_status,
            contact.bulk_paused_until,
            contact.bulk_rate,
        )
        .join_from(people, person.id.table, person.id == people.c.person_id)
        .outerjoin(contacts, true())
        .order_by(people.c.member_id, people.c.step)
    )

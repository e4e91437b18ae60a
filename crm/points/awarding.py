"""From an event to points: which rules apply, what they give, one statement that posts it all."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.brand import service as brand
from crm.events import service as events
from crm.events.catalogue import CATALOGUE, PointsEarned
from crm.events.types import RecordedEvent
from crm.members.views import members
from crm.points import capping, counters, deciding, earning_rules, pending, repository
from crm.points.acts import EVENTS
from crm.points.capping import Budget
from crm.points.deciding import Verdict
from crm.points.facts import Situation
from crm.points.kinds import kinds_for
from crm.points.pending import Waiting
from crm.points.repository import Line, Posted
from crm.points.types import Account, Award, EarningRule, EntryKind
from crm.profiles import service as profiles
from crm.profiles.types import Profile

_POSTED = "posted"


async def award(session: AsyncSession, event: RecordedEvent, *, profile: Profile | None) -> list[Award]:
    """See `crm.points.service.award`."""
    names = kinds_for(event.kind)
    if event.member_id is None or not names:
        return []
    rules, budget = await earning_rules.meeting(session, names, event.occurred_at)
    if not rules:
        return []
    situation = await situation_of(session, rules, event, profile)
    verdicts = [deciding.judge(rule, situation) for rule in rules]
    for verdict in verdicts:
        if verdict.failure:
            await _alarm(session, verdict)
    due = deciding.stacked(verdicts)
    if not due:
        return []
    if budget is not None or any(item.terms.caps.is_set for item in due):
        return await _capped(session, event, due, situation, budget)
    return await _post(session, event, event.member_id, due)


async def situation_of(
    session: AsyncSession, rules: Sequence[EarningRule], event: RecordedEvent, profile: Profile | None
) -> Situation:
    """What the rules judge the event by; zone and birthday are asked for only when a rule needs them."""
    assert event.member_id is not None
    profile = profile or await profiles.get(session, event.member_id)
    fact = event.as_event(CATALOGUE[event.kind])
    if not deciding.needs_zone(rules):
        return Situation(fact, profile, event.occurred_at)
    zone = await brand.zone(session)
    birthday = None
    if deciding.needs_birthday(rules):
        query = select(members.c.birthday).where(members.c.id == event.member_id)
        birthday = (await session.execute(query)).scalar_one_or_none()
    return Situation(fact, profile, event.occurred_at, zone, birthday)


def key_of(event: RecordedEvent, member_id: int, verdict: Verdict) -> str:
    """What makes an award unique: the event and the rule, or its group; the member, when it is given once."""
    if verdict.terms.is_once:
        return f"award:once:{verdict.rule.id}:{member_id}"
    return f"award:{event.id}:{f'group {verdict.terms.group}' if verdict.terms.group else verdict.rule.id}"


async def _capped(
    session: AsyncSession, event: RecordedEvent, due: list[Verdict], situation: Situation, budget: Budget | None
) -> list[Award]:
    """Post what fits under the caps. Accounts are locked before counters, as everywhere."""
    assert event.member_id is not None
    owner = await counters.lock_owner(session, event.member_id)
    known = await counters.known_keys(session, [key_of(event, event.member_id, item) for item in due])
    again = [item for item in due if key_of(event, event.member_id, item) in known]
    zone = situation.zone if deciding.needs_zone([item.rule for item in due]) else await brand.zone(session)
    day = situation.at.astimezone(zone).date()
    fresh = [capping.under(item, owner, day, budget) for item in due if item not in again]
    used = await counters.lock(session, (key for item in fresh for key in item.limits))
    given, added = capping.within(fresh, used, budget)
    awards = await _post(session, event, event.member_id, [*again, *given])
    await counters.add(session, added)
    return awards


async def _post(session: AsyncSession, event: RecordedEvent, member_id: int, due: Sequence[Verdict]) -> list[Award]:
    now = [item for item in due if not item.starting.is_pending]
    posted = await repository.post(session, [_line(event, member_id, item) for item in now]) if now else []
    rows = dict(zip((item.rule.id for item in now), posted, strict=True))
    for item in due:
        if item.starting.is_pending:
            rows[item.rule.id] = await _post_pending(session, event, member_id, item)
    awards = []
    for item in due:
        row = rows[item.rule.id]
        given = _award(item, row)
        if not given.is_new and item.terms.is_once:
            continue  # another event had it: nothing that this one gave
        if given.is_new and not given.is_pending:
            await _announce(session, row, given)
        awards.append(given)
    return awards


async def _post_pending(session: AsyncSession, event: RecordedEvent, member_id: int, item: Verdict) -> Posted:
    """Points that wait; an act that came in between, because this event is handled late, makes them spendable."""
    starting, act = item.starting, item.starting.act
    waiting = Waiting(starting.activates_at(event.occurred_at), starting.validity(), act)
    row = await pending.post(session, replace(_line(event, member_id, item), kind=EntryKind.PENDING), waiting)
    if act is not None and row.outcome == _POSTED:
        for later in await events.timeline(session, row.member_id, kinds=[EVENTS[act].kind], limit=1):
            if later.occurred_at > event.occurred_at:
                await pending.activate(session, key_of(event, member_id, item))
    return row


async def _announce(session: AsyncSession, row: Posted, given: Award) -> None:
    fact = PointsEarned(
        member_id=row.member_id,
        points=given.points,
        rule=given.rule,
        transaction_id=given.transaction_id,
        balance=given.balance,
    )
    await events.publish(session, fact)


async def _alarm(session: AsyncSession, verdict: Verdict) -> None:
    rule = verdict.rule
    detail = f"Version {rule.version} of earning rule {rule.id} gave nothing: {verdict.failure}. Mend it and save it."
    await alerts.raise_alert(session, AlertKind.EARNING_FORMULA_FAILED, str(rule.id), detail)


def _line(event: RecordedEvent, member_id: int, item: Verdict) -> Line:
    return Line(
        member_id=member_id,
        kind=EntryKind.EARN,
        key=key_of(event, member_id, item),
        points=item.points,
        contra=Account.ISSUANCE,
        reason=item.rule.kind,
        occurred_at=event.occurred_at,
        expires_at=item.expires_at,
        rule_id=item.rule.id,
        event_id=event.id,
    )


def _award(item: Verdict, row: Posted) -> Award:
    rule, is_new = item.rule, row.outcome == _POSTED
    is_pending = item.starting.is_pending
    return Award(rule.kind, rule.id, row.points, row.transaction_id, row.balance, is_new, rule.version, is_pending)

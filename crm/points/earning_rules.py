"""Earning rules as operators keep them: rows with parameters, versioned, never deleted."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Select, Text, any_, bindparam, insert, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.brand import service as brand
from crm.db import clock
from crm.db.prepared import Prepared
from crm.events import wishes
from crm.points.acts import ACTED, EVENTS
from crm.points.capping import Budget
from crm.points.checking import RuleText, checked
from crm.points.defaults import SHIPPED
from crm.points.errors import InvalidRule, RuleNotFound, RuleNotGrantable
from crm.points.kinds import kind_named
from crm.points.models import EarningProgrammeRow, EarningRuleRow, EarningRuleVersionRow
from crm.points.starting import Act
from crm.points.terms import MAX_SUM, Over, terms_of
from crm.points.types import EarningRule

SELDOM = "points.award_seldom"
"""The subscriber to whom events go only when some rule reacts to them."""
_VERSION = EarningRuleVersionRow
_LOCK = 0x5159_0031


async def create(
    session: AsyncSession,
    *,
    kind: str,
    name: str,
    parameters: Mapping[str, Any],
    is_active: bool = True,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    terms: Mapping[str, Any] | None = None,
) -> EarningRule:
    """Add a rule; it is in force from now on. Raises UnknownRuleKind, InvalidRule with `problems` by path."""
    values = checked(RuleText(kind, name, parameters, valid_from, valid_until, terms))
    made = await session.execute(insert(EarningRuleRow).values(kind=kind).returning(EarningRuleRow.id))
    await _wish(session)
    return await _add_version(session, made.scalar_one(), 1, {**values, "is_active": is_active})


async def draft(session: AsyncSession, text: RuleText, rule_id: int | None = None) -> EarningRule:
    """The rule as it would be saved, unsaved; 0 is its number when it is new. Raises as `create` does, RuleNotFound."""
    values = checked(text)
    version = 0 if rule_id is None else (await get(session, rule_id)).version + 1
    now = await clock.now(session)
    return EarningRule(rule_id or 0, text.kind, is_active=True, version=version, changed_at=now, **values)


async def change(session: AsyncSession, rule_id: int, **changes: Any) -> EarningRule:
    """Make a new version with `changes` to name, parameters, terms, is_active, valid_from or valid_until.

    Events of before keep to the version of their time. Raises RuleNotFound, InvalidRule.
    """
    now = await clock.now(session)
    # the rule's own row is what changes wait in line for: the version that they read is the last one
    held = select(EarningRuleRow.id).where(EarningRuleRow.id == rule_id).with_for_update()
    if (await session.execute(held)).scalar_one_or_none() is None:
        raise RuleNotFound(rule_id=rule_id)
    old = await get(session, rule_id)
    merged: dict[str, Any] = {
        "name": old.name,
        "parameters": old.parameters,
        "is_active": old.is_active,
        "valid_from": old.valid_from,
        "valid_until": old.valid_until,
        "terms": old.terms,
    }
    unknown = sorted(set(changes) - set(merged))
    if unknown:
        raise InvalidRule(f"a rule has no field {unknown[0]!r}; it has {', '.join(merged)}")
    merged |= changes
    is_active = bool(merged.pop("is_active"))
    values = checked(RuleText(old.kind, **merged))
    current = (_VERSION.rule_id == rule_id, _VERSION.in_force_until.is_(None))
    await session.execute(update(_VERSION).where(*current).values(in_force_until=now))
    await alerts.resolve(session, AlertKind.EARNING_FORMULA_FAILED, str(rule_id))
    return await _add_version(session, rule_id, old.version + 1, {**values, "is_active": is_active})


async def versions(session: AsyncSession, rule_id: int) -> list[EarningRule]:
    """Everything that the rule ever said, newest first. Raises RuleNotFound."""
    query = _select().where(EarningRuleRow.id == rule_id).order_by(_VERSION.version.desc())
    found = [_rule(row) for row in (await session.execute(query)).mappings()]
    if not found:
        raise RuleNotFound(rule_id=rule_id)
    return found


async def get(session: AsyncSession, rule_id: int) -> EarningRule:
    """The rule as it is now. Raises RuleNotFound."""
    row = (await session.execute(_current().where(EarningRuleRow.id == rule_id))).mappings().one_or_none()
    if row is None:
        raise RuleNotFound(rule_id=rule_id)
    return _rule(row)


async def listing(session: AsyncSession) -> list[EarningRule]:
    """Every rule as it is now, oldest first."""
    return [_rule(row) for row in (await session.execute(_current().order_by(EarningRuleRow.id))).mappings()]


async def names(session: AsyncSession, rule_ids: Collection[int]) -> dict[int, str]:
    """What these rules are called now, by their ids; an unknown one is left out."""
    known = (_VERSION.rule_id.in_(rule_ids), _VERSION.in_force_until.is_(None))
    rows = await session.execute(select(_VERSION.rule_id, _VERSION.name).where(*known))
    return {row.rule_id: row.name for row in rows}


async def in_force(session: AsyncSession, kinds: Sequence[str], at: datetime) -> list[EarningRule]:
    """The active rules of these kinds that were valid at `at`, oldest first."""
    return (await meeting(session, kinds, at))[0]


async def meeting(session: AsyncSession, kinds: Sequence[str], at: datetime) -> tuple[list[EarningRule], Budget | None]:
    """Like `in_force`, with the budget of all rules, in one statement."""
    rows = await _IN_FORCE.fetch(session, kinds=list(kinds), at=at)
    month = rows[0]["month_budget"] if rows else None
    budget = None if month is None else Budget(month, Over(rows[0]["over"]))
    return [_rule(row) for row in rows], budget


async def budget(session: AsyncSession) -> Budget | None:
    """What all rules together may give in a month; None: as much as they say."""
    row = (await session.execute(select(EarningProgrammeRow.month_budget, EarningProgrammeRow.over))).one_or_none()
    return None if row is None or row.month_budget is None else Budget(row.month_budget, Over(row.over))


async def set_budget(session: AsyncSession, month: int | None, over: Over) -> None:
    """Limit all rules together, or no longer; counts from now on, with what this month gave under a limit before.

    Raises InvalidRule.
    """
    if month is not None and not 1 <= month <= MAX_SUM:
        raise InvalidRule(f"month_budget: a budget is a whole number from 1 to {MAX_SUM}; leave it empty for none")
    values = {"month_budget": month, "over": over.value}
    written = upsert(EarningProgrammeRow).values(id=1, **values)
    await session.execute(written.on_conflict_do_update(index_elements=["id"], set_=values))


async def segments_wanted(session: AsyncSession) -> list[int]:
    """Ids of the segments for whose members alone an active rule is."""
    query = select(_VERSION.terms).where(_VERSION.in_force_until.is_(None), _VERSION.is_active)
    found = (terms_of(row) for row in await session.scalars(query.where(_VERSION.terms.has_key("audience"))))
    return sorted({segment_id for terms in found for segment_id in terms.audience.segment_ids})


async def grantable(session: AsyncSession, rule_id: int) -> EarningRule:
    """The rule when operators may grant it now. Raises RuleNotFound, RuleNotGrantable."""
    rule = await get(session, rule_id)
    active = await in_force(session, ["manual"], await clock.now(session))
    if all(found.id != rule.id for found in active):
        raise RuleNotGrantable(rule_id=rule_id)
    return rule


async def expiry(session: AsyncSession, rule: EarningRule, at: datetime) -> datetime | None:
    """When points run out that the rule gives at `at`; None for never."""
    validity = kind_named(rule.kind).parameters.model_validate(rule.parameters)
    return validity.expires_at(at, await brand.zone(session))


async def ensure_defaults(session: AsyncSession) -> int:
    """Insert the shipped rules that were never inserted, whatever became of the others; answers how many."""
    count = 0
    for key, (kind, name, parameters) in SHIPPED.items():
        claim = upsert(EarningRuleRow).values(kind=kind, shipped_key=key)
        made = await session.execute(claim.on_conflict_do_nothing().returning(EarningRuleRow.id))
        rule_id = made.scalar_one_or_none()
        if rule_id is not None:
            values = checked(RuleText(kind, name, parameters))
            await _add_version(session, rule_id, 1, {**values, "is_active": True})
            count += 1
    return count


async def _add_version(session: AsyncSession, rule_id: int, version: int, values: dict[str, Any]) -> EarningRule:
    now = await clock.now(session)
    await session.execute(insert(_VERSION).values(rule_id=rule_id, version=version, in_force_from=now, **values))
    if values["parameters"].get("active_on", Act.NOTHING) != Act.NOTHING:
        await _wish_acts(session)
    return await get(session, rule_id)


async def _wish(session: AsyncSession) -> None:
    """Have events that are seldom earned by handed over only when some rule reacts to them."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    names = await session.scalars(select(EarningRuleRow.kind).distinct())
    events = (kind_named(name).event for name in names)
    await wishes.wish(session, SELDOM, {event.kind for event in events if event is not None})


async def _wish_acts(session: AsyncSession) -> None:
    """Have acts handed over from now on that any version waits for or did: its points may wait still."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    named = set(await session.scalars(select(_VERSION.parameters["active_on"].astext).distinct()))
    await wishes.wish(session, ACTED, {event.kind for act, event in EVENTS.items() if act in named})


def _select() -> Select[*tuple[Any, ...]]:
    columns = [column for column in _VERSION.__table__.c if column.name not in {"in_force_until", "rule_id"}]
    return select(EarningRuleRow.id, EarningRuleRow.kind, *columns).join(
        _VERSION, _VERSION.rule_id == EarningRuleRow.id
    )


def _current() -> Select[*tuple[Any, ...]]:
    return _select().where(_VERSION.in_force_until.is_(None))


def _in_force() -> Select[*tuple[Any, ...]]:
    at = bindparam("at", type_=DateTime(timezone=True))
    programme = EarningProgrammeRow
    return (
        _select()
        .add_columns(programme.month_budget, programme.over)
        .outerjoin(programme, true())
        .where(EarningRuleRow.kind == any_(bindparam("kinds", type_=ARRAY(Text))), _VERSION.is_active)
        .where(_VERSION.in_force_from <= at, or_(_VERSION.in_force_until.is_(None), _VERSION.in_force_until > at))
        .where(or_(_VERSION.valid_from.is_(None), _VERSION.valid_from <= at))
        .where(or_(_VERSION.valid_until.is_(None), _VERSION.valid_until > at))
        .order_by(EarningRuleRow.id)
    )


_IN_FORCE = Prepared(_in_force(), is_shared=True)
"""Built once: every award asks it."""


def _rule(row: Mapping[Any, Any]) -> EarningRule:
    return EarningRule(
        row["id"],
        row["kind"],
        row["name"],
        row["parameters"],
        row["is_active"],
        row["valid_from"],
        row["valid_until"],
        row["version"],
        row["in_force_from"],
        row["terms"],
    )

"""Earning rules as operators keep them: rows with parameters, versioned, never deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ARRAY, DateTime, Select, Text, any_, bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.prepared import Prepared
from crm.kit.text import clean_name
from crm.points.defaults import SHIPPED
from crm.points.errors import InvalidRule, RuleNotFound, RuleNotGrantable
from crm.points.kinds import kind_named
from crm.points.kinds import kinds as all_kinds
from crm.points.models import EarningRuleRow, EarningRuleVersionRow
from crm.points.types import EarningRule, WayToEarn

_VERSION = EarningRuleVersionRow


async def create(
    session: AsyncSession,
    *,
    kind: str,
    name: str,
    parameters: Mapping[str, Any],
    is_active: bool = True,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> EarningRule:
    """Add a rule; it is in force from now on. Raises UnknownRuleKind, InvalidRule with `problems` by path."""
    values = _checked(kind, name, parameters, valid_from, valid_until)
    made = await session.execute(insert(EarningRuleRow).values(kind=kind).returning(EarningRuleRow.id))
    return await _add_version(session, made.scalar_one(), 1, {**values, "is_active": is_active})


async def change(session: AsyncSession, rule_id: int, **changes: Any) -> EarningRule:
    """Make a new version with `changes` to name, parameters, is_active, valid_from or valid_until.

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
    }
    unknown = sorted(set(changes) - set(merged))
    if unknown:
        raise InvalidRule(f"a rule has no field {unknown[0]!r}; it has {', '.join(merged)}")
    merged |= changes
    is_active = bool(merged.pop("is_active"))
    values = _checked(old.kind, **merged)
    current = (_VERSION.rule_id == rule_id, _VERSION.in_force_until.is_(None))
    await session.execute(update(_VERSION).where(*current).values(in_force_until=now))
    return await _add_version(session, rule_id, old.version + 1, {**values, "is_active": is_active})


async def get(session: AsyncSession, rule_id: int) -> EarningRule:
    """The rule as it is now. Raises RuleNotFound."""
    row = (await session.execute(_current().where(EarningRuleRow.id == rule_id))).mappings().one_or_none()
    if row is None:
        raise RuleNotFound(rule_id=rule_id)
    return _rule(row)


async def listing(session: AsyncSession) -> list[EarningRule]:
    """Every rule as it is now, oldest first."""
    return [_rule(row) for row in (await session.execute(_current().order_by(EarningRuleRow.id))).mappings()]


async def in_force(session: AsyncSession, kinds: Sequence[str], at: datetime) -> list[EarningRule]:
    """The active rules of these kinds that were valid at `at`, oldest first."""
    rows = await _IN_FORCE.fetch(session, kinds=list(kinds), at=at)
    return [_rule(row) for row in rows]


async def grantable(session: AsyncSession, rule_id: int) -> EarningRule:
    """The rule when operators may grant it now. Raises RuleNotFound, RuleNotGrantable."""
    rule = await get(session, rule_id)
    active = await in_force(session, ["manual"], await clock.now(session))
    if all(found.id != rule.id for found in active):
        raise RuleNotGrantable(rule_id=rule_id)
    return rule


async def how_to_earn(session: AsyncSession, locale: str) -> list[WayToEarn]:
    """What the rules in force now give, told in `locale`, in the order of their creation."""
    ways = []
    for rule in await in_force(session, list(all_kinds()), await clock.now(session)):
        kind = kind_named(rule.kind)
        told = kind.explain(kind.parameters.model_validate(rule.parameters), locale)
        if told is not None:
            ways.append(WayToEarn(rule.kind, told))
    return ways


async def ensure_defaults(session: AsyncSession) -> int:
    """Insert the shipped rules that were never inserted, whatever became of the others; answers how many."""
    count = 0
    for key, (kind, name, parameters) in SHIPPED.items():
        claim = upsert(EarningRuleRow).values(kind=kind, shipped_key=key)
        made = await session.execute(claim.on_conflict_do_nothing().returning(EarningRuleRow.id))
        rule_id = made.scalar_one_or_none()
        if rule_id is not None:
            values = _checked(kind, name, parameters, None, None)
            await _add_version(session, rule_id, 1, {**values, "is_active": True})
            count += 1
    return count


async def _add_version(session: AsyncSession, rule_id: int, version: int, values: dict[str, Any]) -> EarningRule:
    now = await clock.now(session)
    await session.execute(insert(_VERSION).values(rule_id=rule_id, version=version, in_force_from=now, **values))
    return await get(session, rule_id)


def _checked(
    kind: str,
    name: str,
    parameters: Mapping[str, Any],
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> dict[str, Any]:
    label = clean_name(name)
    if not label:
        raise InvalidRule("a rule needs a name")
    if any(moment is not None and moment.tzinfo is None for moment in (valid_from, valid_until)):
        raise InvalidRule("valid_from and valid_until need a time zone, such as 2026-03-01T00:00:00+08:00")
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise InvalidRule("valid_until must be later than valid_from")
    try:
        checked = kind_named(kind).parameters.model_validate(dict(parameters))
    except ValidationError as error:
        problems = {".".join(map(str, item["loc"])) or "parameters": item["msg"] for item in error.errors()}
        path, message = next(iter(problems.items()))
        raise InvalidRule(f"parameters.{path}: {message}", problems=problems) from error
    return {
        "name": label,
        "parameters": checked.model_dump(mode="json"),
        "valid_from": valid_from,
        "valid_until": valid_until,
    }


def _select() -> Select[*tuple[Any, ...]]:
    columns = [column for column in _VERSION.__table__.c if column.name not in {"in_force_until", "rule_id"}]
    return select(EarningRuleRow.id, EarningRuleRow.kind, *columns).join(
        _VERSION, _VERSION.rule_id == EarningRuleRow.id
    )


def _current() -> Select[*tuple[Any, ...]]:
    return _select().where(_VERSION.in_force_until.is_(None))


def _in_force() -> Select[*tuple[Any, ...]]:
    at = bindparam("at", type_=DateTime(timezone=True))
    return (
        _select()
        .where(EarningRuleRow.kind == any_(bindparam("kinds", type_=ARRAY(Text))), _VERSION.is_active)
        .where(_VERSION.in_force_from <= at, or_(_VERSION.in_force_until.is_(None), _VERSION.in_force_until > at))
        .where(or_(_VERSION.valid_from.is_(None), _VERSION.valid_from <= at))
        .where(or_(_VERSION.valid_until.is_(None), _VERSION.valid_until > at))
        .order_by(EarningRuleRow.id)
    )


_IN_FORCE = Prepared(_in_force())
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
    )

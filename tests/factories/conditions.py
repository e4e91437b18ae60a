"""Asking a segment condition in SQL and in plain Python; both must agree, also under `not`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.rules import Condition, Scope
from crm.profiles.views import profiles


async def who_matches(
    session: AsyncSession, condition: Condition, members: Mapping[str, int], **parameters: Any
) -> str:
    """Names of the members who match, in order; fails when SQL and the plain evaluator differ."""
    values = condition.parameters.model_validate(parameters)
    scope = Scope(profiles, await clock.now(session))
    predicate = condition.predicate(values, scope)
    ids = select(profiles.c.member_id)
    matching = set(await session.scalars(ids.where(predicate)))
    others = set(await session.scalars(ids.where(not_(predicate))))
    assert matching | others == set(await session.scalars(ids)), "the predicate is NULL for someone"
    facts = await condition.facts(session, list(members.values()))
    plain = {key for key in members.values() if condition.matches(values, facts.get(key), scope.now)}
    assert matching & set(members.values()) == plain, "SQL and plain Python differ"
    return " ".join(name for name, member_id in members.items() if member_id in plain)

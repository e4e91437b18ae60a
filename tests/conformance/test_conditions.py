"""What every segment condition must do, whoever brings it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Condition, Scope
from crm.profiles.views import profiles
from crm.segments import catalogue
from tests.conformance.parameters import assert_named, assert_strict
from tests.crm.segments.random_rules import LEAVES
from tests.factories.population import Person, populate

CONDITIONS = list(catalogue.discover())
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def test_they_are_named_and_grouped() -> None:
    assert_named(CONDITIONS)
    assert all(item.group == item.group.strip() != "" for item in CONDITIONS)
    infos = catalogue.discover().infos()
    assert [(info.group, info.label) for info in infos] == sorted((item.group, item.label) for item in CONDITIONS)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two conditions are named"):
        catalogue.Conditions([CONDITIONS[0], CONDITIONS[0]])


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda item: item.name)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parameters_are_strict(condition: Condition, data: st.DataObject) -> None:
    leaf = data.draw(LEAVES[condition.name])
    assert_strict(condition.parameters, {key: value for key, value in leaf.items() if key != "condition"})


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda item: item.name)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_of_nothing_known_it_says_yes_or_no(
    session: AsyncSession, condition: Condition, data: st.DataObject
) -> None:
    """Never NULL, which would make a member vanish from a rule and from its opposite; and without facts no error."""
    leaf = data.draw(LEAVES[condition.name])
    parameters = condition.parameters.model_validate({key: leaf[key] for key in leaf if key != "condition"})
    savepoint = await session.begin_nested()
    (nobody,) = await populate(session, [Person()], NOW)
    test = condition.predicate(parameters, Scope(profiles, NOW))
    ids = select(profiles.c.member_id).where(profiles.c.member_id == nobody)
    held = bool((await session.scalars(ids.where(test))).all())
    failed = bool((await session.scalars(ids.where(not_(test)))).all())
    facts: Any = await condition.facts(session, [nobody])
    assert held is not failed
    assert condition.matches(parameters, facts.get(nobody), NOW) is held
    assert not await condition.facts(session, [])
    assert not await condition.facts(session, [nobody + 1_000_000])
    await savepoint.rollback()

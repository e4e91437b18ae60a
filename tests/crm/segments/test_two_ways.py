"""A rule asked in SQL and in plain Python finds the same members, whatever the rule and whoever the members."""

import os
import secrets
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, seed, settings
from sqlalchemy.ext.asyncio import AsyncSession

from crm.segments import catalogue, compiler, parser, service
from crm.segments.types import Not
from tests.conftest import At
from tests.crm.segments.random_rules import LEAVES, PEOPLE, RULES
from tests.factories.population import SURVEY, Person, names, populate

NOW = "2026-03-15T12:00+00:00"
EXAMPLES = int(os.environ.get("SIYU_SEGMENT_EXAMPLES", "200"))
SEED = int(os.environ.get("SIYU_SEGMENT_SEED", "0")) or secrets.randbits(32)
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

WHY: dict[str, Any] = {"condition": "survey_answer", "survey": SURVEY, "question": "why"}


def test_every_condition_is_in_the_random_rules() -> None:
    assert set(LEAVES) == set(catalogue.discover().names())


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=CHECKS,
    print_blob=True,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
@given(people=PEOPLE, source=RULES)
@example(people=[Person(is_finished=True, answers={"why": True})], source={**WHY, "any_of": [1]})
@example(people=[Person(is_finished=True, answers={"why": True})], source={**WHY, "at_least": 1})
@example(people=[Person()], source={"not": {"condition": "source", "source_id": 1}})
async def test_sql_and_python_agree(session: AsyncSession, at: At, people: list[Person], source: Any) -> None:
    print(f"repeat with SIYU_SEGMENT_SEED={SEED}")  # noqa: T201 - shown when the test fails
    now = await at(session, NOW)
    savepoint = await session.begin_nested()
    try:
        ids = await populate(session, people, now)
        rule = service.parse(session, source)
        found = set(await session.scalars(compiler.audience(rule, now)))
        facts = await compiler.load_facts(session, rule, ids)
        plain = {member_id for member_id in ids if compiler.matches(rule, member_id, facts, now)}
        assert names(ids, found) == names(ids, plain)
        others = set(await session.scalars(compiler.audience(Not(rule), now)))
        assert found | others >= set(ids), "neither the rule nor its opposite holds"
        assert not found & others
        again = service.parse(session, parser.to_json(rule))
        assert parser.to_json(again) == parser.to_json(rule)
        assert set(await session.scalars(compiler.audience(again, now))) == found
        for member_id in ids[:1]:
            assert await service.matches(session, rule, member_id) is (member_id in found)
    finally:
        await savepoint.rollback()

"""The condition on check-ins."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import service
from crm.check_ins.conditions.check_in import check_in
from tests.conftest import At
from tests.factories.conditions import who_matches
from tests.factories.members import make_member

DAYS = {"never": [], "once": [1], "steady": [6, 7, 8, 9, 10], "broken": [4, 5, 6]}


async def _members(session: AsyncSession, at: At) -> dict[str, int]:
    members = {name: (await make_member(session)).id for name in DAYS}
    for name, days in DAYS.items():
        for day in days:
            await at(session, f"2026-03-{day:02}T12:00Z")
            await service.check_in(session, members[name])
    await at(session, "2026-03-11T12:00Z")
    return members


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"streak_at_least": 1}, "steady"),
        ({"streak_at_least": 6}, ""),
        ({"within_days": 5}, "steady broken"),
        ({"within_days": 0}, ""),
        ({"not_within_days": 4}, "never once broken"),
        ({"times_at_least": 1}, "once steady broken"),
        ({"times_at_least": 3, "times_within_days": 5}, "steady"),
        ({"times_at_least": 3, "times_within_days": 8}, "steady broken"),
        ({"times_at_least": 1, "not_within_days": 4}, "once broken"),
    ],
)
async def test_how_steadily_and_how_lately(
    session: AsyncSession, at: At, parameters: dict[str, Any], expected: str
) -> None:
    assert await who_matches(session, check_in, await _members(session, at), **parameters) == expected


@pytest.mark.parametrize(
    "parameters", [{}, {"streak_at_least": None}, {"times_within_days": 3}, {"within_days": -1}, {"days": 1}]
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check_in.parameters.model_validate(parameters)
